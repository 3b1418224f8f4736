"""Ranges of ids for an ordinary user, by ``newuidmap(1)`` and ``newgidmap(1)``.

They may map what ``/etc/subuid`` and ``/etc/subgid`` give to the user; they are set-uid programs,
which check that themselves. What they would refuse is refused before anything is made.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import trio
from attrs import frozen

from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.idmap import IdRange
from rsyscall_ns.tasks.idwrite import IdMaps
from rsyscall_ns.tasks.spawn import WriteMaps
from rsyscall_ns.tasks.task import Task

from .errors import IdMapHelperError, SubordinateIdError

__all__ = ["check_granted", "every_id", "subordinate", "writer_of"]

Own = tuple[int, int]  # effective uid and gid
SETGID, SETUID = 1 << 6, 1 << 7  # capabilities
TOOLS: Final = {"uid": "newuidmap", "gid": "newgidmap"}
TEXT: Final = 4096


@frozen
class Granted:
    """Ids that a user may map: ``count`` from ``first`` on."""

    first: int
    count: int

    def holds(self, one: IdRange) -> bool:
        """Whether all of a range is among them."""
        return self.first <= one.outside and one.outside + one.count <= self.first + self.count


def subordinate(text: str, user: int) -> list[Granted]:
    """Return what a file such as ``/etc/subuid`` gives to a user. ``subuid(5)``."""
    names = {str(user)}
    with suppress(KeyError):
        names.add(pwd.getpwuid(user).pw_name)
    found: list[Granted] = []
    for line in text.splitlines():
        owner, _, rest = line.strip().partition(":")
        first, _, count = rest.partition(":")
        if owner in names and first.isdecimal() and count.isdecimal():
            found.append(Granted(int(first), int(count)))
    return found


async def writer_of(task: Task[Any], maps: IdMaps | None, own: Own) -> WriteMaps | None:
    """Return who writes the maps, if it must and can be those programs; None: we do it."""
    if maps is None or maps.only(own):
        return None
    capabilities = await task.cred.effective_capabilities()
    if capabilities & SETUID and capabilities & SETGID:
        return None
    tools = {kind: shutil.which(name) for kind, name in TOOLS.items()}
    if None in tools.values():
        return None  # then the usual error says what to do
    check_granted(maps, own)
    found = {kind: path for kind, path in tools.items() if path is not None}
    return partial(write, task, found, maps)


def every_id(own: Own) -> IdMaps | None:
    """Return maps of all ids that an ordinary user may map, to themselves; None: of his own alone.

    A user namespace that has them can give them to those below it.
    """
    user, found = os.getuid(), dict[str, list[IdRange]]()
    for kind, mine in zip(TOOLS, own, strict=True):
        found[kind] = [IdRange(mine, mine)]
        for one in subordinate(text_of(kind), user):
            if not any(overlap(one, other) for other in found[kind]):
                found[kind].append(IdRange(one.first, one.first, one.count))
    maps = IdMaps(tuple(found["uid"]), tuple(found["gid"]))
    return None if min(map(len, (maps.uid, maps.gid))) == 1 else maps


def overlap(one: Granted, other: IdRange) -> bool:
    """Whether an id is in both."""
    return one.first < other.outside + other.count and other.outside < one.first + one.count


def text_of(kind: str) -> str:
    """Return what the file for a kind of ids says; nothing where there is none."""
    with suppress(OSError):
        return Path(f"/etc/sub{kind}").read_text(encoding="utf-8", errors="replace")
    return ""


def check_granted(maps: IdMaps | None, own: Own) -> None:
    """Refuse maps of ids that are not the user's."""
    if maps is not None:
        for kind, ranges, mine in (("uid", maps.uid, own[0]), ("gid", maps.gid, own[1])):
            check(kind, ranges, mine, os.getuid())


def check(kind: str, ranges: Sequence[IdRange], own: int, user: int) -> None:
    """Refuse ranges that are not the user's."""
    file = Path(f"/etc/sub{kind}")
    granted = [Granted(own, 1), *subordinate(text_of(kind), user)]
    for one in ranges:
        if not any(each.holds(one) for each in granted):
            raise SubordinateIdError(kind, one, str(file))


async def write(
    task: Task[Any], tools: dict[str, str], maps: IdMaps, process: ChildProcess
) -> None:
    """Have both maps of a child written. Not cancellable: they take milliseconds."""
    with trio.CancelScope(shield=True):
        for kind, ranges in (("gid", maps.gid), ("uid", maps.uid)):
            words = [tools[kind], str(process.near.id)]
            for one in ranges:
                words += [str(one.inside), str(one.outside), str(one.count)]
            await call(task, words)


async def call(task: Task[Any], words: list[str]) -> None:
    """Run one of them."""
    reading, writing = await task.fs.pipe2()
    async with reading:
        async with writing, task.launch(Command(words[0], words), stderr=writing) as tool:
            state = await tool.wait()
        if not state.clean():
            said = (await reading.read(TEXT)).decode(errors="replace").strip()
            raise IdMapHelperError(words[0], str(state), said)
