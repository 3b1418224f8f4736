"""A server's block: its ring and its stack."""

from __future__ import annotations

from typing import Final, final

from rsyscall_ns.handle.context import MemoryTask
from rsyscall_ns.handle.pointer import Pointer
from rsyscall_ns.memory.serializers import STACK, Stack
from rsyscall_ns.near.ffi import BLOCK_SIZE, RING_SIZE, lib, ring_at
from rsyscall_ns.near.ids import Address
from rsyscall_ns.transport.posting import SERVER_SPIN, spins

__all__ = ["STACK_SIZE", "ServerBlock"]

STACK_SIZE: Final = BLOCK_SIZE - RING_SIZE - STACK.size  # bytes, without what starts it


@final
class ServerBlock:
    """32 KiB at a multiple of 32 KiB: the ring at the bottom, stack and stack data at the top.

    The server finds its ring from its stack pointer, so they stay together.
    """

    __slots__ = ("address", "memory", "ring")

    def __init__(self, task: MemoryTask) -> None:
        """Allocate one from the task's arena; ``free`` it, or hand ``memory`` to a process."""
        self.address = task.arena.allocate(BLOCK_SIZE, BLOCK_SIZE)
        self.memory = Pointer(task.arena, task.address_space, self.address, BLOCK_SIZE, STACK)
        self.ring = ring_at(self.address)

    @property
    def stack(self) -> int:
        """The lowest address of the stack."""
        return self.address + RING_SIZE

    @property
    def stack_data(self) -> Stack:
        """What ``prepare`` writes on top of the stack: the server, and the ring that it serves."""
        return Stack(Address(lib.rs_entry_point()), Address(self.address))

    def prepare(
        self,
        *,
        setup: int,
        doorbell: int,
        death_signal: int,
        mask: int,
        kept: tuple[int, int] = (0, 0),
    ) -> None:
        """Write what the server needs to know before it starts.

        ``kept``: address and length of the list of fds that a server with an fd table of its own
        keeps, which is to stay there until it serves; (0, 0) is the doorbell alone.
        """
        lib.rs_ring_prepare(
            self.ring, setup, doorbell, *kept, death_signal, mask, spins(SERVER_SPIN)
        )

    def free(self) -> None:
        """Free it, if it is still ours. Idempotent."""
        if self.memory.valid:
            self.memory.let_go()
            self.memory.free()
