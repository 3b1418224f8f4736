"""Where a program lies while it is carried out.

Owns the layout of a program's block: steps, results, replies, payloads. The block is in memory
that the process sees too; whoever implements :class:`ScratchMemory` decides where that is.
"""

from __future__ import annotations

import struct
from typing import Protocol

from rsyscall_ns.near.program import OP, Program, Results

__all__ = ["ScratchMemory", "block_size", "place", "unpack"]

WORD = struct.Struct("<Q")
THIRD_ARGUMENT = 24


class ScratchMemory(Protocol):
    """Memory for a short time, at the same address here and in the process."""

    def take(self, size: int) -> int:
        """Allocate ``size`` bytes; returns the address, which ``give_back`` releases."""
        ...

    def give_back(self, address: int, size: int) -> None:
        """Release what ``take`` gave."""
        ...

    def view(self, address: int, size: int) -> memoryview:
        """Return the bytes at an address."""
        ...

    def hold_back(self) -> None:
        """Release nothing until ``let_go``: somebody may still write into what is given back."""
        ...

    def let_go(self) -> None:
        """End what one ``hold_back`` began."""
        ...


def aligned(offset: int) -> int:
    """Return the next multiple of a word."""
    return -(-offset // WORD.size) * WORD.size


def block_size(program: Program) -> int:
    """Return how many bytes a program's block takes."""
    size = len(program) * (OP.size + WORD.size)
    for _, length in program.reads:
        size += length
    for _, data in program.payloads:
        size += len(data)
    if program.regions:
        size = aligned(size)
        for content in program.regions.values():
            size += aligned(len(content) + 1)
    return max(size, WORD.size)


def place(program: Program, view: memoryview, base: int) -> int:
    """Write a program into its block at address ``base``; returns the address of the results."""
    steps = len(program.ops)
    view[:steps] = program.ops
    offset = steps + len(program) * WORD.size
    for step, length in program.reads:
        WORD.pack_into(view, step * OP.size + THIRD_ARGUMENT, base + offset)
        offset += length
    for step, data in program.payloads:
        WORD.pack_into(view, step * OP.size + THIRD_ARGUMENT, base + offset)
        view[offset : offset + len(data)] = data
        offset += len(data)
    if program.regions:
        starts: dict[int, int] = {}
        offset = aligned(offset)
        for key, content in program.regions.items():
            starts[key] = base + offset
            room = aligned(len(content) + 1)
            view[offset : offset + room] = content.ljust(room, b"\0")
            offset += room
        for at, region in program.places:
            WORD.pack_into(view, at, starts[region.key] + region.offset)
        for where, to in program.links:
            at = starts[where.key] - base + where.offset
            WORD.pack_into(view, at, starts[to.key] + to.offset)
    return base + steps


def unpack(
    program: Program, view: memoryview, at: int, ran: int, *, interrupted: bool = False
) -> Results:
    """Take the results of ``ran`` steps, which begin at byte ``at``, out of a block."""
    values = struct.unpack_from(f"<{ran}q", view, at)
    data: dict[int, bytes] = {}
    offset = at + len(program) * WORD.size
    for step, length in program.reads:
        if step < ran:
            data[step] = bytes(view[offset : offset + length])
        offset += length
    regions: dict[int, bytes] = {}
    if program.regions:
        offset = aligned(offset + sum(len(data) for _, data in program.payloads))
        for key, content in program.regions.items():
            regions[key] = bytes(view[offset : offset + len(content)])
            offset += aligned(len(content) + 1)
    return Results(program, values, data, regions, interrupted)
