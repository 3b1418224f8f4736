"""A server's block: its ring, its stack, and what starts it there."""

from __future__ import annotations

from typing import final

from rsyscall_ns.handle.context import MemoryTask
from rsyscall_ns.handle.pointer import Pointer, WrittenPointer
from rsyscall_ns.memory.serializers import BYTES, STACK, Stack
from rsyscall_ns.near.ffi import BLOCK_SIZE, RING_SIZE, lib, ring_at
from rsyscall_ns.near.ids import Address
from rsyscall_ns.transport.ring import SERVER_SPIN, spins

__all__ = ["ServerBlock"]


@final
class ServerBlock:
    """32 KiB at a multiple of 32 KiB: the ring at the bottom, stack and stack data at the top.

    The server finds its ring from its stack pointer, so they stay together.
    """

    __slots__ = ("data", "ring", "stack")

    def __init__(
        self, ring: Pointer[bytes], stack: Pointer[Stack], data: WrittenPointer[Stack]
    ) -> None:
        self.ring = ring
        self.stack = stack
        self.data = data

    @classmethod
    def make(cls, task: MemoryTask) -> ServerBlock:
        """Allocate one from the task's arena; ``free`` it, or hand the parts to a process."""
        arena, space = task.arena, task.address_space
        bottom = arena.allocate(BLOCK_SIZE, BLOCK_SIZE)
        middle, top = bottom + RING_SIZE, bottom + BLOCK_SIZE - STACK.size
        ring = Pointer(arena, space, bottom, RING_SIZE, BYTES)
        stack = Pointer(arena, space, middle, top - middle, STACK)
        start = Stack(Address(lib.rs_entry_point()), Address(bottom))
        data = WrittenPointer(arena, space, top, STACK.size, STACK, start)
        data.poke(start)
        return cls(ring, stack, data)

    def prepare(
        self, *, setup: int, doorbell: int, client_doorbell: int, death_signal: int, mask: int
    ) -> None:
        """Write what the server needs to know before it starts."""
        lib.rs_ring_prepare(
            ring_at(self.ring.near.value),
            setup,
            doorbell,
            client_doorbell,
            death_signal,
            mask,
            spins(SERVER_SPIN),
        )

    def free(self) -> None:
        """Free those parts that are still ours. Idempotent."""
        for part in (self.ring, self.stack, self.data):
            if part.valid:
                part.let_go()
                part.free()
