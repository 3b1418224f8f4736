"""Children made by the bare ``task.clone``, on stacks that the test makes."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, final

from rsyscall_ns import (
    CLONE,
    SIG,
    STACK,
    SYS,
    Pointer,
    Stack,
    Task,
    ThreadProcess,
    WrittenPointer,
)
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.ffi import RING_SIZE, lib
from rsyscall_ns.near.ids import Address
from rsyscall_ns.tasks.block import STACK_SIZE, ServerBlock
from rsyscall_ns.tasks.readiness import ChildReadiness
from rsyscall_ns.transport.doorbell import doorbell_pair
from rsyscall_ns.transport.ring import RingInterface

__all__ = ["ServedBlock", "SplitBlock", "StackPair", "make_stack", "parking_child"]

StackPair = tuple[Pointer[Stack], WrittenPointer[Stack]]
SIZE = 8192
NO_FLAGS = CLONE(0)


async def make_stack(
    task: Task, *, function: int = 0, argument: int = 0, shift: int = 0
) -> StackPair:
    """Return a stack and its data, which begins ``shift`` bytes behind a multiple of 16."""
    start = task.arena.allocate(SIZE, 16)
    whole = Pointer(task.arena, task.address_space, start, SIZE, BYTES)
    bottom, top = whole.split(SIZE - 64 + shift)
    # a child that is not stopped by anything else dies by jumping to address 0
    data = await top.as_type(STACK).write(Stack(Address(function), Address(argument)))
    return bottom.as_type(STACK), data


@final
class SplitBlock:
    """A server's block in the parts that the bare clone takes; its server just waits."""

    def __init__(
        self, ring: Pointer[Any], stack: Pointer[Stack], data: WrittenPointer[Stack]
    ) -> None:
        self.ring = ring
        self.stack = stack
        self.data = data

    @classmethod
    async def make(
        cls, task: Task, doorbell: int = -1, setup: int = lib.RS_SETUP_HANDLERS
    ) -> SplitBlock:
        """Allocate and prepare one; without a doorbell its server can't tell anybody."""
        block = ServerBlock(task, task.arena)
        block.prepare(setup=setup, doorbell=doorbell, death_signal=SIG.KILL, mask=0)
        ring, rest = block.memory.split(RING_SIZE)
        stack, top = rest.split(STACK_SIZE)
        return cls(ring, stack, await top.write(block.stack_data))

    def free(self) -> None:
        """Free those parts that are still ours, and that no process holds. Idempotent."""
        for part in (self.ring, self.stack, self.data):
            if part.valid and not part.held:
                part.free()


@asynccontextmanager
async def parking_child(
    task: Task,
    flags: CLONE = NO_FLAGS,
    *,
    stack: StackPair | None = None,
    ctid: Pointer[int] | None = None,
    newtls: Pointer[Any] | None = None,
    ptid: Pointer[int] | None = None,
) -> AsyncGenerator[ThreadProcess, None]:
    """Make a child that waits for ever (or that dies at once, on a ``stack`` of its own)."""
    block = await SplitBlock.make(task)
    pair = (block.stack, block.data) if stack is None else stack
    wanted = flags | CLONE.VM | CLONE.CLEAR_SIGHAND
    try:
        process = await task.clone(wanted, pair, ptid, ctid, newtls)
    except BaseException:
        block.free()
        raise
    try:
        yield process
    finally:
        await process.end()
        block.free()


@final
class ServedBlock:
    """A child of the bare clone that serves, as ``tasks/spawn.py`` makes one."""

    def __init__(self, process: ThreadProcess, ring: RingInterface) -> None:
        self.process = process
        self.ring = ring

    @classmethod
    @asynccontextmanager
    async def spawned(
        cls,
        task: Task,
        flags: CLONE = NO_FLAGS,
        *,
        ptid: Pointer[int] | None = None,
        ctid: Pointer[int] | None = None,
        newtls: Pointer[Any] | None = None,
        clear: CLONE = CLONE.CLEAR_SIGHAND,
    ) -> AsyncGenerator[ServedBlock, None]:
        """Make one; leaving the block kills it."""
        bell, theirs = doorbell_pair()
        wanted = flags | CLONE.VM | clear
        try:
            number = await task.sysif.import_fd(theirs)
        finally:
            os.close(theirs)
        block = await SplitBlock.make(task, number)
        process = await task.clone(wanted, (block.stack, block.data), ptid, ctid, newtls)
        await task.sysif.call(SYS.close, number)
        readiness = process.readiness
        assert isinstance(readiness, ChildReadiness)
        ring = RingInterface(
            name=f"child {process.near.id}",
            address=block.ring.near.value,
            doorbell=bell,
            server_doorbell=number,
            pidfd=readiness.poll_fd,
            hub=task.hub,
            scratch=task.arena,
        )
        try:
            yield cls(process, ring)
        finally:
            await process.end()
            ring.close()
            block.free()
