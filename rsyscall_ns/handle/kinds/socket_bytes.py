"""ByteSocket: bytes that are sent and received, with addresses."""

from __future__ import annotations

import select
from collections.abc import Awaitable, Callable
from contextlib import suppress
from errno import EPROTOTYPE
from functools import partial
from typing import Final, TypeVar, overload

import trio

from rsyscall_ns.handle.pointers.fd_errors import FDClosedError
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.if_h import SIOC
from rsyscall_ns.near.abi.sockaddr_h import (
    SOCKADDR_MAX,
    Sockaddr,
    SockaddrUn,
    unpack_sockaddr,
)
from rsyscall_ns.near.abi.socket_h import AF, MSG, SOCK, SOL
from rsyscall_ns.near.abi.sockopt_h import SO
from rsyscall_ns.near.calls import net as near_net
from rsyscall_ns.near.ids import Address

from .socket_names import NamedSocket, SocketAddress, address_of, checked_address, filled, named

__all__ = ["ByteSocket"]

R = TypeVar("R")
LENGTH: Final = 4  # bytes of a socklen_t, of an int
AT_ONCE: Final = MSG.DONTWAIT | MSG.ERRQUEUE  # the caller does not want to wait
UNLIKE_ALL: Final = AT_ONCE | MSG.PEEK | MSG.OOB  # with them nobody waits for all


