"""NamedSocket: who a socket is, and whom it is connected to."""

from __future__ import annotations

import os
import select
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from errno import EAGAIN, EALREADY, EINPROGRESS, EISCONN
from typing import Final, Self, overload

import trio

from rsyscall_ns.handle.patience import asked_again
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.socknames import SOCKADDR, SockName
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.sockaddr_h import SOCKADDR_MAX, Sockaddr, SockaddrUn
from rsyscall_ns.near.abi.socket_h import SHUT, SOCK, SOL
from rsyscall_ns.near.abi.sockopt_h import SO
from rsyscall_ns.near.calls import net as near_net
from rsyscall_ns.near.calls.base import at
from rsyscall_ns.near.errors import PathError, kernel_error
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .socket_options import OptionSocket

__all__ = ["NamedSocket", "SocketAddress", "address_of", "checked_address", "filled"]
__all__ += ["UNDER_WAY", "full", "named"]

SocketAddress = Sockaddr | Pointer[SockName]  # of a pointer, all bytes belong to the address
NameCall = Callable[[SyscallInterface, ids.FileDescriptor, Address, Address], Awaitable[None]]
LENGTH: Final = 4  # bytes of a socklen_t
UNDER_WAY: Final = {EINPROGRESS, EALREADY}  # of a connect


class NamedSocket(OptionSocket):
    """What has a name and peers; a layer of ``SocketFD``."""

    __slots__ = ()

    async def bind(self, address: SocketAddress) -> None:
        """Give the socket its own name. ``bind(2)``.

        An error of a name that is a path has it as its filename.
        """
        with (
            named(address),
            given(self.task, checked_address(address)) as there,
            self.borrow() as near_id,
        ):
            await near_net.bind(self.task.sysif, near_id, there.address, there.size)

    async def listen(self, backlog: int = 128) -> None:
        """Accept connections from now on. ``listen(2)``."""
        with self.borrow() as near_id:
            await near_net.listen(self.task.sysif, near_id, fit("backlog", backlog, 0, 2**31 - 1))

    @overload
    async def accept(self, flags: int = 0) -> tuple[Self, Sockaddr | None]: ...

    @overload
    async def accept(
        self, flags: int = 0, *, into: Pointer[SockName]
    ) -> tuple[Self, Pointer[SockName]]: ...

    @trio.lowlevel.enable_ki_protection
    async def accept(
        self, flags: int = 0, *, into: Pointer[SockName] | None = None
    ) -> tuple[Self, Sockaddr | Pointer[SockName] | None]:
        """Wait for a connection; returns its socket (close-on-exec) and the peer's name.

        With ``into``: consumes it, and returns the part that the name was written to, or what
        there was room for; the rest is freed. ``accept4(2)``.
        """
        await self.task.sweep()
        how = fit("flags", flags, 0, 2**31 - 1) | SOCK.CLOEXEC
        with (
            room(self.task, SOCKADDR, into, SOCKADDR_MAX if into is None else None) as there,
            self.task.transient(there.size.to_bytes(LENGTH, "little")) as length,
        ):

            async def attempt(near_id: ids.FileDescriptor) -> int:
                name, size = there.address.value, length.address.value
                return await self.nonblocking_call(near_id, SYS.accept4, name, size, how)

            made = await self.without_blocking(select.POLLIN, attempt)
            socket = type(self)(self.task, ids.FileDescriptor(made))
            return socket, there.result(filled(length.read(), there.size))

    async def connect(self, address: SocketAddress) -> None:
        """Connect to a peer. ``connect(2)``.

        One that was cancelled while it was under way goes on: connect again to wait for it. In
        the interpreter's own task, a stream socket of AF_UNIX asks again and again while the
        peer's backlog is full. An error of a name that is a path has it as its filename.
        """
        task = self.task
        with named(address), given(task, checked_address(address)) as there:

            async def attempt() -> None:
                with self.borrow() as near_id:
                    await self.nonblocking_call(near_id, SYS.connect, at(there.address), there.size)

            try:
                if task.sysif.same_thread:
                    await asked_again(attempt, full(address))
                else:
                    await attempt()
            except BlockingIOError as error:
                if error.errno not in UNDER_WAY or not task.sysif.same_thread:
                    raise
            else:
                return
            await task.sysif.wait_ready(self.near.number, select.POLLOUT)
            failure = await self.getsockopt(SOL.SOCKET, SO.ERROR)
            if failure:
                raise kernel_error(failure, "connect", task.sysif)
            await told(attempt)

    @overload
    async def getsockname(self) -> Sockaddr | None: ...

    @overload
    async def getsockname(self, *, into: Pointer[SockName]) -> Pointer[SockName]: ...

    async def getsockname(
        self, *, into: Pointer[SockName] | None = None
    ) -> Sockaddr | Pointer[SockName] | None:
        """Return the socket's own name, None for an unnamed one. ``getsockname(2)``.

        With ``into``: consumes it, and returns the part that was filled; the rest is freed.
        """
        return await self._name(near_net.getsockname, into)

    @overload
    async def getpeername(self) -> Sockaddr | None: ...

    @overload
    async def getpeername(self, *, into: Pointer[SockName]) -> Pointer[SockName]: ...

    async def getpeername(
        self, *, into: Pointer[SockName] | None = None
    ) -> Sockaddr | Pointer[SockName] | None:
        """Return the peer's name, None for an unnamed one. ``getpeername(2)``.

        With ``into``: consumes it, and returns the part that was filled; the rest is freed.
        """
        return await self._name(near_net.getpeername, into)

    async def _name(
        self, call: NameCall, into: Pointer[SockName] | None
    ) -> Sockaddr | Pointer[SockName] | None:
        with (
            room(self.task, SOCKADDR, into, SOCKADDR_MAX if into is None else None) as there,
            self.task.transient(there.size.to_bytes(LENGTH, "little")) as length,
            self.borrow() as near_id,
        ):
            await call(self.task.sysif, near_id, there.address, length.address)
            return there.result(filled(length.read(), there.size))

    async def shutdown(self, how: SHUT) -> None:
        """End one direction, or both. ``shutdown(2)``."""
        with self.borrow() as near_id:
            await near_net.shutdown(self.task.sysif, near_id, how)


