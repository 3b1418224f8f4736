"""Writing the id maps of a child in a new user namespace.

A map of its own id alone the child writes itself, before anything else; any other needs the parent,
as only a process outside may write it. The files are reached through a ``/proc`` that was checked
to be one, and to be of our pid namespace.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from errno import EIO
from functools import partial
from typing import final

from attrs import frozen

from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD, O
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls.base import close_here, run
from rsyscall_ns.near.errors import RsyscallError, TaskLostError, kernel_error
from rsyscall_ns.near.ids import FileDescriptor
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program
from rsyscall_ns.transport.apart import to_the_end

from .environment import Environments
from .idmap import IdMapLike, IdRange, parse_id_map, render

__all__ = [
    "FakeProcError",
    "IdMapNotAllowedError",
    "IdMaps",
    "OwnMaps",
    "Proc",
    "append_maps",
    "check_allowed",
    "write_maps",
]


SETGID, SETUID = 1 << 6, 1 << 7  # capabilities
PROC_SUPER_MAGIC = 0x9FA0
STATFS_SIZE = 120
LINK_SIZE = 32
CALLS_PER_FILE = 3  # open, write, close


class IdMapNotAllowedError(RsyscallError, PermissionError):
    """An id map that an ordinary user may not write."""

    def __init__(self, kind: str, ranges: tuple[IdRange, ...], own: int) -> None:
        shown = render(ranges).decode().strip().replace("\n", ", ")
        PermissionError.__init__(
            self,
            1,
            f"{kind} map {shown!r} takes more than the caller's own id {own}: map only that one, "
            "run as root, or use a Container with newuidmap(1) installed",
        )


class FakeProcError(RsyscallError):
    """What is mounted on /proc can't be trusted to be the processes of our pid namespace."""

    def __init__(self, task: object, why: str) -> None:
        super().__init__(
            f"/proc as seen by {task} {why}: mount a proc of its own pid namespace there first"
        )


@frozen(cache_hash=True)
class IdMaps:
    """The two maps of one user namespace."""

    uid: tuple[IdRange, ...]
    gid: tuple[IdRange, ...]

    @classmethod
    def parse(
        cls, uid_map: IdMapLike | None, gid_map: IdMapLike | None, own: tuple[int, int]
    ) -> IdMaps:
        """Parse both; what is not given maps the caller's own (uid, gid) to itself."""
        return cls(parse_id_map(uid_map, own[0]), parse_id_map(gid_map, own[1]))

    def only(self, own: tuple[int, int]) -> bool:
        """Whether both map the caller's own id and no other: that a process may do by itself."""
        return is_only(self.uid, own[0]) and is_only(self.gid, own[1])

    @property
    def files(self) -> dict[str, bytes]:
        """What is written, in this order: setgroups is denied where the kernel wants that."""
        maps = {"uid_map": render(self.uid), "gid_map": render(self.gid)}
        if len(self.gid) == 1 and self.gid[0].count == 1:
            # with one group in it setgroups is of no use, and an ordinary user must deny it
            return {"setgroups": b"deny", **maps}
        return maps


@frozen(cache_hash=True)
class OwnMaps:
    """Maps that a child writes itself, through an fd of a /proc that it gets a copy of."""

    maps: IdMaps
    proc: int


def is_only(ranges: tuple[IdRange, ...], own: int) -> bool:
    """Whether this is the one id."""
    return len(ranges) == 1 and ranges[0].outside == own and ranges[0].count == 1


def check_allowed(maps: IdMaps, own: tuple[int, int], capabilities: int) -> None:
    """Refuse maps that the kernel would refuse for lack of capabilities."""
    for kind, ranges, mine, needed in (
        ("uid", maps.uid, own[0], SETUID),
        ("gid", maps.gid, own[1], SETGID),
    ):
        if not is_only(ranges, mine) and not capabilities & needed:
            raise IdMapNotAllowedError(kind, ranges, mine)


@final
class Proc:
    """The /proc of a task, which can be trusted; ``async with`` it for its fd.

    The interpreter's own is kept open for the next time, by ``environments``.
    """

    __slots__ = ("_environments", "_kept", "_number", "_task")

    def __init__(self, task: MemoryTask, environments: Environments) -> None:
        self._task = task
        self._environments = environments
        self._kept: KeptProc | None = None

    async def __aenter__(self) -> int:
        if self._task.sysif.same_thread:
            common = self._environments.common
            if KeptProc not in common:
                opened = KeptProc(await open_proc(self._task))
                if common.setdefault(KeptProc, opened) is not opened:
                    opened.release()  # another task was faster
            kept = common[KeptProc]
            assert isinstance(kept, KeptProc)
            kept.users += 1
            self._kept = kept
            return kept.number
        self._number = await open_proc(self._task)
        return self._number

    async def __aexit__(self, *_: object) -> None:
        if self._kept is not None:
            self._kept.users -= 1
        else:
            await close_proc(self._task, self._number)


