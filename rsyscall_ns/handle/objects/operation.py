"""Operation: what an io_uring is to carry out, with the handles that it uses."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import attrs
from attrs import frozen

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.file import FileFD
from rsyscall_ns.handle.kinds.sockets import SocketFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD, O
from rsyscall_ns.near.abi.io_uring_h import (
    IORING_ASYNC_CANCEL,
    IORING_CQE_F,
    IORING_FSYNC_DATASYNC,
    IORING_OP,
    IORING_POLL,
    IORING_TIMEOUT,
    IOSQE,
)
from rsyscall_ns.near.abi.io_uring_structs import IoUringSqe
from rsyscall_ns.near.abi.socket_h import SOCK
from rsyscall_ns.near.abi.stat_h import STATX, Statx
from rsyscall_ns.near.abi.time_h import Timespec
from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit

__all__ = ["Completion", "Operation"]

IOVEC_SIZE: Final = 16
CURRENT: Final = 2**64 - 1  # the file's own offset
File = FileDescriptor | int


@frozen
class Completion:
    """What became of an operation. ``res``: as of the system call, or -errno.

    ``made``: the handle of the fd that it made.
    """

    user_data: int
    res: int
    flags: IORING_CQE_F
    made: FileDescriptor | None = None


@frozen
class Operation:
    """An operation: its entry, and the handles whose numbers and addresses are put into it.

    A file is an fd of the ring's task, or the place of a registered one. Memory is held from
    when it is submitted until it has ended.
    """

    sqe: IoUringSqe
    handles: tuple[tuple[str, FileDescriptor | Pointer[Any]], ...] = ()
    makes: type[FileDescriptor] | None = None
    keeps: tuple[Pointer[Any], ...] = ()  # memory that is named by memory

    @contextmanager
    def entry(self, task: MemoryTask, user_data: int) -> Generator[IoUringSqe, None, None]:
        """Give the entry with all numbers and addresses, which are borrowed for the block."""
        found: dict[str, int] = {"user_data": user_data}
        with ExitStack() as stack:
            for field, handle in self.handles:
                if isinstance(handle, Pointer):
                    found[field] = stack.enter_context(handle.borrow(task)).value
                else:
                    found[field] = stack.enter_context(handle.borrow(task)).number
            for piece in self.keeps:
                stack.enter_context(piece.borrow(task))
            yield _with(self.sqe, found)

    def pointers(self) -> list[Pointer[Any]]:
        """Return the memory that it uses."""
        direct = [handle for _, handle in self.handles if isinstance(handle, Pointer)]
        return [*direct, *self.keeps]

    def with_flags(self, flags: IOSQE) -> Operation:
        """Return it with more flags, such as ``IOSQE.IO_LINK``."""
        return attrs.evolve(self, sqe=attrs.evolve(self.sqe, flags=self.sqe.flags | flags))

    @classmethod
    def nop(cls) -> Operation:
        """Do nothing."""
        return cls(IoUringSqe(IORING_OP.NOP))

    @classmethod
    def read(cls, fd: File, into: Pointer[bytes], offset: int | None = None) -> Operation:
        """Read into memory; None is the file's own offset. As ``pread(2)``."""
        return _on(fd, IORING_OP.READ, into, len=into.size(), off=_offset(offset))

    @classmethod
    def write(cls, fd: File, data: Pointer[bytes], offset: int | None = None) -> Operation:
        """Write memory. As ``pwrite(2)``."""
        return _on(fd, IORING_OP.WRITE, data, len=data.size(), off=_offset(offset))

    @classmethod
    def readv(
        cls,
        fd: File,
        iovec: Pointer[Any],
        pieces: Sequence[Pointer[Any]],
        offset: int | None = None,
    ) -> Operation:
        """Read into pieces of memory, which the iovec names. As ``preadv(2)``."""
        _room_for("an iovec", iovec, IOVEC_SIZE * len(pieces))
        made = _on(fd, IORING_OP.READV, iovec, len=len(pieces), off=_offset(offset))
        return attrs.evolve(made, keeps=tuple(pieces))

    @classmethod
    def writev(
        cls,
        fd: File,
        iovec: Pointer[Any],
        pieces: Sequence[Pointer[Any]],
        offset: int | None = None,
    ) -> Operation:
        """Write pieces of memory, which the iovec names. As ``pwritev(2)``."""
        _room_for("an iovec", iovec, IOVEC_SIZE * len(pieces))
        made = _on(fd, IORING_OP.WRITEV, iovec, len=len(pieces), off=_offset(offset))
        return attrs.evolve(made, keeps=tuple(pieces))

    @classmethod
    def read_fixed(
        cls, fd: File, into: Pointer[bytes], place: int, offset: int | None = None
    ) -> Operation:
        """Read into memory that lies in the registered buffer of this place."""
        off, size = _offset(offset), into.size()
        return _on(fd, IORING_OP.READ_FIXED, into, len=size, off=off, buf_index=place)

    @classmethod
    def write_fixed(
        cls, fd: File, data: Pointer[bytes], place: int, offset: int | None = None
    ) -> Operation:
        """Write memory that lies in the registered buffer of this place."""
        off, size = _offset(offset), data.size()
        return _on(fd, IORING_OP.WRITE_FIXED, data, len=size, off=off, buf_index=place)

    @classmethod
    def fsync(cls, fd: File, *, datasync: bool = False) -> Operation:
        """Write what is cached to the disk. As ``fsync(2)``."""
        return _on(fd, IORING_OP.FSYNC, op_flags=IORING_FSYNC_DATASYNC if datasync else 0)

    @classmethod
    def poll_add(cls, fd: File, events: int, how: IORING_POLL = IORING_POLL.NONE) -> Operation:
        """Wait until the fd is ready; the result says for what. As ``poll(2)``."""
        return _on(fd, IORING_OP.POLL_ADD, op_flags=events, len=how)

    @classmethod
    def accept(cls, fd: File, flags: int = 0) -> Operation:
        """Wait for a connection; makes its socket. As ``accept4(2)``."""
        made = _on(fd, IORING_OP.ACCEPT, op_flags=flags | SOCK.CLOEXEC)
        return attrs.evolve(made, makes=SocketFD)

    @classmethod
    def connect(cls, fd: File, address: Pointer[bytes]) -> Operation:
        """Connect to a peer, whose packed address is given. As ``connect(2)``."""
        return _on(fd, IORING_OP.CONNECT, address, off=address.size())

    @classmethod
    def send(cls, fd: File, data: Pointer[bytes], flags: int = 0) -> Operation:
        """Send memory. As ``send(2)``."""
        return _on(fd, IORING_OP.SEND, data, len=data.size(), op_flags=flags)

    @classmethod
    def recv(cls, fd: File, into: Pointer[bytes], flags: int = 0) -> Operation:
        """Receive into memory. As ``recv(2)``."""
        return _on(fd, IORING_OP.RECV, into, len=into.size(), op_flags=flags)

    @classmethod
    def shutdown(cls, fd: File, how: int) -> Operation:
        """End one direction of a socket, or both. As ``shutdown(2)``."""
        return _on(fd, IORING_OP.SHUTDOWN, len=how)

    @classmethod
    def openat(
        cls,
        path: Pointer[bytes],
        flags: int = O.RDONLY,
        mode: int = 0o666,
        directory: FileDescriptor | None = None,
    ) -> Operation:
        """Open a file, close-on-exec; makes its fd. The path ends with a NUL. As ``openat(2)``."""
        where = AT_FDCWD if directory is None else directory
        made = _on(where, IORING_OP.OPENAT, path, len=mode, op_flags=flags | O.CLOEXEC)
        return attrs.evolve(made, makes=FileFD)

    @classmethod
    def statx(
        cls,
        path: Pointer[bytes],
        into: Pointer[Statx],
        flags: int = 0,
        mask: STATX = STATX.BASIC_STATS,
        directory: FileDescriptor | None = None,
    ) -> Operation:
        """Ask what a file is. As ``statx(2)``."""
        _room_for("struct statx", into, Statx.sizeof())
        where = AT_FDCWD if directory is None else directory
        made = _on(where, IORING_OP.STATX, path, len=mask, op_flags=flags)
        return attrs.evolve(made, handles=(*made.handles, ("off", into)))

    @classmethod
    def splice(
        cls,
        source: FileDescriptor,
        to: FileDescriptor,
        count: int,
        source_offset: int | None = None,
        offset: int | None = None,
        flags: int = 0,
    ) -> Operation:
        """Move bytes from or to a pipe. As ``splice(2)``."""
        off, at = _offset(offset), _offset(source_offset)
        made = _on(to, IORING_OP.SPLICE, len=count, off=off, addr=at, op_flags=flags)
        return attrs.evolve(made, handles=(*made.handles, ("file_index", source)))

    @classmethod
    def timeout(
        cls,
        after: Pointer[Timespec],
        count: int = 0,
        how: IORING_TIMEOUT = IORING_TIMEOUT.NONE,
    ) -> Operation:
        """Wait for a time, which ends with -ETIME, or for ``count`` completions."""
        _room_for("struct timespec", after, Timespec.sizeof())
        return _on(-1, IORING_OP.TIMEOUT, after, len=1, off=count, op_flags=how)

    @classmethod
    def link_timeout(
        cls, after: Pointer[Timespec], how: IORING_TIMEOUT = IORING_TIMEOUT.NONE
    ) -> Operation:
        """Cancel the operation that it is linked to (``IOSQE.IO_LINK``) after a time."""
        _room_for("struct timespec", after, Timespec.sizeof())
        return _on(-1, IORING_OP.LINK_TIMEOUT, after, len=1, op_flags=how)

    @classmethod
    def cancel(
        cls, user_data: int, how: IORING_ASYNC_CANCEL = IORING_ASYNC_CANCEL.NONE
    ) -> Operation:
        """Cancel what was submitted under this number. -ENOENT: it has ended already."""
        return _on(-1, IORING_OP.ASYNC_CANCEL, addr=user_data, op_flags=how)


def _room_for(what: str, memory: Pointer[Any], size: int) -> None:
    if memory.size() < size:
        raise SerializerError(f"the memory for {what}", size, memory.size(), least=True)


def _offset(offset: int | None) -> int:
    return CURRENT if offset is None else fit("offset", offset, 0, 2**63 - 1)


def _on(
    fd: File, opcode: IORING_OP, memory: Pointer[Any] | None = None, **fields: int
) -> Operation:
    handles: list[tuple[str, FileDescriptor | Pointer[Any]]] = []
    sqe = IoUringSqe(opcode)
    if isinstance(fd, FileDescriptor):
        handles.append(("fd", fd))
    else:
        flags = IOSQE.FIXED_FILE if fd >= 0 else IOSQE.NONE
        sqe = attrs.evolve(sqe, fd=fd, flags=flags)
    if memory is not None:
        handles.append(("addr", memory))
    return Operation(_with(sqe, fields), tuple(handles))


def _with(sqe: IoUringSqe, fields: dict[str, int]) -> IoUringSqe:
    changes: dict[str, Any] = {**fields}  # none of them is of an enumeration
    return attrs.evolve(sqe, **changes)