def full(address: SocketAddress) -> set[int]:
    """Return the errno of a connect for which the peer's queue has no room, if it can be that."""
    return {EAGAIN} if isinstance(address_of(address), SockaddrUn) else set()


def filled(length: bytes, size: int) -> int:
    """Return how much of a name there is: the kernel says how long it is, cut off or not."""
    return min(int.from_bytes(length, "little"), size)


def address_of(address: SocketAddress | None) -> Sockaddr | None:
    """Return the value of what is given as an address."""
    return address.peek() if isinstance(address, Pointer) else address


def checked_address(address: SocketAddress) -> bytes | Pointer[SockName]:
    """Return what a call is given; an abstract name in the caller's memory is refused too."""
    if not isinstance(address, Pointer):
        return address.pack()
    value = address.peek()
    if value is None:
        raise PathError(address, "holds no address of a socket: write one first")
    if isinstance(value, SockaddrUn):
        value.pack()
    return address


@contextmanager
def named(address: SocketAddress) -> Generator[None]:
    """Give an OSError that leaves the block the path of the address as its filename."""
    try:
        yield
    except OSError as error:
        value = address_of(address)
        if isinstance(value, SockaddrUn) and error.filename is None:
            error.filename = os.fsdecode(value.path)
        raise


async def told(attempt: Callable[[], Awaitable[None]]) -> None:
    """Let the kernel note that the socket is connected.

    TCP takes it as under way until it is asked once more, and would not refuse another connect.
    """
    try:
        await attempt()
    except OSError as error:
        if error.errno != EISCONN:
            raise