@final
class KeptProc:
    """A /proc that stays open in this interpreter."""

    __slots__ = ("number", "users")

    def __init__(self, number: int) -> None:
        self.number = number
        self.users = 0

    def release(self) -> None:
        """Close it."""
        os.close(self.number)


async def open_proc(task: MemoryTask) -> int:
    """Return an fd of the task's /proc, which can be trusted; ``close_proc`` it."""
    proc = await _look_at_proc(task)
    try:
        _check_proc(task, proc)
    except BaseException:
        await close_proc(task, proc.number)
        raise
    return proc.number


async def close_proc(task: MemoryTask, proc: int) -> None:
    """Close it. Neither a cancel nor Ctrl-C comes out: what was made with it would be lost."""
    if task.sysif.same_thread:
        close_here(proc)  # without a checkpoint
        return
    with suppress(TaskLostError):
        await to_the_end(partial(near_fd.close, task.sysif, FileDescriptor(proc)))


def append_maps(
    program: Program, proc: int, process: str, maps: IdMaps, place: Callable[[bytes], int]
) -> None:
    """Append what writes all files of a process, ``self`` or an id, below a /proc.

    ``place`` puts bytes where the child sees them, and returns the address.
    """
    files = {f"{process}/{name}\0".encode(): data for name, data in maps.files.items()}
    at = place(b"".join(path + data for path, data in files.items()))
    for path, data in files.items():
        file = program.call(SYS.openat, proc, at, O.WRONLY | O.CLOEXEC | O.NOFOLLOW, 0)
        program.call(SYS.write, file, at + len(path), len(data))
        program.call(SYS.close, file)
        at += len(path) + len(data)


async def write_maps(
    task: MemoryTask, environments: Environments, child: ids.Process, maps: IdMaps
) -> None:
    """Write the maps of a child from outside."""
    async with Proc(task, environments) as proc:
        if task.sysif.same_thread:
            write_here(task, proc, child, maps)
        else:
            await _write(task, proc, child, maps)


@frozen
class _Proc:
    """An open /proc, and what tells whether it can be trusted."""

    number: int
    magic: int
    own: int  # our pid
    shown: bytes  # what it calls us


async def _look_at_proc(task: MemoryTask) -> _Proc:
    """Open /proc and ask what it is, in one go."""
    program = Program()
    program.interruptible = False
    name, own_link = program.room(b"/proc"), program.room(b"self")
    statfs, link = program.room(STATFS_SIZE), program.room(LINK_SIZE)
    flags = O.PATH | O.DIRECTORY | O.CLOEXEC
    proc = program.call(SYS.openat, AT_FDCWD, name, flags, 0)
    program.call(SYS.fstatfs, proc, statfs, must_succeed=False)
    own = program.call(SYS.getpid)
    target = program.call(SYS.readlinkat, proc, own_link, link, LINK_SIZE, must_succeed=False)
    results = await run(task.sysif, program, "/proc")
    return _Proc(
        results.value(proc),
        int.from_bytes(results.read(statfs)[:8], "little"),
        results.value(own),
        results.read(link)[: max(results.value(target), 0)],
    )


def _check_proc(task: MemoryTask, proc: _Proc) -> None:
    """Refuse one that is none or that shows other processes."""
    if proc.magic != PROC_SUPER_MAGIC:
        raise FakeProcError(task, "is no procfs")
    if proc.shown != str(proc.own).encode():
        raise FakeProcError(task, "is of another pid namespace")


def write_here(task: MemoryTask, proc: int, child: ids.Process, maps: IdMaps) -> None:
    """Write all files from this very interpreter, up to the first that can't be written."""
    for name, data in maps.files.items():
        path, call = f"{child.id}/{name}", "openat"
        try:
            file = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=proc)
            try:
                call = "write"
                os.write(file, data)
            finally:
                os.close(file)
        except OSError as error:
            number = error.errno or EIO
            raise kernel_error(number, call, task.sysif, f"/proc/{path}") from error


async def _write(task: MemoryTask, proc: int, child: ids.Process, maps: IdMaps) -> None:
    """Write all files in one go, up to the first that can't be written."""
    program = Program()
    program.interruptible = False
    with ExitStack() as scope:

        def place(content: bytes) -> int:
            return scope.enter_context(task.transient(content)).address.value

        append_maps(program, proc, str(child.id), maps, place)
        results = await task.sysif.execute(program)
    failed = results.failure()
    if failed is None:
        return
    at, step = divmod(failed[0], CALLS_PER_FILE)
    if step:  # it was opened, and not closed
        await near_fd.close(task.sysif, FileDescriptor(results.values[at * CALLS_PER_FILE]))
    results.check(task.sysif, f"/proc/{child.id}/{list(maps.files)[at]}")
