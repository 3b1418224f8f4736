"""A NUMA policy for a call to read: a value, or what lies in the caller's memory."""

from __future__ import annotations

from typing import Self, final

import trio

from rsyscall_ns.memory.numa import MODE_SIZE, NUMA_POLICY
from rsyscall_ns.near.abi.mempolicy_h import NODE_BITS, NumaPolicy, pack_nodes
from rsyscall_ns.near.ids import Address

from .context import MemoryTask
from .passing import check_size, given
from .pointer import Pointer

__all__ = ["policy_given"]

INT_SIZE = 4


@final
class policy_given:  # noqa: N801 - used as a function: ``with policy_given(task, policy) as there``
    """``mode`` with its flags, the address of the mask (None: no nodes), and its ``bits``."""

    __slots__ = ("_at", "_given", "bits", "mode", "nodes")

    nodes: Address | None

    def __init__(self, task: MemoryTask, policy: NumaPolicy | Pointer[NumaPolicy]) -> None:
        if isinstance(policy, Pointer):
            check_size(policy, NUMA_POLICY.size)
            self.mode = int.from_bytes(policy.as_bytes()[:INT_SIZE], "little")
            self._given, self._at = given(task, policy), MODE_SIZE
        else:
            self.mode = policy.word()
            self._given = given(task, pack_nodes(policy.nodes) if policy.nodes else None)
            self._at = 0
        self.nodes, self.bits = None, 0

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> Self:
        address = self._given.__enter__().address
        if address is not None:
            self.nodes, self.bits = address + self._at, NODE_BITS + 1  # the kernel takes one off
        return self

    @trio.lowlevel.enable_ki_protection
    def __exit__(self, *_: object) -> None:
        self._given.__exit__()
