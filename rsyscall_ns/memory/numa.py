"""A NUMA policy, as memory."""

from __future__ import annotations

from typing import Final, final

from rsyscall_ns.near.abi.mempolicy_h import NODES_SIZE, NumaPolicy, pack_nodes
from rsyscall_ns.near.errors import SerializerError

from .serializers import Serializer

__all__ = ["MODE_SIZE", "NUMA_POLICY"]

MODE_SIZE: Final = 8  # an int, and nothing up to the mask


@final
class NumaPolicySerializer:
    """Mode and flags as an int, at byte 8 a mask of 1024 nodes."""

    size = MODE_SIZE + NODES_SIZE

    def to_bytes(self, value: NumaPolicy) -> bytes:
        """Return all 136 bytes; what is no node is refused."""
        return value.word().to_bytes(MODE_SIZE, "little") + pack_nodes(value.nodes)

    def from_bytes(self, data: bytes) -> NumaPolicy:
        """Return the policy, which must be neither shorter nor longer."""
        if len(data) != self.size:
            raise SerializerError("a NUMA policy", self.size, len(data))
        mode = int.from_bytes(data[: MODE_SIZE // 2], "little")
        return NumaPolicy.of(mode, data[MODE_SIZE:])


NUMA_POLICY: Serializer[NumaPolicy] = NumaPolicySerializer()
