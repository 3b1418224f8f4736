"""AioContext: a queue of operations of the old asynchronous I/O, and what they use meanwhile.

A context belongs to an address space, not to a process: where a child shares the interpreter's
memory, its contexts would outlive it. So the interpreter removes those that are left. That takes
the kernel tens of milliseconds, so it is done beside the event loop.
"""

from __future__ import annotations

import select
import struct
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from errno import EINPROGRESS
from functools import partial
from typing import Final, Self, final, overload

import trio

from rsyscall_ns.far.namespaces import FDTable
from rsyscall_ns.handle.kinds.eventfd import EventFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.signal_set import SignalSet
from rsyscall_ns.handle.waiting import (
    BlocksLoopError,
    Limit,
    Mask,
    in_seconds,
    look_until,
    mask_given,
)
from rsyscall_ns.memory.arrays import array_of
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.aio_abi_h import Iocb, IoEvent
from rsyscall_ns.near.abi.signal_h import SIGSET_SIZE
from rsyscall_ns.near.abi.time_h import Timespec
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.calls.base import call_here
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.transport.apart import to_the_end
from rsyscall_ns.transport.aside import aside, start_aside
from rsyscall_ns.transport.pace import pace

from .aio_errors import AioClosedError, AioNumberError
from .aio_operation import AioEvent, AioOperation

__all__ = ["AioContext"]

WORD: Final = struct.Struct("<Q")
COUNTER: Final = 8  # bytes of an eventfd
EVENT: Final = IoEvent.sizeof()
EVENTS: Final = array_of(IoEvent)
MOST: Final = 1 << 16
Events = Pointer[Sequence[IoEvent]]


