"""The numbers of two fds that one call makes (``pipe(2)``, ``socketpair(2)``)."""

from __future__ import annotations

import struct
from typing import Final, final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit

from .serializers import Serializer

__all__ = ["FD_PAIR", "FDPair"]

FDPair = tuple[int, int]
PAIR: Final = struct.Struct("<ii")
LARGEST: Final = 2**31 - 1


@final
class FDPairSerializer:
    """A C ``int[2]``."""

    size = PAIR.size

    def to_bytes(self, value: FDPair) -> bytes:
        """Return all eight bytes; what is no int is refused."""
        first, second = (fit("fd", one, -LARGEST - 1, LARGEST) for one in value)
        return PAIR.pack(first, second)

    def from_bytes(self, data: bytes) -> FDPair:
        """Return both numbers, of neither more nor fewer bytes."""
        if len(data) != PAIR.size:
            raise SerializerError("int[2]", PAIR.size, len(data))
        first, second = PAIR.unpack(data)
        return first, second


FD_PAIR: Serializer[FDPair] = FDPairSerializer()
