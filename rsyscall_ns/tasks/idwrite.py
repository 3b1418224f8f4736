"""Writing the id maps of a child in a new user namespace.

This needs the parent: only a process outside may write a map of more than its own id. The files
are reached through a ``/proc`` that was checked to be one, and to be of our pid namespace.
"""

from __future__ import annotations

from contextlib import ExitStack

from attrs import frozen

from rsyscall_ns.handle.context import MemoryTask
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD, O
from rsyscall_ns.near.calls import fs
from rsyscall_ns.near.calls.base import run
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import FileDescriptor
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program, Ref

from .idmap import IdMapLike, IdRange, parse_id_map, render

__all__ = ["FakeProcError", "IdMapNotAllowedError", "IdMaps", "check_allowed", "write_maps"]

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
            "or run as root",
        )


class FakeProcError(RsyscallError):
    """What is mounted on /proc can't be trusted to be the processes of our pid namespace."""

    def __init__(self, task: object, why: str) -> None:
        super().__init__(
            f"/proc as seen by {task} {why}: mount a proc of its own pid namespace there first"
        )


@frozen
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


def check_allowed(maps: IdMaps, own: tuple[int, int], capabilities: int) -> None:
    """Refuse maps that the kernel would refuse for lack of capabilities."""
    for kind, ranges, mine, needed in (
        ("uid", maps.uid, own[0], SETUID),
        ("gid", maps.gid, own[1], SETGID),
    ):
        alone = len(ranges) == 1 and ranges[0].outside == mine and ranges[0].count == 1
        if not alone and not capabilities & needed:
            raise IdMapNotAllowedError(kind, ranges, mine)


async def write_maps(task: MemoryTask, child: ids.Process, maps: IdMaps) -> None:
    """Write setgroups (denied where the kernel wants that), uid_map and gid_map of a child."""
    files = {"uid_map": render(maps.uid), "gid_map": render(maps.gid)}
    if len(maps.gid) == 1 and maps.gid[0].count == 1:
        # with one group in it setgroups is of no use, and an ordinary user must deny it
        files = {"setgroups": b"deny", **files}
    proc = await _open_proc(task)
    try:
        _check_proc(task, proc)
        await _write(task, proc.number, child, files)
    finally:
        await fs.close(task.sysif, FileDescriptor(proc.number))


@frozen
class _Proc:
    """An open /proc, and what tells whether it can be trusted."""

    number: int
    magic: int
    own: int  # our pid
    shown: bytes  # what it calls us


async def _open_proc(task: MemoryTask) -> _Proc:
    """Open /proc and ask what it is, in one go."""
    program = Program()
    program.interruptible = False
    with (
        task.transient(b"/proc\0self\0") as names,
        task.transient(STATFS_SIZE) as statfs,
        task.transient(LINK_SIZE) as link,
    ):
        proc = program.call(
            SYS.openat, AT_FDCWD, names.address.value, O.PATH | O.DIRECTORY | O.CLOEXEC, 0
        )
        program.call(SYS.fstatfs, proc, statfs.address.value, must_succeed=False)
        own = program.call(SYS.getpid)
        target = program.call(
            SYS.readlinkat,
            proc,
            (names + len(b"/proc\0")).value,
            link.address.value,
            LINK_SIZE,
            must_succeed=False,
        )
        results = await run(task.sysif, program, "/proc")
        return _Proc(
            results.value(proc),
            int.from_bytes(statfs.read(0, 8), "little"),
            results.value(own),
            link.read(0, max(results.value(target), 0)),
        )


def _check_proc(task: MemoryTask, proc: _Proc) -> None:
    """Refuse one that is none or that shows other processes."""
    if proc.magic != PROC_SUPER_MAGIC:
        raise FakeProcError(task, "is no procfs")
    if proc.shown != str(proc.own).encode():
        raise FakeProcError(task, "is of another pid namespace")


async def _write(task: MemoryTask, proc: int, child: ids.Process, files: dict[str, bytes]) -> None:
    """Write all files below ``/proc/PID`` in one go, up to the first that can't be written."""
    program = Program()
    program.interruptible = False
    opened: list[Ref] = []
    with ExitStack() as memory:
        for name, data in files.items():
            path = memory.enter_context(task.transient(f"{child.id}/{name}\0".encode()))
            content = memory.enter_context(task.transient(data))
            flags = O.WRONLY | O.CLOEXEC | O.NOFOLLOW
            file = program.call(SYS.openat, proc, path.address.value, flags, 0)
            program.call(SYS.write, file, content.address.value, len(data))
            program.call(SYS.close, file)
            opened.append(file)
        results = await task.sysif.execute(program)
    failed = results.failure()
    if failed is None:
        return
    at = failed[0] // CALLS_PER_FILE
    if failed[0] > opened[at].step:  # it was opened, and not closed
        await fs.close(task.sysif, FileDescriptor(results.value(opened[at])))
    results.check(task.sysif, f"/proc/{child.id}/{list(files)[at]}")