@final
class AioContext:
    """``async with await task.aio.io_setup(count) as context``."""

    __slots__ = (
        "__weakref__",
        "_bell",
        "_flight",
        "_forgotten",
        "_id",
        "_last",
        "_space",
        "_taken",
        "task",
    )

    def __init__(
        self, task: MemoryTask, number: int, bell: EventFD | None, forgotten: list[int]
    ) -> None:
        """Take over a context. ``bell``: what the interpreter's own task waits for.

        ``forgotten`` gets its number if nobody destroys it.
        """
        self.task = task
        self._id = number
        self._bell = bell
        self._forgotten = forgotten
        self._space = task.address_space
        self._last = 0
        self._flight: dict[int, tuple[AioOperation, Pointer[Iocb]]] = {}
        self._taken: list[IoEvent] = []  # taken out of the kernel, but not yet told of
        task.handles.add(self)

    def __repr__(self) -> str:
        state = f"{len(self._flight)} in flight" if self.valid else "destroyed"
        return f"AioContext({state}, {self.task!r})"

    def __del__(self) -> None:
        number, self._id = getattr(self, "_id", 0), 0
        if not number:
            return
        if self.task.arena.grows:
            with suppress(RuntimeError):  # the interpreter ends, and its memory with it
                start_aside(partial(call_here, SYS.io_destroy, number))
        elif self._space is self.task.address_space:
            self._forgotten.append(number)

    @property
    def valid(self) -> bool:
        """Whether it was not destroyed, and the task still has the memory that it is of."""
        return bool(self._id) and self._space is self.task.address_space

    @property
    def near(self) -> int:
        """Its id; raises AioClosedError when it is destroyed."""
        if not self.valid:
            raise AioClosedError
        return self._id

    @property
    def in_flight(self) -> int:
        """How many operations nobody was told the end of."""
        return len(self._flight)

    def moved(self, table: FDTable) -> None:
        """Stay as it is: a context is of no fd table."""

    @trio.lowlevel.enable_ki_protection
    async def io_submit(self, *operations: AioOperation) -> list[int]:
        """Have the kernel begin operations; returns the number of each, for its event.

        What it can't do in the background it does at once: in a child that may wait, and the
        interpreter's own task can read and write only files and disks (BlocksLoopError). Where
        the kernel refuses one, the error is raised; those before it have begun. ``io_submit(2)``.
        """
        await pace()
        context, task, begun = self.near, self.task, 0
        numbers = [self._last + place for place in range(1, len(operations) + 1)]
        self._last += len(operations)
        with ExitStack() as stack:
            for number, one in zip(numbers, operations, strict=True):
                one.entry(stack, task, number, self._bell)  # all are checked before the first
            try:
                places = [self._enter(*both) for both in zip(numbers, operations, strict=True)]
                there = stack.enter_context(given(task, b"".join(map(WORD.pack, places))))
                while begun < len(numbers):
                    begun += await near_ipc.io_submit(
                        task.sysif,
                        context,
                        len(numbers) - begun,
                        (there.address or Address(0)) + WORD.size * begun,
                    )
            except TaskLostError:
                begun = len(numbers)  # for all we know: only io_destroy ends them
                raise
            finally:
                for number in numbers[begun:]:
                    self._let_go(number)
        return numbers

    def _enter(self, number: int, operation: AioOperation) -> int:
        """Put an operation where the kernel finds it, and hold what it uses; returns where."""
        task = self.task
        with ExitStack() as stack:
            entry = operation.entry(stack, task, number, self._bell)
        size = Iocb.sizeof()
        place = task.arena.allocate(size)
        iocb = Pointer(task.arena, task.address_space, place, size, struct_of(Iocb))
        iocb.poke(entry)
        self._flight[number] = (operation, iocb)
        for pointer in operation.pointers():
            pointer.hold(self)
        return place

    def _let_go(self, number: int) -> None:
        operation, iocb = self._flight.pop(number, (None, None))
        if operation is None or iocb is None:
            return
        iocb.free()
        for pointer in operation.pointers():
            pointer.let_go(self)

    @overload
    async def io_getevents(
        self, min_nr: int = ..., nr: int | None = ..., timeout: Limit = ...
    ) -> list[AioEvent]: ...

    @overload
    async def io_getevents(
        self,
        min_nr: int = ...,
        nr: int | None = ...,
        timeout: Limit = ...,
        *,
        into: Events,
    ) -> Events: ...

    async def io_getevents(
        self,
        min_nr: int = 1,
        nr: int | None = None,
        timeout: Limit = None,
        *,
        into: Events | None = None,
    ) -> list[AioEvent] | Events:
        """Wait until ``min_nr`` operations have ended; returns those that have, ``nr`` at most.

        Fewer when the time is over (None: never). It lets go of their memory. In the interpreter's
        own task an operation with an eventfd of its own can't be waited for: BlocksLoopError.
        ``io_getevents(2)``.
        """
        return await self._events(min_nr, nr, timeout, None, into)

    @overload
    async def io_pgetevents(
        self,
        min_nr: int = ...,
        nr: int | None = ...,
        timeout: Limit = ...,
        sigmask: SignalSet | None = ...,
    ) -> list[AioEvent]: ...

    @overload
    async def io_pgetevents(
        self,
        min_nr: int = ...,
        nr: int | None = ...,
        timeout: Limit = ...,
        sigmask: SignalSet | None = ...,
        *,
        into: Events,
    ) -> Events: ...

    async def io_pgetevents(
        self,
        min_nr: int = 1,
        nr: int | None = None,
        timeout: Limit = None,
        sigmask: SignalSet | None = None,
        *,
        into: Events | None = None,
    ) -> list[AioEvent] | Events:
        """Wait as ``io_getevents`` does, with these signals blocked and no others.

        In a child only, if there is a mask. ``io_getevents(2)``.
        """
        mask = mask_given(self.task, "io_pgetevents", sigmask)
        return await self._events(min_nr, nr, timeout, mask, into)

    @trio.lowlevel.enable_ki_protection
    async def _events(
        self,
        min_nr: int,
        nr: int | None,
        timeout: Limit,
        mask: Mask,
        into: Events | None,
    ) -> list[AioEvent] | Events:
        await pace()
        context = self.near
        largest = MOST if into is None else into.size() // EVENT
        least = fit("min_nr", min_nr, 0, largest)
        wanted = max(least, min(len(self._flight), largest), 1) if nr is None else nr
        most = fit("nr", wanted, max(least, 1), largest)
        # the kernel would take one below 0 for ever
        limit = in_seconds(timeout, "io_pgetevents", self.task.sysif)
        if self.task.sysif.same_thread:
            await self._take_in_loop(context, least, most, limit)
            found, self._taken = self._taken[:most], self._taken[most:]
            for event in found:
                self._let_go(event.data)
            if into is None:
                return [AioEvent(event.data, event.res, event.res2) for event in found]
            into.poke(found)
            filled, rest = into.split(len(found) * EVENT)
            rest.free()
            return filled
        with room(self.task, EVENTS, into, most * EVENT) as there:
            got = await self._call(context, least, most, there.address, timeout, mask)
            result = there.result(got * EVENT)
        found = list(result.peek() if isinstance(result, Pointer) else result)
        for event in found:
            self._let_go(event.data)
        if isinstance(result, Pointer):
            return result
        return [AioEvent(event.data, event.res, event.res2) for event in found]

    async def _call(
        self,
        context: int,
        least: int,
        most: int,
        place: Address,
        timeout: Limit,
        mask: Mask,
    ) -> int:
        task = self.task
        with given(task, timeout) as time, given(task, mask) as sigmask:
            if mask is None:
                return await near_ipc.io_getevents(
                    task.sysif, context, least, most, place, time.address
                )
            where = 0 if sigmask.address is None else sigmask.address.value
            with given(task, WORD.pack(where) + WORD.pack(SIGSET_SIZE)) as pair:
                return await near_ipc.io_pgetevents(
                    task.sysif, context, least, most, place, time.address, pair.address
                )

    async def _take_in_loop(self, context: int, least: int, most: int, timeout: float) -> None:
        """Take events in the loop's own thread; the bell tells when there are any."""
        task, bell = self.task, self._bell
        assert bell is not None, "the interpreter's own task has made it with the context"

        async def look() -> bool:
            with task.transient(COUNTER) as memory:
                address = memory.address.value
                await task.sysif.call(SYS.read, bell.near.number, address, COUNTER)
            with room(task, EVENTS, None, most * EVENT) as there:
                got = await self._call(context, 0, most, there.address, Timespec(), None)
                result = there.result(got * EVENT)
                assert not isinstance(result, Pointer), "no pointer was given"
                self._taken += result
            return len(self._taken) >= least

        async def ready() -> None:
            self._check_bell()
            await task.sysif.wait_ready(bell.near.number, select.POLLIN)

        await look_until(timeout, look, ready)

    def _check_bell(self) -> None:
        if any(one.eventfd is not None for one, _ in self._flight.values()):
            raise BlocksLoopError("io_getevents for what another eventfd counts")

    async def io_cancel(self, number: int) -> None:
        """Have an operation end; its event tells that it has. Only ``poll`` can be cancelled.

        AioNumberError: nothing of it is in flight. OSError of EINVAL: it can't be cancelled, or
        has ended. ``io_cancel(2)``.
        """
        await pace()
        _, iocb = self._flight.get(number, (None, None))
        if iocb is None:
            raise AioNumberError(number)
        task = self.task
        with given(task, iocb) as there, task.transient(EVENT) as unused:
            try:
                await near_ipc.io_cancel(task.sysif, self.near, there.address, unused.address)
            except OSError as error:
                if error.errno != EINPROGRESS:  # which is how it says that it could
                    raise

    @trio.lowlevel.enable_ki_protection
    async def io_destroy(self) -> None:
        """End what is in flight, wait for that, and remove the context. Consumes it; idempotent.

        ``io_destroy(2)``.
        """
        number, self._id = self._id, 0
        if number:
            await to_the_end(partial(self._destroy, number))
        await pace()

    async def _destroy(self, number: int) -> None:
        task = self.task
        here = task.sysif.same_thread or self._space is not task.address_space
        try:
            if not here:
                await near_ipc.io_destroy(task.sysif, number)
        except TaskLostError:
            here = True
        finally:
            if here and task.arena.grows:
                await aside(partial(call_here, SYS.io_destroy, number))
            for one in list(self._flight):
                self._let_go(one)
            if self._bell is not None:
                await self._bell.close()

    async def close(self) -> None:
        """Remove the context, as ``io_destroy`` does."""
        await self.io_destroy()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.io_destroy()
