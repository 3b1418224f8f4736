"""SocketFD: an fd that is a socket."""

from __future__ import annotations

import select
from collections.abc import Awaitable, Callable
from errno import EBADF, EINPROGRESS, EINTR, ENOTSOCK
from typing import ClassVar, final

from rsyscall_ns.handle.fd import FDKindError, FileDescriptor
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import F_GETFL, F_SETFL, O
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
        await self._wait_ready(select.POLLIN)
        with (
            self.task.transient(_with_length(bytes(SOCKADDR_MAX))) as buffer,
            self.borrow() as near_id,
        ):
            made = await near.accept4(
                self.task.sysif,
                near_id,
                buffer + LENGTH,
                buffer.address,
                flags | SOCK.CLOEXEC,
            )
            return SocketFD(self.task, made), _sockaddr(buffer.read())

    async def connect(self, address: Sockaddr) -> None:
        """Connect to a peer. ``connect(2)``."""
        data = address.pack()
        with self.task.transient(data) as buffer:
            if self.task.sysif.same_thread:
                await self._connect_without_blocking(buffer.address, len(data))
                return
            with self.borrow() as near_id:
                await near.connect(self.task.sysif, near_id, buffer.address, len(data))

    async def _connect_without_blocking(self, address: Address, size: int) -> None:
        flags = await self.fcntl(F_GETFL)
        await self.fcntl(F_SETFL, flags | O.NONBLOCK)
        try:
            with self.borrow() as near_id:
                await near.connect(self.task.sysif, near_id, address, size)
        except OSError as error:
            if error.errno not in {EINPROGRESS, EINTR}:
                raise
            await self._wait_ready(select.POLLOUT)
            failure = await self.getsockopt(SOL.SOCKET, SO.ERROR)
            if failure:
                raise kernel_error(failure, "connect", self.task.sysif) from None
        finally:
            await self.fcntl(F_SETFL, flags)

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
        await self._wait_ready(select.POLLOUT)
        quiet = flags | MSG.NOSIGNAL
        if self.task.sysif.same_thread:
            quiet |= MSG.DONTWAIT  # takes what there is room for
        with self.task.transient(bytes(data)) as buffer, self.borrow() as near_id:
            return await near.sendto(
                self.task.sysif, near_id, buffer.address, len(data), quiet, NULL, 0
            )

    async def recv(self, count: int = 65536, flags: int = MSG.NONE) -> bytes:
        """Receive up to ``count`` bytes; b"" is the end of a stream. ``recv(2)``."""
        await self._wait_ready(select.POLLIN)
        with self.task.transient(count) as buffer, self.borrow() as near_id:
            got = await near.recvfrom(
                self.task.sysif, near_id, buffer.address, count, flags, NULL, NULL
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
