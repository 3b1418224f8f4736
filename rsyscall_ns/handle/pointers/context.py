"""What fds, processes and call groups need of a task: memory, and the fds that it holds.

Owns the bookkeeping of which entries of an fd table are held by handles, and the transient
memory of value-in value-out calls.
"""

from __future__ import annotations

from typing import Any, Protocol, Self, TypeVar, final
from weakref import WeakSet

import trio

from rsyscall_ns.far.namespaces import FDTable
from rsyscall_ns.far.task import Task
from rsyscall_ns.memory.arena import SLOT, Arena, Slot
from rsyscall_ns.memory.serializers import BYTES, Serializer, struct_of
from rsyscall_ns.near.abi.layout import CStruct
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.transport.pace import pace

from .pointer import Pointer, WrittenPointer

__all__ = ["Holdings", "MemoryTask", "Transient"]

T = TypeVar("T")
LARGEST = 1 << 30  # bytes; for more than that, map memory
FILES = int(CLONE.FILES)  # a flag type's own operators are slow


class Movable(Protocol):
    """A handle that follows its task into a copy of the fd table."""

    def moved(self, table: FDTable) -> int | None:
        """Belong to ``table`` from now on; returns the number, None where it is closed."""
        ...

    async def close(self) -> None:
        """Close it. Idempotent."""
        ...


class Child(Protocol):
    """A child that its task answers for."""

    async def end(self) -> None:
        """Kill and reap it."""
        ...

    def abandon(self) -> None:
        """Give back what is needed to wait for it: it can't be ended, and nobody will try again."""
        ...


class KernelUser(Protocol):
    """What has the kernel use memory of a task while no call is under way."""

    async def close(self) -> None:
        """Have the kernel end that. Idempotent."""
        ...


@final
class Holdings:
    """Which numbers of one fd table are held by handles, and which were forgotten."""

    __slots__ = ("counts", "forgotten", "inheritable", "inherited", "sharers")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.inheritable: set[int] = set()  # by programs: their flag is not close-on-exec
        self.forgotten: list[int] = []
        self.sharers: WeakSet[MemoryTask] = NO_SHARERS  # the tasks, once there are several
        self.inherited: dict[int, FDTable] = {}  # copies from another table, not yet claimed

    def shared_by(self, *tasks: MemoryTask) -> None:
        """Take note of tasks that share the table."""
        if self.sharers is NO_SHARERS:
            self.sharers = WeakSet()
        self.sharers.update(tasks)

    def hold(self, number: int) -> None:
        """Count one more handle."""
        self.counts[number] = self.counts.get(number, 0) + 1

    def drop(self, number: int) -> bool:
        """Count one handle less; returns whether it was the last."""
        left = self.counts.get(number, 0) - 1
        if left > 0:
            self.counts[number] = left
            return False
        self.counts.pop(number, None)
        self.inheritable.discard(number)
        return True


@final
class Transient:
    """Memory for the time of one call: ``with task.transient(...) as memory``."""

    __slots__ = ("_arena", "_content", "_room", "_slot", "address", "size")

    def __init__(self, arena: Arena, content: bytes | int) -> None:
        self._arena = arena
        self._content = content
        self._slot: Slot | None = None
        self.size = content if isinstance(content, int) else len(content)

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> Self:
        content, size = self._content, self.size
        if isinstance(content, int):
            content = bytes(fit("size", size, 0, LARGEST))
        if size <= SLOT:
            slot = self._slot = self._arena.take_slot()
            slot.view[:size] = content
            self.address = slot.place
            return self
        self._room = size
        address = self._arena.allocate(size)
        self._arena.view(address, size)[:] = content
        self.address = Address(address)
        return self

    @trio.lowlevel.enable_ki_protection
    def __exit__(self, *_: object) -> None:
        if self._slot is not None:
            self._arena.give_slot(self._slot)
        else:
            self._arena.release(self.address.value, self._room)

    def read(self, start: int = 0, end: int | None = None) -> bytes:
        """Return bytes of it."""
        view = self._slot.view if self._slot is not None else self._whole()
        return bytes(view[: self.size][start:end])

    def _whole(self) -> memoryview:
        return self._arena.view(self.address.value, self.size)

    def __add__(self, offset: int) -> Address:
        return self.address + offset


