"""Single namespaces that are kept alive by an fd, and how those of a process are opened."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Mapping, Sequence
from errno import ENOENT
from typing import Any, Final, Self, TypeAlias, final

from attrs import field, frozen

from rsyscall_ns.handle.kinds.namespace import NamespaceFD
from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.processes.process import Process
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import AT, O
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.stat_h import STATX
from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Argument, Program, Ref, Results
from rsyscall_ns.near.strings import StrPath
from rsyscall_ns.tasks.idwrite import Proc
from rsyscall_ns.tasks.task import Task
from rsyscall_ns.transport.apart import to_the_end

from .ns_types import FILE_NAMES

__all__ = ["NamespaceMember", "Opened", "Source", "member_of", "open_source"]

Source: TypeAlias = "int | Process | PidFD | NamespaceFD | StrPath | Task[Any]"
STATX_SIZE: Final = 256
IDENTITY: Final = struct.Struct("<32xQ96xII")  # ino, dev_major and dev_minor: the rest takes time
READ: Final = O.RDONLY | O.CLOEXEC
# a new process is in those that its parent has for its children
OWN = {"pid": "pid_for_children", "time": "time_for_children"}


@frozen
class NamespaceMember:
    """One namespace, kept alive by ``fd``. Equal to another one when it is the same namespace."""

    kind: CLONE = field(eq=False)
    device: int
    inode: int
    fd: NamespaceFD = field(eq=False, repr=False)

    async def owner(self) -> NamespaceMember:
        """Return the user namespace that it belongs to. ``ioctl_ns(2)``, NS_GET_USERNS."""
        return await member_of(await self.fd.userns())

    async def parent(self) -> NamespaceMember:
        """Return what a user or pid namespace lies in. ``ioctl_ns(2)``, NS_GET_PARENT.

        PermissionError where that is out of sight.
        """
        return await member_of(await self.fd.parent())

    async def owner_uid(self) -> int:
        """Return the uid that owns it: of a user namespace, or of the one that it belongs to."""
        if self.kind == CLONE.NEWUSER:
            return await self.fd.owner_uid()
        async with await self.owner() as owner:
            return await owner.fd.owner_uid()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.fd.close()


async def member_of(fd: NamespaceFD) -> NamespaceMember:
    """Look what it is; the result owns the fd, which is closed when that fails."""
    try:
        device, inode = await fd.identity()
        return NamespaceMember(await fd.nstype(), device, inode, fd)
    except BaseException:
        await fd.close()
        raise


@final
class Opened:
    """Namespaces by kind, those that could not be opened, and those that the task is in itself."""

    __slots__ = ("errors", "members", "own", "task")

    def __init__(self, task: Task[Any]) -> None:
        self.task = task
        self.members: dict[CLONE, NamespaceMember] = {}
        self.errors: dict[CLONE, OSError] = {}
        self.own: set[CLONE] = set()

    async def close(self) -> None:
        """Close all fds. Idempotent, not cancellable."""
        await to_the_end(self._close)

    async def _close(self) -> None:
        for member in self.members.values():
            await member.fd.close()


def wanted(kinds: int) -> list[CLONE]:
    return [kind for kind in FILE_NAMES if int(kinds) & int(kind)]


async def open_source(task: Task[Any], source: Source, kinds: int) -> Opened:
    """Open those of a process, or the one that a file or an fd is, as fds of the task."""
    opened = Opened(task)
    try:
        if isinstance(source, Task):
            for kind in wanted(kinds):
                async with await source.ns.open(FILE_NAMES[kind]) as theirs:
                    opened.members[kind] = await member_of(await theirs.pass_to(task))
        elif isinstance(source, PidFD):
            await _open_process(task, opened, await _pid_of(source), kinds, source)
        elif isinstance(source, int | Process):
            pid = source if isinstance(source, int) else source.near.id
            await _open_process(task, opened, fit("pid", pid, 1, 2**31 - 1), kinds, None)
        else:
            if isinstance(source, NamespaceFD):
                fd = await source.pass_to(task)
            else:
                fd = await (await task.fs.open(source)).as_kind(NamespaceFD)
            member = await member_of(fd)
            opened.members[member.kind] = member
        opened.own |= await _own(task, opened.members)
    except BaseException:
        await opened.close()
        raise
    return opened


async def _pid_of(pidfd: PidFD) -> int:
    task = pidfd.task
    assert isinstance(task, Task)
    with pidfd.borrow() as near_id:
        text = await task.fs.read_bytes(f"/proc/thread-self/fdinfo/{near_id.number}")
    found = re.search(rb"^Pid:\s*(\d+)$", text, re.MULTILINE)
    if found is None or found[1] == b"0":
        raise ProcessLookupError(ENOENT, f"{pidfd} is of no process that is seen in /proc here")
    return int(found[1])


def statx(program: Program, at: Argument, path: int, into: int, flags: int = 0) -> Ref:
    return program.call(SYS.statx, at, path, flags, STATX.INO, into, must_succeed=False)


async def _open_process(
    task: Task[Any], opened: Opened, pid: int, kinds: int, pidfd: PidFD | None
) -> None:
    """Open the files of a process, which must still be the same one afterwards."""
    every = wanted(kinds)
    paths = [f"{pid}/ns/{FILE_NAMES[kind]}\0".encode() for kind in every]
    names = b"".join(paths) + b"\0"
    program = Program()
    program.interruptible = False
    await task.sweep()
    async with Proc(task, task.environments) as proc:
        with (
            task.transient(names) as there,
            task.transient(STATX_SIZE * len(every)) as stats,
        ):
            empty = there.address.value + len(names) - 1
            process: Argument
            if pidfd is None:
                process = program.call(SYS.pidfd_open, pid, 0, must_succeed=False)
            else:
                process = pidfd.near.number
            place = there.address.value
            made: list[Ref] = []
            for number, path in enumerate(paths):
                fd = program.call(SYS.openat, proc, place, READ, 0, must_succeed=False)
                into = stats.address.value + STATX_SIZE * number
                statx(program, fd, empty, into, AT.EMPTY_PATH)
                made.append(fd)
                place += len(path)
            alive = program.call(SYS.pidfd_send_signal, process, 0, 0, 0, must_succeed=False)
            if pidfd is None:
                program.call(SYS.close, process, must_succeed=False)
            results = await task.sysif.execute(program)
            _collect(task, opened, dict(zip(every, made, strict=True)), results, stats.read())
    for kind, error in opened.errors.items():
        error.filename = f"/proc/{pid}/ns/{FILE_NAMES[kind]}"
    # EPERM: it is there, and not ours
    if opened.members and results.value(alive) == -3:  # noqa: PLR2004 - ESRCH
        raise kernel_error(ENOENT, "openat", task, f"/proc/{pid}/ns")


def _collect(
    task: Task[Any], opened: Opened, made: Mapping[CLONE, Ref], results: Results, stats: bytes
) -> None:
    for number, (kind, fd) in enumerate(made.items()):
        got = results.value(fd)
        if got < 0:
            opened.errors[kind] = kernel_error(-got, "openat", task)
            continue
        device, inode = identity(stats, number)
        handle = NamespaceFD(task, ids.FileDescriptor(got))
        opened.members[kind] = NamespaceMember(kind, device, inode, handle)


def identity(stats: bytes, number: int) -> tuple[int, int]:
    """Return device and inode from one of several struct statx."""
    inode, major, minor = IDENTITY.unpack_from(stats, STATX_SIZE * number)
    return os.makedev(major, minor), inode


async def _own(task: Task[Any], members: Mapping[CLONE, NamespaceMember]) -> set[CLONE]:
    """Return the kinds of those that a child of the task is in already."""
    kinds: Sequence[CLONE] = list(members)
    names = [FILE_NAMES[kind] for kind in kinds]
    paths = [f"/proc/thread-self/ns/{OWN.get(name, name)}\0".encode() for name in names]
    program = Program()
    program.interruptible = False
    with (
        task.transient(b"".join(paths) or 1) as there,
        task.transient(STATX_SIZE * len(kinds) or 1) as stats,
    ):
        place, into = there.address.value, stats.address.value
        for path in paths:
            statx(program, 0, place, into)
            place, into = place + len(path), into + STATX_SIZE
        await task.sysif.execute(program)
        found = stats.read()
    return {
        kind
        for number, kind in enumerate(kinds)
        if identity(found, number) == (members[kind].device, members[kind].inode)
    }
