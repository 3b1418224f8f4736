"""A server's block: its ring and its stack."""

from __future__ import annotations

from typing import Final, final

from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.memory.serializers import STACK, Stack
from rsyscall_ns.near.ffi import BLOCK_SIZE, RING_SIZE, RING_USED, lib, ring_at
from rsyscall_ns.near.ids import Address
from rsyscall_ns.transport.posting import SERVER_SPIN, spins

__all__ = ["MOST_RESULTS", "STACK_SIZE", "ServerBlock"]

WORD: Final = 8
MOST_RESULTS: Final = (RING_SIZE - RING_USED) // WORD  # behind the ring
STACK_SIZE: Final = BLOCK_SIZE - RING_SIZE - STACK.size  # bytes, without what starts it


@final
class ServerBlock:
    """16 KiB at a multiple of 16 KiB: the ring at the bottom, stack and stack data at the top.

    The server finds its ring from its stack pointer, so they stay together.
    """

    __slots__ = ("address", "arena", "memory", "results", "ring")

    def __init__(self, task: MemoryTask, arena: Arena) -> None:
        """Allocate one for a child of the task; ``free`` it, or hand ``memory`` to a process."""
        self.arena = arena
        self.address = arena.allocate(BLOCK_SIZE, BLOCK_SIZE)
        self.memory = Pointer(arena, task.address_space, self.address, BLOCK_SIZE, STACK)
        self.ring = ring_at(self.address)
        self.results = self.address + RING_USED  # room for ``MOST_RESULTS`` of a program

    @property
    def stack(self) -> int:
        """The lowest address of the stack."""
        return self.address + RING_SIZE

    @property
    def stack_data(self) -> Stack:
        """What ``prepare`` writes on top of the stack: the server, and the ring that it serves."""
        return Stack(Address(self.arena.entry), Address(self.address))

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
        entry, spin = self.arena.entry, spins(SERVER_SPIN)
        lib.rs_ring_prepare(self.ring, entry, setup, doorbell, *kept, death_signal, mask, spin)

    def free(self, holder: object = None) -> None:
        """Free it, if it is still ours; ``holder``: whose it was to be. Idempotent."""
        if self.memory.valid:
            self.memory.let_go(holder)
            self.memory.free()
