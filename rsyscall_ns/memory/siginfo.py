"""What a signal brings along, as memory: its form follows from what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from rsyscall_ns.near.abi.siginfo_h import SIGINFO_T_SIZE, AnySiginfo, siginfo_of
from rsyscall_ns.near.errors import SerializerError

from .serializers import Serializer

__all__ = ["SIGINFO_T", "SIGINFO_TS"]


@final
class SiginfoTSerializer:
    """``siginfo_t`` in any of its forms."""

    size = SIGINFO_T_SIZE

    def to_bytes(self, value: AnySiginfo) -> bytes:
        """Return all 128 bytes."""
        return value.pack()

    def from_bytes(self, data: bytes) -> AnySiginfo:
        """Return the form that signal and code say it has."""
        return siginfo_of(data)


@final
class SiginfoTsSerializer:
    """Several of them, one behind the other."""

    size = 0

    def to_bytes(self, value: Sequence[AnySiginfo]) -> bytes:
        """Return 128 bytes for each."""
        return b"".join(one.pack() for one in value)

    def from_bytes(self, data: bytes) -> Sequence[AnySiginfo]:
        """Return each in its form; half a one at the end is refused."""
        if len(data) % SIGINFO_T_SIZE:
            whole = -(-len(data) // SIGINFO_T_SIZE) * SIGINFO_T_SIZE
            raise SerializerError("an array of siginfo_t", whole, len(data))
        steps = range(0, len(data), SIGINFO_T_SIZE)
        return [siginfo_of(data[at : at + SIGINFO_T_SIZE]) for at in steps]


SIGINFO_T: Serializer[AnySiginfo] = SiginfoTSerializer()
SIGINFO_TS: Serializer[Sequence[AnySiginfo]] = SiginfoTsSerializer()
