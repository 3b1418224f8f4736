"""A set of signals, as memory."""

from __future__ import annotations

from typing import final

from rsyscall_ns.near.abi.signal_h import SIGSET_SIZE, pack_sigset, unpack_sigset

from .serializers import Serializer

__all__ = ["SIGSET"]


@final
class SigsetSerializer:
    """The kernel's ``sigset_t``."""

    size = SIGSET_SIZE

    def to_bytes(self, value: frozenset[int]) -> bytes:
        """Return all eight bytes; what is no signal is refused."""
        return pack_sigset(value)

    def from_bytes(self, data: bytes) -> frozenset[int]:
        """Return the signals in the set, which must be neither shorter nor longer."""
        return unpack_sigset(data)


SIGSET: Serializer[frozenset[int]] = SigsetSerializer()
