"""AioOperation: what the old asynchronous I/O is to carry out, with the handles that it uses."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final

import attrs

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.eventfd import EventFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.waiting import BlocksLoopError
from rsyscall_ns.near.abi.aio_abi_h import IOCB_CMD, IOCB_FLAG, Iocb
from rsyscall_ns.near.abi.fs_h import RWF
from rsyscall_ns.near.abi.poll_h import POLL
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["AioEvent", "AioOperation"]

PLAIN: Final = RWF.NONE
TRANSFERS: Final = {IOCB_CMD.PREAD, IOCB_CMD.PWRITE, IOCB_CMD.PREADV, IOCB_CMD.PWRITEV}


@value
class AioEvent:
    """An operation has ended. ``res``: as of the system call, or -errno."""

    number: int
    res: int
    res2: int = 0


@value
class AioOperation:
    """An operation on an fd. Its memory is held from when it is submitted until it has ended."""

    iocb: Iocb
    fd: FileDescriptor
    memory: Pointer[Any] | None = None
    keeps: tuple[Pointer[Any], ...] = ()  # memory that is named by memory
    eventfd: EventFD | None = None

    @classmethod
    def pread(
        cls, fd: FileDescriptor, into: Pointer[bytes], offset: int = 0, flags: RWF = PLAIN
    ) -> AioOperation:
        """Read into memory. As ``pread(2)``."""
        return _transfer(IOCB_CMD.PREAD, fd, into, into.size(), offset, flags)

    @classmethod
    def pwrite(
        cls, fd: FileDescriptor, data: Pointer[bytes], offset: int = 0, flags: RWF = PLAIN
    ) -> AioOperation:
        """Write memory. As ``pwrite(2)``."""
        return _transfer(IOCB_CMD.PWRITE, fd, data, data.size(), offset, flags)

    @classmethod
    def preadv(
        cls,
        fd: FileDescriptor,
        iovec: Pointer[Any],
        pieces: Sequence[Pointer[Any]],
        offset: int = 0,
        flags: RWF = PLAIN,
    ) -> AioOperation:
        """Read into pieces of memory, which the iovec names. As ``preadv2(2)``."""
        made = _transfer(IOCB_CMD.PREADV, fd, iovec, len(pieces), offset, flags)
        return attrs.evolve(made, keeps=tuple(pieces))

    @classmethod
    def pwritev(
        cls,
        fd: FileDescriptor,
        iovec: Pointer[Any],
        pieces: Sequence[Pointer[Any]],
        offset: int = 0,
        flags: RWF = PLAIN,
    ) -> AioOperation:
        """Write pieces of memory, which the iovec names. As ``pwritev2(2)``."""
        made = _transfer(IOCB_CMD.PWRITEV, fd, iovec, len(pieces), offset, flags)
        return attrs.evolve(made, keeps=tuple(pieces))

    @classmethod
    def fsync(cls, fd: FileDescriptor, *, datasync: bool = False) -> AioOperation:
        """Write what is cached to the disk. As ``fsync(2)``, ``fdatasync(2)``."""
        return cls(Iocb(lio_opcode=IOCB_CMD.FDSYNC if datasync else IOCB_CMD.FSYNC), fd)

    @classmethod
    def poll(cls, fd: FileDescriptor, events: POLL) -> AioOperation:
        """Wait until the fd is ready; the result says for what. As ``poll(2)``."""
        return cls(Iocb(lio_opcode=IOCB_CMD.POLL, buf=fit("events", events, 0, 0xFFFF)), fd)

    def counted_by(self, eventfd: EventFD) -> AioOperation:
        """Return it with an eventfd that counts its end."""
        return attrs.evolve(self, eventfd=eventfd)

    def with_ioprio(self, ioprio: int) -> AioOperation:
        """Return it with an I/O priority of its own, as ``ioprio_set(2)`` takes it."""
        flags = self.iocb.flags | IOCB_FLAG.IOPRIO
        return attrs.evolve(self, iocb=attrs.evolve(self.iocb, reqprio=ioprio, flags=flags))

    def pointers(self) -> tuple[Pointer[Any], ...]:
        """Return the memory that it uses."""
        return self.keeps if self.memory is None else (self.memory, *self.keeps)

    def entry(self, stack: ExitStack, task: MemoryTask, number: int, bell: EventFD | None) -> Iocb:
        """Return it as the kernel takes it; all that it uses is borrowed until the stack is left.

        ``bell``: counts its end where nothing else does.
        """
        near_id = stack.enter_context(self.fd.borrow(task))
        changes: dict[str, Any] = {"data": number, "fildes": near_id.number}
        for one in self.pointers():
            place = stack.enter_context(one.borrow(task))
            if one is self.memory:
                changes["buf"] = place.value
        counter = self.eventfd or bell
        if counter is not None:
            changes["resfd"] = stack.enter_context(counter.borrow(task)).number
            changes["flags"] = self.iocb.flags | IOCB_FLAG.RESFD
        if task.sysif.same_thread and self.iocb.lio_opcode in TRANSFERS:
            mode = os.fstat(near_id.number).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
                raise BlocksLoopError(f"io_submit of {self.iocb.lio_opcode.name} on {self.fd}")
        return attrs.evolve(self.iocb, **changes)


def _transfer(
    opcode: IOCB_CMD,
    fd: FileDescriptor,
    memory: Pointer[Any],
    nbytes: int,
    offset: int,
    flags: RWF,
) -> AioOperation:
    at = fit("offset", offset, 0, 2**63 - 1)
    iocb = Iocb(lio_opcode=opcode, rw_flags=flags, nbytes=nbytes, offset=at)
    return AioOperation(iocb, fd, memory)
