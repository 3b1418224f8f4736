"""ReadingFD: reading and writing, of one buffer or several, at the file offset or elsewhere."""

from __future__ import annotations

import select
import struct
from collections.abc import Sequence
from errno import EOPNOTSUPP
from typing import overload

import trio

from rsyscall_ns.handle.pointers.passing import content_of, given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.pointers.vectors import Buffers, Rooms, read_vector, write_vector
from rsyscall_ns.memory.arena import SLOT
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fs_h import RWF
from rsyscall_ns.near.calls import rw as near_rw
from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.transport.pace import pace

from .fd_waiting import WaitingFD

__all__ = ["ReadingFD"]

IOVEC = struct.Struct("<QQ")
READ_CALL = SYS.read
FILE_OFFSET = -1  # for preadv2 and pwritev2: the file's own, which moves
READ, WRITE = select.POLLIN, select.POLLOUT
PART = 1 << 18  # bytes at once: what is written is copied


class ReadingFD(WaitingFD):
    """An fd that is read and written."""

    __slots__ = ()

    @overload
    async def read(self, count: int = 65536) -> bytes: ...

    @overload
    async def read(self, count: Pointer[bytes]) -> Pointer[bytes]: ...

    @trio.lowlevel.enable_ki_protection
    async def read(self, count: int | Pointer[bytes] = 65536) -> bytes | Pointer[bytes]:
        """Read up to ``count`` bytes; b"" is the end. ``read(2)``.

        With a pointer: consumes it, and returns the part that was filled; the rest is freed.
        """
        task = self.task
        number, sysif = self._number, task.sysif
        usable = number >= 0 and self.table is task.fd_table and not sysif.same_thread
        if isinstance(count, int) and 0 <= count <= SLOT and usable:
            # as below, in fewer steps: small reads are what programs wait for most
            slot = task.arena.take_slot()
            try:
                got = await sysif.call(READ_CALL, number, slot.address, count)
                if got >= 0:
                    return slot.mapping[slot.start : slot.start + got]
            finally:
                task.arena.give_slot(slot)
            raise kernel_error(-got, "read", sysif, None, (number,))
        if isinstance(count, Pointer):
            with count.borrow(self.task, alone=True) as address:
                got = await self._transfer(select.POLLIN, address, count.size())
            filled, rest = count.split(got)
            rest.free()
            return filled
        with self.task.transient(count) as buffer:
            got = await self._transfer(select.POLLIN, buffer.address, count)
            return buffer.read(0, got)

    async def write(self, data: bytes | Pointer[bytes]) -> int:
        """Write; returns how many bytes were taken, which may be fewer. ``write(2)``."""
        if isinstance(data, Pointer):
            with data.borrow(self.task) as address:
                return await self._transfer(select.POLLOUT, address, data.size())
        content = content_of(data)
        with self.task.transient(content) as buffer:
            return await self._transfer(select.POLLOUT, buffer.address, len(content))

    async def write_all(self, data: bytes) -> None:
        """Write everything, in as many calls as it takes."""
        await pace()
        with self.borrow():  # closed: refused, also where there is nothing to write
            pass
        view, at = memoryview(data).cast("B"), 0
        while at < len(view):
            at += await self.write(bytes(view[at : at + PART]))

    @overload
    async def pread(self, count: int, offset: int) -> bytes: ...

    @overload
    async def pread(self, count: Pointer[bytes], offset: int) -> Pointer[bytes]: ...

    async def pread(self, count: int | Pointer[bytes], offset: int) -> bytes | Pointer[bytes]:
        """Read up to ``count`` bytes at ``offset``, as ``read`` does. ``pread(2)``."""
        into = count if isinstance(count, Pointer) else None
        size = count if isinstance(count, int) else None
        with room(self.task, BYTES, into, size) as there, self.borrow() as near_id:
            got = await near_rw.pread64(self.task.sysif, near_id, there.address, there.size, offset)
            return there.result(got)

    async def pwrite(self, data: bytes | Pointer[bytes], offset: int) -> int:
        """Write at ``offset``; returns how many bytes were taken. ``pwrite(2)``."""
        with given(self.task, data) as there, self.borrow() as near_id:
            return await near_rw.pwrite64(
                self.task.sysif, near_id, there.address, there.size, offset
            )

    @overload
    async def readv(self, into: Sequence[int]) -> list[bytes]: ...

    @overload
    async def readv(self, into: Sequence[Pointer[bytes]]) -> list[Pointer[bytes]]: ...

    async def readv(self, into: Rooms) -> list[bytes] | list[Pointer[bytes]]:
        """Read into several buffers: of so many bytes each, or the caller's memory. ``readv(2)``.

        Returns what each got, b"" where the data ended before it. Consumes pointers, and returns
        the parts that were filled; the rest is freed.
        """
        with read_vector(self.task, into) as them:
            if self.waits_here():
                got = await self._vectored(READ, them.address, them.count, RWF.NONE)
            else:
                with self.borrow() as near_id:
                    got = await near_rw.readv(self.task.sysif, near_id, them.address, them.count)
            return them.result(got)

    async def writev(self, data: Buffers) -> int:
        """Write from several buffers; returns how many bytes were taken. ``writev(2)``."""
        with write_vector(self.task, data) as them:
            if self.waits_here():
                return await self._vectored(WRITE, them.address, them.count, RWF.NONE)
            with self.borrow() as near_id:
                return await near_rw.writev(self.task.sysif, near_id, them.address, them.count)

    @overload
    async def preadv(self, into: Sequence[int], offset: int) -> list[bytes]: ...

    @overload
    async def preadv(self, into: Sequence[Pointer[bytes]], offset: int) -> list[Pointer[bytes]]: ...

    async def preadv(self, into: Rooms, offset: int) -> list[bytes] | list[Pointer[bytes]]:
        """Read into several buffers at ``offset``, as ``readv`` does. ``preadv(2)``."""
        with read_vector(self.task, into) as them, self.borrow() as near_id:
            got = await near_rw.preadv(self.task.sysif, near_id, them.address, them.count, offset)
            return them.result(got)

    async def pwritev(self, data: Buffers, offset: int) -> int:
        """Write from several buffers at ``offset``, as ``writev`` does. ``pwritev(2)``."""
        with write_vector(self.task, data) as them, self.borrow() as near_id:
            return await near_rw.pwritev(self.task.sysif, near_id, them.address, them.count, offset)

    @overload
    async def preadv2(
        self, into: Sequence[int], offset: int = ..., flags: RWF = ...
    ) -> list[bytes]: ...

    @overload
    async def preadv2(
        self, into: Sequence[Pointer[bytes]], offset: int = ..., flags: RWF = ...
    ) -> list[Pointer[bytes]]: ...

    async def preadv2(
        self, into: Rooms, offset: int = FILE_OFFSET, flags: RWF = RWF.NONE
    ) -> list[bytes] | list[Pointer[bytes]]:
        """Read as ``preadv`` does, by flags; -1 is the file's own offset. ``preadv2(2)``.

        With ``RWF.NOWAIT`` it raises BlockingIOError where it would wait.
        """
        with read_vector(self.task, into) as them:
            got = await self._by_flags(READ, them.address, them.count, offset, flags)
            return them.result(got)

    async def pwritev2(
        self, data: Buffers, offset: int = FILE_OFFSET, flags: RWF = RWF.NONE
    ) -> int:
        """Write as ``pwritev`` does, by flags; -1 is the file's own offset. ``pwritev2(2)``."""
        with write_vector(self.task, data) as them:
            return await self._by_flags(WRITE, them.address, them.count, offset, flags)

    async def _by_flags(
        self, events: int, iovec: ids.Address, count: int, offset: int, flags: RWF
    ) -> int:
        if offset == FILE_OFFSET and not flags & RWF.NOWAIT and self.waits_here():
            return await self._vectored(events, iovec, count, flags)
        call = near_rw.preadv2 if events == READ else near_rw.pwritev2
        with self.borrow() as near_id:
            return await call(self.task.sysif, near_id, iovec, count, offset, flags)

    async def _transfer(self, events: int, address: ids.Address, count: int) -> int:
        """Read or write once, without ever blocking the event loop."""
        if not self.waits_here():
            call = near_rw.read if events == READ else near_rw.write
            with self.borrow() as near_id:
                return await call(self.task.sysif, near_id, address, count)
        with self.task.transient(IOVEC.pack(address.value, count)) as iovec:
            return await self._vectored(events, iovec.address, 1, RWF.NONE)

    async def _vectored(self, events: int, iovec: ids.Address, count: int, flags: RWF) -> int:
        """Read or write several buffers at the file offset; waits for the fd in the loop."""
        reading = events == READ
        vector = near_rw.preadv2 if reading else near_rw.pwritev2

        async def attempt(near_id: ids.FileDescriptor) -> int:
            try:
                return await vector(
                    self.task.sysif, near_id, iovec, count, FILE_OFFSET, flags | RWF.NOWAIT
                )
            except OSError as error:
                if error.errno != EOPNOTSUPP or flags:
                    raise
            # a terminal, for example
            number = SYS.readv if reading else SYS.writev
            return await self.nonblocking_call(near_id, number, iovec.value, count)

        return await self.without_blocking(events, attempt)