class MemoryTask(Task):
    """A task with memory that we see too, and with an account of its fds."""

    __slots__ = ("arena", "children", "chosen_signals", "handles", "holdings", "in_use")

    def __init__(
        self, sysif: SyscallInterface, parent: MemoryTask | None, flags: CLONE, arena: Arena
    ) -> None:
        super().__init__(sysif, parent, flags)
        self.arena = arena
        self.children: set[Child] = set()  # not yet seen dead
        self.chosen_signals: set[int] = set()  # dispositions set by the user: exec keeps them
        self.handles: WeakSet[Movable] = WeakSet()
        self.in_use: set[KernelUser] = set()  # closed first: their fds, and the memory, are needed
        self.holdings = Holdings()
        if parent is not None and int(flags) & FILES:
            self.holdings = parent.holdings
            self.holdings.shared_by(parent, self)

    def __repr__(self) -> str:
        return f"task of {self.sysif!r}"

    def transient(self, content: bytes | int) -> Transient:
        """Allocate memory with these bytes, or so many zero bytes, until the block ends."""
        return Transient(self.arena, content)

    async def malloc(self, serializer: Serializer[T], size: int | None = None) -> Pointer[T]:
        """Allocate memory for a value of a type (``size`` bytes, where types vary)."""
        await pace()
        count = fit("size", serializer.size if size is None else size, 1, LARGEST)
        return Pointer(
            self.arena, self.address_space, self.arena.allocate(count), count, serializer
        )

    async def ptr(self, value: T, serializer: Serializer[T] | None = None) -> WrittenPointer[T]:
        """Allocate memory and store a value in it.

        Without a serializer it must be bytes or a struct, which knows its own.
        """
        kind: Any = serializer  # of T, which the type checkers can't see for bytes and structs
        if serializer is None:
            kind = struct_of(type(value)) if isinstance(value, CStruct) else BYTES
        size = max(len(kind.to_bytes(value)), 1)
        pointer = await self.malloc(kind, size)
        try:
            return await pointer.write(value)
        except BaseException:
            pointer.free()
            raise

    @trio.lowlevel.enable_ki_protection
    async def end_children(self) -> None:
        """Kill and reap those children that nobody has ended yet, also after one that can't be."""
        failures: list[Exception] = []
        while self.children:
            child = self.children.pop()
            try:
                await child.end()
            except OSError as error:
                child.abandon()
                failures.append(error)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise ExceptionGroup("children that could not be ended", failures)

    @trio.lowlevel.enable_ki_protection
    async def sweep(self) -> None:
        """Close the fds whose handles were forgotten."""
        forgotten = self.holdings.forgotten
        while forgotten:
            number = forgotten.pop()
            with trio.CancelScope(shield=True):
                try:
                    await self.sysif.call(SYS.close, number)
                except TaskLostError:
                    forgotten.append(number)  # another task may share the table
                    raise

    def files_unshared(self) -> None:
        """Believe that the process has a copy of its fd table for itself now."""
        old, self.holdings = self.holdings, Holdings()
        old.sharers.discard(self)
        self.fd_table = FDTable()
        for handle in list(self.handles):
            number = handle.moved(self.fd_table)
            if number is not None:
                if number in old.inheritable:
                    self.holdings.inheritable.add(number)
                if old.drop(number):  # nobody else held it there: it is to be closed there
                    old.forgotten.append(number)
                self.holdings.hold(number)


NO_SHARERS: WeakSet[MemoryTask] = WeakSet()  # stays empty
