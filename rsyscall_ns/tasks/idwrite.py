"""Writing the id maps of a child in a new user namespace.

This needs the parent: only a process outside may write a map of more than its own id. The files
are reached through a ``/proc`` that was checked to be one, and to be of our pid namespace.
"""

from __future__ import annotations

from attrs import frozen

from rsyscall_ns.handle.context import MemoryTask
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD, O
from rsyscall_ns.near.calls import fs, process
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import FileDescriptor

from .idmap import IdMapLike, IdRange, parse_id_map, render

__all__ = ["FakeProcError", "IdMapNotAllowedError", "IdMaps", "check_allowed", "write_maps"]

SETGID, SETUID = 1 << 6, 1 << 7  # capabilities
PROC_SUPER_MAGIC = 0x9FA0
STATFS_SIZE = 120
LINK_SIZE = 32


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
    proc = await _open_proc(task)
    try:
        if len(maps.gid) == 1 and maps.gid[0].count == 1:
            # with one group in it setgroups is of no use, and an ordinary user must deny it
            await _write(task, proc, f"{child.id}/setgroups", b"deny")
        await _write(task, proc, f"{child.id}/uid_map", render(maps.uid))
        await _write(task, proc, f"{child.id}/gid_map", render(maps.gid))
    finally:
        await fs.close(task.sysif, proc)


async def _open_proc(task: MemoryTask) -> FileDescriptor:
    """Open /proc, and refuse one that is none or that shows other processes."""
    sysif = task.sysif
    with task.transient(b"/proc\0") as path:
        flags = O.PATH | O.DIRECTORY | O.CLOEXEC
        proc = await fs.openat(sysif, AT_FDCWD, path.address, flags, 0)
    try:
        await _check_proc(task, proc)
    except BaseException:
        await fs.close(sysif, proc)
        raise
    return proc


async def _check_proc(task: MemoryTask, proc: FileDescriptor) -> None:
    sysif = task.sysif
    with task.transient(STATFS_SIZE) as statfs:
        await fs.fstatfs(sysif, proc, statfs.address)
        magic = int.from_bytes(statfs.read(0, 8), "little")
    if magic != PROC_SUPER_MAGIC:
        raise FakeProcError(task, "is no procfs")
    own = await process.getpid(sysif)
    with task.transient(b"self\0") as name, task.transient(LINK_SIZE) as link:
        try:
            got = await fs.readlinkat(sysif, proc.number, name.address, link.address, LINK_SIZE)
        except FileNotFoundError:
            got = 0
        shown = link.read(0, got)
    if shown != str(own.id).encode():
        raise FakeProcError(task, "is of another pid namespace")


async def _write(task: MemoryTask, proc: FileDescriptor, name: str, data: bytes) -> None:
    with task.transient(name.encode() + b"\0") as path, task.transient(data) as content:
        file = await fs.openat(
            task.sysif, proc.number, path.address, O.WRONLY | O.CLOEXEC | O.NOFOLLOW, 0
        )
        try:
            await fs.write(task.sysif, file, content.address, len(data))
        except OSError as error:
            error.filename = f"/proc/{name}"
            raise
        finally:
            await fs.close(task.sysif, file)
