"""How sockets' names become bytes and bytes become names."""

from __future__ import annotations

from typing import Final, final

from rsyscall_ns.near.abi.sockaddr_h import Sockaddr, unpack_sockaddr

from .serializers import Serializer

__all__ = ["SOCKADDR", "SockName"]

SockName = Sockaddr | None  # None: the socket has none


@final
class SockaddrSerializer:
    """A ``struct sockaddr`` of any family; of a pointer all bytes belong to it."""

    size = 0

    def to_bytes(self, value: SockName) -> bytes:
        """Return the struct; no bytes for None."""
        return b"" if value is None else value.pack()

    def from_bytes(self, data: bytes) -> SockName:
        """Return the name, None if there is none."""
        return unpack_sockaddr(data)


SOCKADDR: Final[Serializer[SockName]] = SockaddrSerializer()
