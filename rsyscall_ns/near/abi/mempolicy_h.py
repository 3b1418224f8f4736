"""``<linux/mempolicy.h>``, ``<linux/membarrier.h>``: NUMA policies and nodes, memory barriers."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, IntFlag
from typing import Final

from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["MEMBARRIER", "MPOL", "MPOL_F", "MPOL_MF", "NODES_SIZE", "NODE_BITS", "NumaPolicy"]
__all__ += ["pack_nodes", "unpack_nodes"]

NODE_BITS: Final = 1024  # as many nodes as a kernel can be configured for
NODES_SIZE: Final = NODE_BITS // 8  # bytes


class MPOL(IntEnum):
    """``MPOL_*``: from which nodes memory is taken (``set_mempolicy(2)``)."""

    DEFAULT = 0
    PREFERRED = 1
    BIND = 2
    INTERLEAVE = 3
    LOCAL = 4
    PREFERRED_MANY = 5
    WEIGHTED_INTERLEAVE = 6


class MPOL_F(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``MPOL_F_*``: what the nodes of a policy are; what ``get_mempolicy(2)`` is asked."""

    NONE = 0
    NODE = 1
    ADDR = 2
    MEMS_ALLOWED = 4
    NUMA_BALANCING = 0x2000
    RELATIVE_NODES = 0x4000
    STATIC_NODES = 0x8000


class MPOL_MF(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``MPOL_MF_*``: what happens to pages that are there already (``mbind(2)``)."""

    NONE = 0
    STRICT = 1
    MOVE = 2
    MOVE_ALL = 4


class MEMBARRIER(IntFlag):
    """``MEMBARRIER_CMD_*``; of 0 the kernel tells which there are (``membarrier(2)``)."""

    QUERY = 0
    GLOBAL = 1
    GLOBAL_EXPEDITED = 2
    REGISTER_GLOBAL_EXPEDITED = 4
    PRIVATE_EXPEDITED = 8
    REGISTER_PRIVATE_EXPEDITED = 0x10
    PRIVATE_EXPEDITED_SYNC_CORE = 0x20
    REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 0x40
    PRIVATE_EXPEDITED_RSEQ = 0x80
    REGISTER_PRIVATE_EXPEDITED_RSEQ = 0x100
    GET_REGISTRATIONS = 0x200


MODES: Final = frozenset(int(mode) for mode in MPOL)
MODE_FLAGS: Final = MPOL_F.NUMA_BALANCING | MPOL_F.RELATIVE_NODES | MPOL_F.STATIC_NODES


@value
class NumaPolicy:
    """From which nodes memory is taken. ``flags``: those of ``set_mempolicy(2)``.

    ``mode``: an int where the kernel is newer than this library.
    """

    mode: MPOL | int = MPOL.DEFAULT
    nodes: frozenset[int] = frozenset()
    flags: MPOL_F = MPOL_F.NONE

    def word(self) -> int:
        """Return mode and flags as the kernel takes them."""
        return fit("mode", self.mode, 0, 2**31 - 1) | (self.flags & MODE_FLAGS)

    @classmethod
    def of(cls, word: int, nodes: bytes) -> NumaPolicy:
        """Return what the kernel has told."""
        mode = word & ~int(MODE_FLAGS)
        known = MPOL(mode) if mode in MODES else mode
        return cls(known, unpack_nodes(nodes), MPOL_F(word & MODE_FLAGS))


def pack_nodes(nodes: Iterable[int]) -> bytes:
    """Return a mask of ``NODE_BITS`` bits; another node raises ArgumentRangeError."""
    mask = 0
    for node in nodes:
        mask |= 1 << fit("node", node, 0, NODE_BITS - 1)
    return mask.to_bytes(NODES_SIZE, "little")


def unpack_nodes(mask: bytes) -> frozenset[int]:
    """Return the nodes of a mask, of whatever length."""
    bits = int.from_bytes(mask, "little")
    return frozenset(node for node in range(bits.bit_length()) if bits >> node & 1)
