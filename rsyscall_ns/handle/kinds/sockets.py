"""SocketFD: an fd that is a socket."""

from __future__ import annotations

import select
from collections.abc import Awaitable, Callable
from errno import EBADF, EINPROGRESS, ENOTSOCK
from typing import ClassVar, final

from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.handle.fd_errors import FDKindError
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.socket_h import (
    MSG,
    SHUT,
    SO,
    SOCK,
    SOCKADDR_MAX,
    SOL,
    Sockaddr,
    unpack_sockaddr,
)
from rsyscall_ns.near.calls import net as near
from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

__all__ = ["SocketFD"]

NameCall = Callable[[SyscallInterface, ids.FileDescriptor, Address, Address], Awaitable[None]]
NULL = Address(0)
LENGTH = 4  # bytes of a socklen_t


@final
class SocketFD(FileDescriptor):
    """A socket."""

    __slots__ = ()
    kind: ClassVar[str] = "socket"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a socket."""
        with fd.borrow() as near_id, fd.task.transient(_with_length(bytes(LENGTH))) as buffer:
            try:
                await near.getsockopt(
                    fd.task.sysif, near_id, SOL.SOCKET, SO.TYPE, buffer + LENGTH, buffer.address
                )
            except OSError as error:
                if error.errno not in {ENOTSOCK, EBADF}:  # EBADF: opened with O_PATH
                    raise
                raise FDKindError(fd, cls.__name__, "it is no socket") from error

    async def bind(self, address: Sockaddr) -> None:
        """Give the socket its own name. ``bind(2)``."""
        data = address.pack()
        with self.task.transient(data) as buffer, self.borrow() as near_id:
            await near.bind(self.task.sysif, near_id, buffer.address, len(data))

    async def listen(self, backlog: int = 128) -> None:
        """Accept connections from now on. ``listen(2)``."""
        with self.borrow() as near_id:
            await near.listen(self.task.sysif, near_id, fit("backlog", backlog, 0, 2**31 - 1))

    async def accept(self, flags: int = 0) -> tuple[SocketFD, Sockaddr | None]:
        """Wait for a connection; returns its socket (close-on-exec) and the peer's name.

        ``accept4(2)``.
        """
        await self.task.sweep()
        with self.task.transient(_with_length(bytes(SOCKADDR_MAX))) as buffer:

            async def attempt(near_id: ids.FileDescriptor) -> int:
                name, size = (buffer + LENGTH).value, buffer.address.value
                how = fit("flags", flags, 0, 2**31 - 1) | SOCK.CLOEXEC
                return await self.nonblocking_call(near_id, SYS.accept4, name, size, how)

            made = await self.without_blocking(select.POLLIN, attempt)
            return SocketFD(self.task, ids.FileDescriptor(made)), _sockaddr(buffer.read())

    async def connect(self, address: Sockaddr) -> None:
        """Connect to a peer. ``connect(2)``."""
        data = address.pack()
        task = self.task
        with task.transient(data) as buffer:
            try:
                with self.borrow() as near_id:
                    address_at = buffer.address.value
                    await self.nonblocking_call(near_id, SYS.connect, address_at, len(data))
            except BlockingIOError as error:
                if error.errno != EINPROGRESS or not task.sysif.same_thread:
                    raise
            else:
                return
        await task.sysif.wait_ready(self.near.number, select.POLLOUT)
        failure = await self.getsockopt(SOL.SOCKET, SO.ERROR)
        if failure:
            raise kernel_error(failure, "connect", task.sysif)

    @property
    def _dontwait(self) -> int:
        return MSG.DONTWAIT if self.task.sysif.same_thread else 0

    async def getsockname(self) -> Sockaddr | None:
        """Return the socket's own name, None for an unnamed one. ``getsockname(2)``."""
        return await self._name(near.getsockname)

    async def getpeername(self) -> Sockaddr | None:
        """Return the peer's name. ``getpeername(2)``."""
        return await self._name(near.getpeername)

    async def _name(self, call: NameCall) -> Sockaddr | None:
        with (
            self.task.transient(_with_length(bytes(SOCKADDR_MAX))) as buffer,
            self.borrow() as near_id,
        ):
            await call(self.task.sysif, near_id, buffer + LENGTH, buffer.address)
            return _sockaddr(buffer.read())

    async def shutdown(self, how: SHUT) -> None:
        """End one direction, or both. ``shutdown(2)``."""
        with self.borrow() as near_id:
            await near.shutdown(self.task.sysif, near_id, how)

    async def send(self, data: bytes, flags: int = MSG.NONE) -> int:
        """Send bytes; returns how many were taken. No SIGPIPE is raised. ``send(2)``."""
        quiet = flags | MSG.NOSIGNAL | self._dontwait
        with self.task.transient(bytes(data)) as buffer:
            return await self.without_blocking(
                select.POLLOUT,
                lambda near_id: near.sendto(
                    self.task.sysif, near_id, buffer.address, len(data), quiet, NULL, 0
                ),
            )

    async def recv(self, count: int = 65536, flags: int = MSG.NONE) -> bytes:
        """Receive up to ``count`` bytes; b"" is the end of a stream. ``recv(2)``."""
        with self.task.transient(count) as buffer:
            got = await self.without_blocking(
                select.POLLIN,
                lambda near_id: near.recvfrom(
                    self.task.sysif,
                    near_id,
                    buffer.address,
                    count,
                    flags | self._dontwait,
                    NULL,
                    NULL,
                ),
            )
            return buffer.read(0, got)

    async def getsockopt(self, level: int, name: int) -> int:
        """Return an int option. ``getsockopt(2)``."""
        with (
            self.task.transient(_with_length(bytes(LENGTH))) as buffer,
            self.borrow() as near_id,
        ):
            await near.getsockopt(
                self.task.sysif, near_id, level, name, buffer + LENGTH, buffer.address
            )
            return int.from_bytes(buffer.read(LENGTH, 2 * LENGTH), "little", signed=True)

    async def setsockopt(self, level: int, name: int, value: int) -> None:
        """Set an int option. ``setsockopt(2)``."""
        data = fit("option", value, -(2**31), 2**31 - 1).to_bytes(4, "little", signed=True)
        with self.task.transient(data) as buffer, self.borrow() as near_id:
            await near.setsockopt(self.task.sysif, near_id, level, name, buffer.address, len(data))


def _with_length(room: bytes) -> bytes:
    """Return a socklen_t that says how much room follows it, and the room."""
    return len(room).to_bytes(LENGTH, "little") + room


def _sockaddr(data: bytes) -> Sockaddr | None:
    length = int.from_bytes(data[:LENGTH], "little")
    return unpack_sockaddr(data[LENGTH : LENGTH + length])
