"""OptionSocket: the options of a socket, by the type of their values."""

from __future__ import annotations

from errno import ERANGE
from typing import Any, Final, TypeVar, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.layout import CStruct
from rsyscall_ns.near.abi.socket_h import SOL
from rsyscall_ns.near.abi.sockopt_h import SO, SockFprog
from rsyscall_ns.near.calls import net as near_net
from rsyscall_ns.near.errors import RsyscallError, SerializerError
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.strings import c_string

from .pidfd import PidFD

__all__ = ["OptionSocket", "SocketOptionError"]

T = TypeVar("T")
LENGTH: Final = 4  # bytes of a socklen_t, of an int, of a gid_t
ROOM: Final = 256  # bytes at first, where nobody says how many there will be
FILTER: Final = 8  # bytes of a struct sock_filter
MOST_FILTERS: Final = 4096  # BPF_MAXINSNS


class SocketOptionError(RsyscallError, ValueError):
    """An option was asked for as something that it is not."""

    def __init__(self, name: int, why: str) -> None:
        super().__init__(f"option {name!r} {why}")


class OptionSocket(FileDescriptor):
    """What has options; the lowest layer of ``SocketFD``."""

    __slots__ = ()

    @overload
    async def getsockopt(self, level: int, name: int) -> int: ...

    @overload
    async def getsockopt(
        self, level: int, name: int, kind: type[T], size: int | None = None
    ) -> T: ...

    @overload
    async def getsockopt(self, level: int, name: int, *, into: Pointer[T]) -> Pointer[T]: ...

    @trio.lowlevel.enable_ki_protection
    async def getsockopt(
        self,
        level: int,
        name: int,
        kind: type[Any] = int,
        size: int | None = None,
        *,
        into: Pointer[Any] | None = None,
    ) -> Any:
        """Return an option as what it is: an int unless ``kind`` says otherwise. ``getsockopt(2)``.

        ``kind``: int, bytes, str, the class of a struct (what the kernel does not fill is 0), or
        PidFD, whose handle the caller closes. ``size``: how many bytes there is room for; by
        default as many as there are. With ``into``: consumes it, and returns the part that was
        filled; the rest is freed.
        """
        made_fd = level == SOL.SOCKET and name == SO.PEERPIDFD
        if made_fd != (kind is PidFD) or (made_fd and into is not None):
            why = "is an fd: ask for it as PidFD" if made_fd else "is no fd"
            raise SocketOptionError(name, why)
        if into is not None:
            with (
                self.task.transient(into.size().to_bytes(LENGTH, "little")) as length,
                room(self.task, into.serializer, into) as there,
            ):
                await self._getsockopt(level, name, there.address, length.address)
                return there.result(min(_int(length.read()), there.size))
        if made_fd:
            await self.task.sweep()
            number = _int(await self._option(level, name, LENGTH))
            return PidFD(self.task, ids.FileDescriptor(number))
        return await self._value(level, name, kind, size)

    async def _value(self, level: int, name: int, kind: type[Any], size: int | None) -> object:
        if issubclass(kind, CStruct):
            need = kind.sizeof()
            return kind.unpack((await self._option(level, name, need)).ljust(need, b"\0"))
        if issubclass(kind, int):
            data = await self._option(level, name, LENGTH if size is None else size)
            return kind(int.from_bytes(data, "little", signed=len(data) <= LENGTH))
        data = await self._option(level, name, size, ROOM)
        if issubclass(kind, str):
            return data.split(b"\0", 1)[0].decode(errors="surrogateescape")
        if issubclass(kind, bytes):
            return data
        raise SocketOptionError(name, f"can't be had as {kind.__name__}")

    async def _option(self, level: int, name: int, size: int | None, first: int = LENGTH) -> bytes:
        """Return the bytes of an option; ``size`` None: of one that may be of any size."""
        wanted = first if size is None else size
        while True:
            content = fit("size", wanted, 0, 2**31 - 1).to_bytes(LENGTH, "little")
            with self.task.transient(content) as length, self.task.transient(wanted) as buffer:
                try:
                    await self._getsockopt(level, name, buffer.address, length.address)
                except OSError as error:
                    needed = _int(length.read())
                    if error.errno != ERANGE or size is not None or needed <= wanted:
                        raise
                    wanted = needed
                else:
                    return buffer.read(0, _int(length.read()))

    async def _getsockopt(self, level: int, name: int, value: Address, length: Address) -> None:
        with self.borrow() as near_id:
            await near_net.getsockopt(self.task.sysif, near_id, level, name, value, length)

    async def setsockopt(
        self, level: int, name: int, value: int | str | bytes | CStruct | Pointer[Any]
    ) -> None:
        """Set an option: an int, a string, bytes, a struct, or what a pointer owns.

        ``setsockopt(2)``.
        """
        if isinstance(value, int):
            fit("option", value, -(2**31), 2**31 - 1)
            value = value.to_bytes(LENGTH, "little", signed=True)
        elif isinstance(value, str):
            value = c_string(value)
        with given(self.task, value) as there, self.borrow() as near_id:
            await near_net.setsockopt(
                self.task.sysif, near_id, level, name, there.address, there.size
            )

    async def attach_filter(
        self, program: bytes | Pointer[bytes], name: SO = SO.ATTACH_FILTER
    ) -> None:
        """Let a classic BPF program, of ``struct sock_filter``, decide what is received.

        ``name``: or ``SO.ATTACH_REUSEPORT_CBPF``. ``socket(7)``, SO_ATTACH_FILTER.
        """
        with given(self.task, program) as filters:
            count, odd = divmod(filters.size, FILTER)
            if odd:
                raise SerializerError("a program of struct sock_filter", FILTER * count, odd)
            fit("length of the program", count, 1, MOST_FILTERS)
            assert filters.address is not None, "a program is never None"
            await self.setsockopt(SOL.SOCKET, name, SockFprog(count, filters.address.value))

    async def peer_groups(self) -> list[int]:
        """Return the supplementary groups of the peer. ``unix(7)``, SO_PEERGROUPS."""
        data = await self._option(SOL.SOCKET, SO.PEERGROUPS, None, ROOM)
        return [_int(data[at : at + LENGTH]) for at in range(0, len(data), LENGTH)]


def _int(data: bytes) -> int:
    return int.from_bytes(data[:LENGTH], "little")
