"""Namespaces of each kind, what ``run`` does in them, and ids."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from rsyscall_ns.cli.kinds import KINDS
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.tasks.task import Task

from .finding import MissingError, Probe
from .sysctl import needs, user_namespace_cure

__all__ = ["PROBES", "namespace_cure"]

MAPPERS: Final = ("newuidmap", "newgidmap")


def new(flags: CLONE, kind: str) -> Callable[[Task], Awaitable[str]]:
    """Return what makes a namespace and looks whether it is another one."""

    async def look(task: Task) -> str:
        async with task.spawn(CLONE.NEWUSER | flags) as child:
            # a process stays in the time namespace that it began in
            link = "time_for_children" if kind == "time" else kind
            ours = await task.fs.readlink(f"/proc/self/ns/{link}")
            theirs = await task.fs.readlink(f"/proc/{child.process.near.id}/ns/{link}")
            if ours == theirs:
                raise MissingError("a child was made, but in the same namespace")
        return "made, by a child in a new user namespace"

    return look


def namespace_cure(kind: str) -> Callable[[int], str]:
    """Return what to do where a namespace of a kind can't be made."""

    def cure(error: int) -> str:
        most = f"user.max_{kind}_namespaces"
        return needs(most, "15000", "0") or user_namespace_cure(error)

    return cure


async def proc(task: Task) -> str:
    """Mount a /proc of one's own."""
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS) as child:
        await child.mount.mount("proc", "/proc", "proc")
        return f"mounted; a child is process {await child.fs.readlink('/proc/self')} in it"


async def loopback(task: Task) -> str:
    """Bring up the loopback interface of a new network."""
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWNET) as child:
        await child.net.set_up("lo")
        return "lo is up in a new network namespace"


async def map_zero(task: Task) -> str:
    """Be root in a user namespace."""
    async with task.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as child:
        uid = await child.cred.getuid()
        return f"user {os.getuid()} is {uid} in it"


async def id_ranges(_: Task) -> str:
    """Look whether more ids than one's own can be mapped."""
    if os.geteuid() == 0:
        return "root maps any ids"
    with suppress(KeyError):
        user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
        found = {name: shutil.which(name) for name in MAPPERS}
        missing = [name for name, path in found.items() if path is None]
        if missing:
            raise MissingError(f"there is no {missing[0]}", "install uidmap (Debian's name)")
        ranges = [*granted("/etc/subuid", user), *granted("/etc/subgid", user)]
        if len(ranges) < len(MAPPERS):
            raise MissingError(
                f"{user} has no range in /etc/subuid and /etc/subgid",
                f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}",
            )
        return f"{user} ({group}): {', '.join(ranges)}"
    raise MissingError(f"user {os.getuid()} has no name", "give it an entry in /etc/passwd")


def granted(path: str, user: str) -> Iterator[str]:
    """Give the ranges that a file grants to a user, by name or number."""
    with suppress(OSError):
        for line in Path(path).read_text().splitlines():
            who, _, rest = line.partition(":")
            if who in {user, str(os.getuid())}:
                yield f"{Path(path).name} {rest}"


PROBES: Final = (
    *(
        Probe("namespaces", kind, new(flags, kind), namespace_cure(kind), needed=True)
        for kind, (flags, _) in KINDS.items()
    ),
    Probe(
        "namespaces",
        "/proc of one's own",
        proc,
        lambda _: "something lies over parts of /proc, as container engines have it: unmask it",
        needed=True,
    ),
    Probe("namespaces", "loopback up", loopback, namespace_cure("net"), needed=True),
    Probe("ids", "root inside (--map-zero)", map_zero, user_namespace_cure),
    Probe("ids", "ranges of ids", id_ranges),
)