class ByteSocket(NamedSocket):
    """What carries bytes; a layer of ``SocketFD``."""

    __slots__ = ()

    @property
    def _dontwait(self) -> int:
        return MSG.DONTWAIT if self.task.sysif.same_thread else 0

    async def _received(
        self, flags: int, attempt: Callable[[ids.FileDescriptor], Awaitable[R]]
    ) -> R:
        if flags & AT_ONCE:
            with self.borrow() as near_id:
                return await attempt(near_id)
        return await self.without_blocking(select.POLLIN, attempt)

    async def _sent(
        self,
        flags: int,
        peer: Sockaddr | None,
        attempt: Callable[[ids.FileDescriptor], Awaitable[R]],
    ) -> R:
        while True:
            with self.borrow() as near_id:
                try:
                    return await attempt(near_id)
                except BlockingIOError:
                    if flags & AT_ONCE or not self.task.sysif.same_thread:
                        raise
            await self.task.sysif.wait_ready(self.near.number, select.POLLOUT)
            if isinstance(peer, SockaddrUn):
                await self._room_at(peer)

    @trio.lowlevel.enable_ki_protection
    async def _room_at(self, peer: SockaddrUn) -> None:
        """Wait until a peer's queue has room: only a socket that is connected to it is told."""
        near_id = await near_net.socket(
            self.task.sysif, AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC | SOCK.NONBLOCK, 0
        )
        async with type(self)(self.task, near_id) as probe:
            try:
                await probe.connect(peer)
            except OSError as error:
                if error.errno != EPROTOTYPE:  # of another type: then sending to it fails
                    raise
            else:
                await self.task.sysif.wait_ready(probe.near.number, select.POLLOUT)

    async def send(self, data: bytes | Pointer[bytes], flags: int = MSG.NONE) -> int:
        """Send bytes; returns how many were taken. No SIGPIPE is raised. ``send(2)``."""
        return await self._send(data, None, flags)

    async def sendto(
        self, data: bytes | Pointer[bytes], address: SocketAddress, flags: int = MSG.NONE
    ) -> int:
        """Send bytes to an address; returns how many were taken. ``sendto(2)``.

        No SIGPIPE is raised. An error of an address that is a path has it as its filename.
        """
        with named(address):
            return await self._send(data, address, flags)

    async def _send(
        self, data: bytes | Pointer[bytes], address: SocketAddress | None, flags: int
    ) -> int:
        quiet = flags | MSG.NOSIGNAL | self._dontwait
        name = None if address is None else checked_address(address)
        with given(self.task, data) as content, given(self.task, name) as to:
            return await self._sent(
                flags,
                address_of(address),
                lambda near_id: near_net.sendto(
                    self.task.sysif,
                    near_id,
                    content.address,
                    content.size,
                    quiet,
                    to.address,
                    to.size,
                ),
            )

    @overload
    async def recv(self, count: int = 65536, flags: int = MSG.NONE) -> bytes: ...

    @overload
    async def recv(self, count: Pointer[bytes], flags: int = MSG.NONE) -> Pointer[bytes]: ...

    async def recv(
        self, count: int | Pointer[bytes] = 65536, flags: int = MSG.NONE
    ) -> bytes | Pointer[bytes]:
        """Receive up to ``count`` bytes; b"" is the end of a stream. ``recv(2)``.

        With a pointer: consumes it, and returns the part that was filled; the rest is freed.
        """
        into, size = (count, None) if isinstance(count, Pointer) else (None, count)
        with room(self.task, BYTES, into, size) as there:
            got = await self._recv(there.address, there.size, flags, None, None)
            return there.result(min(got, there.size))

    @overload
    async def recvfrom(
        self, count: int = 65536, flags: int = MSG.NONE
    ) -> tuple[bytes, Sockaddr | None]: ...

    @overload
    async def recvfrom(
        self, count: Pointer[bytes], flags: int = MSG.NONE
    ) -> tuple[Pointer[bytes], Sockaddr | None]: ...

    async def recvfrom(
        self, count: int | Pointer[bytes] = 65536, flags: int = MSG.NONE
    ) -> tuple[bytes | Pointer[bytes], Sockaddr | None]:
        """Receive up to ``count`` bytes and the sender's name, where it has one. ``recvfrom(2)``.

        With a pointer: consumes it, and returns the part that was filled; the rest is freed.
        """
        into, size = (count, None) if isinstance(count, Pointer) else (None, count)
        with (
            room(self.task, BYTES, into, size) as there,
            self.task.transient(SOCKADDR_MAX) as name,
            self.task.transient(SOCKADDR_MAX.to_bytes(LENGTH, "little")) as length,
        ):
            got = await self._recv(there.address, there.size, flags, name.address, length.address)
            sender = unpack_sockaddr(name.read(0, filled(length.read(), SOCKADDR_MAX)))
            return there.result(min(got, there.size)), sender

    async def _recv(
        self, address: Address, size: int, flags: int, name: Address | None, length: Address | None
    ) -> int:
        def attempt(near_id: ids.FileDescriptor, done: int = 0) -> Awaitable[int]:
            how = flags | self._dontwait
            at, left = address + done, size - done
            return near_net.recvfrom(self.task.sysif, near_id, at, left, how, name, length)

        got = await self._received(flags, attempt)
        if not flags & MSG.WAITALL or flags & UNLIKE_ALL or not self.task.sysif.same_thread:
            return got
        # what the kernel would do, had it been let to wait: what is there is not lost
        with suppress(OSError, FDClosedError, trio.Cancelled):
            if await self.getsockopt(SOL.SOCKET, SO.TYPE) == SOCK.STREAM:
                more = got
                while more and got < size:
                    more = await self._received(flags, partial(attempt, done=got))
                    got += more
        return got

    async def sockatmark(self) -> bool:
        """Return whether the next byte is the one behind out-of-band data. ``sockatmark(3)``."""
        return bool(await self._ioctl_int(SIOC.ATMARK))

    async def inq(self) -> int:
        """Return how many bytes there are to receive, or the next datagram has. ``SIOCINQ``."""
        return await self._ioctl_int(SIOC.INQ)

    async def outq(self) -> int:
        """Return how many bytes were sent and have not left, or are not acknowledged. ``SIOCOUTQ``.

        ``tcp(7)``, ``udp(7)``.
        """
        return await self._ioctl_int(SIOC.OUTQ)

    async def _ioctl_int(self, op: SIOC) -> int:
        data = await self.ioctl_bytes(op, bytes(LENGTH))
        return int.from_bytes(data, "little", signed=True)
