"""Ring: an io_uring whose queues the interpreter maps, whoever's the io_uring is.

Owns what is in flight, and the memory that it uses. The entries of a task that is
elsewhere lie in memory that only the kernel and we see; that task tells the kernel of them. So
nothing here may be of a kind where the kernel looks without being told (``SQPOLL``), or where it
tells nobody who polls that there is something to complete (``DEFER_TASKRUN``).
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from typing import Any, Final, final

import attrs
import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.io_uring import IoUringFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.pointer import Pointer, PointerInUseError
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.io_uring_h import (
    IORING_ASYNC_CANCEL,
    IORING_CQE_F,
    IORING_ENTER,
    IORING_OP,
    IORING_SETUP,
    IOSQE,
)
from rsyscall_ns.near.abi.io_uring_structs import IoUringCqe, IoUringParams
from rsyscall_ns.near.errors import TaskLostError, kernel_error
from rsyscall_ns.transport.pace import pace

from .operation import Completion, Operation
from .ring_errors import RingClosedError, RingFlagsError, RingFullError, RingNumberError
from .ring_queues import RingQueues

__all__ = ["Ring"]

SETUP: Final = IORING_SETUP
USABLE: Final = (
    SETUP.CQSIZE
    | SETUP.CLAMP
    | SETUP.R_DISABLED
    | SETUP.SUBMIT_ALL
    | SETUP.COOP_TASKRUN
    | SETUP.TASKRUN_FLAG
    | SETUP.SINGLE_ISSUER
)


@final
class Ring:
    """``async with task.io_uring.ring(entries) as ring``; ``ring.fd`` is for registrations."""

    __slots__ = (
        "_awaited",
        "_closed",
        "_closing",
        "_done",
        "_flight",
        "_here",
        "_last",
        "_lent",
        "_own",
        "_queues",
        "_submitting",
        "_task",
        "_turn",
        "fd",
        "params",
    )

    def __init__(self, task: MemoryTask, fd: IoUringFD, params: IoUringParams, here: int) -> None:
        """Map the queues. ``here``: the fd's number in this interpreter; owned by the ring then."""
        self._task = task
        self.fd = fd
        self.params = params
        self._here = -1  # until nothing can fail any more
        self._last = 0
        self._flight: dict[int, Operation] = {}
        self._done: dict[int, list[Completion]] = {}
        self._awaited: Counter[int] = Counter()  # what ``completions`` leaves to others
        self._lent: list[Pointer[Any]] = []  # what the kernel takes buffers from, until the end
        self._closing = False
        self._closed = trio.Event()
        self._turn = trio.Lock()  # of waiting: one takes completions for all
        self._submitting = trio.Lock()
        self._queues = RingQueues(here, params)
        self._own = fd.for_task(task)  # who closes ``fd`` does not take it from us
        self._here = here

    def __repr__(self) -> str:
        return f"Ring({self.fd!r}, {len(self._flight)} in flight)"

    def __del__(self) -> None:
        here, self._here = getattr(self, "_here", -1), -1
        if here >= 0:
            os.close(here)

    @property
    def in_flight(self) -> int:
        """How many operations have not ended."""
        return len(self._flight)

    @trio.lowlevel.enable_ki_protection
    async def submit(self, *operations: Operation) -> list[int]:
        """Have the kernel begin operations; returns the number of each, for ``wait``.

        Their memory is held until they have ended. Where the kernel refuses to take one, the
        error is raised, and the operations from that one on have not begun; those before it have,
        and ``completions`` gives their ends.
        """
        await pace()
        return await self._start(operations)

    async def _start(
        self, operations: tuple[Operation, ...], *, awaited: bool = False, last: bool = False
    ) -> list[int]:
        """Submit. ``awaited``: our caller will wait for them. ``last``: even while we close."""
        if len(operations) > self.params.sq_entries:
            raise RingFullError(len(operations), self.params.sq_entries)
        async with self._submitting:
            if self._here < 0 or (self._closing and not last):
                raise RingClosedError
            # several are begun at once, or their numbers would be lost; one is, or is not
            with trio.CancelScope(shield=len(operations) > 1):
                return await self._submit(operations, awaited=awaited)
        raise AssertionError("the scope is never left otherwise")

    async def _submit(self, operations: tuple[Operation, ...], *, awaited: bool) -> list[int]:
        first = self._last
        packed: list[bytes] = []
        for operation in operations:
            if operation.sqe.flags & IOSQE.CQE_SKIP_SUCCESS:
                raise RingFlagsError(IOSQE.CQE_SKIP_SUCCESS)
        for operation in operations:  # all are checked before the first is put there
            with operation.entry(self._task, first + len(packed) + 1) as entry:
                packed.append(entry.pack())
        numbers = list(range(first + 1, first + 1 + len(packed)))
        self._last += len(packed)
        for number, operation in zip(numbers, operations, strict=True):
            self._flight[number] = operation
            self._task.in_use.add(self)  # so that it is closed before the memory goes
            self._awaited.update([number] * awaited)
            for pointer in operation.pointers():
                pointer.hold(self)
        self._queues.put(packed)
        try:
            while offered := self._queues.offered():
                await self._own.enter(offered)
        except BaseException:
            for number in numbers[self._queues.take_back() :]:
                self._let_go(number)
            for number in numbers:
                self._leave(number, awaited)
            raise
        return numbers

    def _leave(self, number: int, times: int = 1) -> None:
        self._awaited[number] -= times
        if not self._awaited[number]:
            del self._awaited[number]

    @trio.lowlevel.enable_ki_protection
    async def wait(self, number: int) -> Completion:
        """Wait for the next completion of an operation; others are kept for who waits for them.

        Cancelling this cancels only the wait, see ``do``.
        """
        self._awaited[number] += 1
        try:
            await pace()
            while number not in self._done:
                if number not in self._flight:
                    raise RingClosedError if self._here < 0 else RingNumberError(number)
                async with self._turn:
                    if number not in self._done and number in self._flight:
                        await self._reap()
        finally:
            self._leave(number)
        first = self._done[number].pop(0)
        if not self._done[number]:
            del self._done[number]
        return first

    @trio.lowlevel.enable_ki_protection
    async def completions(self, least: int = 1) -> list[Completion]:
        """Wait for completions of any operations; returns all that nobody has taken yet.

        Those that somebody waits for, as ``wait`` and ``do`` do, are left to them.
        """
        await pace()
        if self._here >= 0:
            self._take()
        while len(self._untaken()) < least:
            async with self._turn:
                if len(self._untaken()) < least:
                    await self._reap()
        found = self._untaken()
        for number in {one.user_data for one in found}:
            del self._done[number]
        return found

    def _untaken(self) -> list[Completion]:
        there = [found for number, found in self._done.items() if number not in self._awaited]
        return [one for found in there for one in found]

    @trio.lowlevel.enable_ki_protection
    async def do(self, operation: Operation) -> Completion:
        """Submit, and wait; a failed operation raises its OSError.

        A cancel cancels the operation and waits for its end; if it has succeeded after all, its
        result is returned.
        """
        await pace()
        (number,) = await self._start((operation,), awaited=True)
        try:
            done = await self._to_its_end(number)
        except TaskLostError:
            self._let_go(number)
            raise
        finally:
            self._leave(number)
        if done.res < 0:
            name = operation.sqe.opcode.name.lower()
            raise kernel_error(-done.res, f"io_uring {name}", self._task.sysif)
        return done

    async def _to_its_end(self, number: int) -> Completion:
        try:
            return await self.wait(number)
        except trio.Cancelled:
            with trio.CancelScope(shield=True):
                if number in self._flight:
                    await self._cancel(number)
                done = await self.wait(number)
                if done.res >= 0:
                    return done
            raise

    async def _cancel(
        self, number: int, how: IORING_ASYNC_CANCEL = IORING_ASYNC_CANCEL.NONE
    ) -> None:
        asking = (Operation.cancel(number, how),)
        (cancelling,) = await self._start(asking, awaited=True, last=True)
        try:
            await self.wait(cancelling)
        finally:
            self._leave(cancelling)

    async def read(
        self, file: FileDescriptor | int, count: int, offset: int | None = None
    ) -> bytes:
        """Read up to ``count`` bytes; None is the file's own offset. As ``do``."""
        memory = await self._task.malloc(BYTES, count)
        try:
            done = await self.do(Operation.read(file, memory, offset))
            return memory.peek()[: done.res]
        finally:
            _free(memory)

    async def write(
        self, file: FileDescriptor | int, data: bytes, offset: int | None = None
    ) -> int:
        """Write; returns how many bytes were taken. As ``do``."""
        memory = await self._task.ptr(data, BYTES)  # of one byte for none
        try:
            operation = Operation.write(file, memory, offset)
            sqe = attrs.evolve(operation.sqe, len=len(data))
            return (await self.do(attrs.evolve(operation, sqe=sqe))).res
        finally:
            _free(memory)

    async def _reap(self) -> None:
        """Wait until there is any completion, and take what there is."""
        if self._here < 0:
            raise RingClosedError
        while not self._take():
            try:
                await trio.lowlevel.wait_readable(self._here)
            except trio.ClosedResourceError:
                raise RingClosedError from None
            if not self._queues.ready():
                await self._own.enter(0, 0, IORING_ENTER.GETEVENTS)

    def _take(self) -> int:
        found = self._queues.take()
        for cqe in found:
            self._note(cqe)
        return len(found)

    def _note(self, cqe: IoUringCqe) -> None:
        operation = self._flight.get(cqe.user_data)
        made = None
        if operation is not None and cqe.res >= 0:
            if operation.makes is not None and not operation.sqe.file_index:
                made = operation.makes(self._task, ids.FileDescriptor(cqe.res))
            if operation.sqe.opcode == IORING_OP.PROVIDE_BUFFERS:
                self._lend(operation)
        if not cqe.flags & IORING_CQE_F.MORE:
            self._let_go(cqe.user_data)
        done = Completion(cqe.user_data, cqe.res, cqe.flags, made)
        self._done.setdefault(cqe.user_data, []).append(done)

    def _lend(self, operation: Operation) -> None:
        for pointer in operation.pointers():
            pointer.hold(self)
            self._lent.append(pointer)

    def _let_go(self, number: int) -> None:
        operation = self._flight.pop(number, None)
        for pointer in () if operation is None else operation.pointers():
            pointer.let_go(self)
        if not self._flight:
            self._task.in_use.discard(self)

    @trio.lowlevel.enable_ki_protection
    async def close(self) -> None:
        """Cancel what is in flight, wait for its end, and close the ring. Idempotent.

        All that is done also when it is cancelled; the cancel is delivered then. Memory of what
        could not be ended stays held.
        """
        with trio.CancelScope(shield=True):
            if self._closing:
                await self._closed.wait()
            else:
                self._closing = True
                try:
                    await self._close()
                finally:
                    self._closed.set()
        await pace()

    async def _close(self) -> None:
        try:
            with suppress(TaskLostError):  # the kernel has ended all with the process then
                await self._end()
            for number in list(self._flight):
                self._let_go(number)
            lent, self._lent = self._lent, []
            for pointer in lent:
                pointer.let_go(self)
        finally:
            here, self._here = self._here, -1
            self._queues.close()
            trio.lowlevel.notify_closing(here)
            os.close(here)
            await self.fd.close()
            await self._own.close()
            if not self._flight:
                self.fd.let_go()

    async def _end(self) -> None:
        if self._flight:
            await self._cancel(0, IORING_ASYNC_CANCEL.ANY | IORING_ASYNC_CANCEL.ALL)
        while self._flight:
            async with self._turn:
                if self._flight:
                    await self._reap()

    async def __aenter__(self) -> Ring:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _free(memory: Pointer[Any]) -> None:
    with suppress(PointerInUseError):  # what could not be ended still uses it
        memory.free()
