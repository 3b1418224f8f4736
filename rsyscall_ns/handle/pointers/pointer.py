"""Pointers: owned pieces of memory, typed by what lies there.

States of a pointer::

    valid --borrow--> borrowed --end of the call--> valid
    valid --free, split, merge, write--> gone     (consumed: the result owns the memory)
    valid --hold--> held --let_go--> valid        (a child uses the memory while it lives, a ring
                                                   while an operation is in flight; all let go)

Every use of a pointer that is gone raises UseAfterFreeError; freeing or consuming one that is
borrowed or held raises PointerInUseError.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, final

from rsyscall_ns.far.namespaces import AddressSpace
from rsyscall_ns.far.task import Task
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.memory.serializers import Serializer, SerializerError
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.transport.pace import pace

__all__ = [
    "Pointer",
    "PointerInUseError",
    "PointerNotAdjacentError",
    "UseAfterFreeError",
    "WrittenPointer",
]

T = TypeVar("T")


class UseAfterFreeError(RsyscallError):
    """A pointer was used after it had been freed or consumed."""

    def __init__(self, pointer: object) -> None:
        super().__init__(
            f"{pointer} was freed or consumed: use the pointer that the consuming call returned"
        )


class PointerInUseError(RsyscallError):
    """Memory was to be freed or consumed while a call or a living child uses it."""

    def __init__(self, pointer: object, holder: object) -> None:
        super().__init__(f"{pointer} is used by {holder}: wait until that has ended")


class PointerNotAdjacentError(RsyscallError):
    """Two pieces were to be merged that do not lie next to each other."""

    def __init__(self, left: object, right: object) -> None:
        super().__init__(f"{left} does not end where {right} begins, so they can't be merged")


@final
class PointerBorrow:
    """``with pointer.borrow(task) as address``."""

    __slots__ = ("_alone", "_pointer", "_task")

    def __init__(self, pointer: Pointer[Any], task: Task, *, alone: bool) -> None:
        self._pointer = pointer
        self._task = task
        self._alone = alone

    def __enter__(self) -> Address:
        near = self._pointer.near
        self._task.check_address_space(self._pointer, self._pointer.space)
        if self._alone:
            self._pointer.check_unused()
        self._pointer.borrows += 1
        return near

    def __exit__(self, *_: object) -> None:
        self._pointer.borrows -= 1


class Pointer(Generic[T]):
    """Owns ``size`` bytes at one address of one address space."""

    __slots__ = (
        "_address",
        "_arena",
        "_holders",
        "_size",
        "_valid",
        "borrows",
        "serializer",
        "space",
    )

    def __init__(
        self, arena: Arena, space: AddressSpace, address: int, size: int, serializer: Serializer[T]
    ) -> None:
        """Take over allocated memory; ``task.malloc`` and ``task.ptr`` make pointers."""
        self._arena = arena
        self.space = space
        self._address = address
        self._size = size
        self.serializer = serializer
        self._valid = True
        self.borrows = 0
        self._holders: tuple[object, ...] = ()

    def __repr__(self) -> str:
        state = "" if self._valid else ", gone"
        return f"{type(self).__name__}({self._address:#x}, {self._size} bytes{state})"

    @property
    def valid(self) -> bool:
        """Whether the memory is still owned by this pointer."""
        return self._valid

    @property
    def held(self) -> bool:
        """Whether anybody holds it."""
        return bool(self._holders)

    @property
    def near(self) -> Address:
        """The address; raises UseAfterFreeError when it is gone."""
        self._check()
        return Address(self._address)

    def size(self) -> int:
        """Return how many bytes are owned."""
        return self._size

    def _check(self) -> None:
        if not self._valid:
            raise UseAfterFreeError(self)

    def check_unused(self) -> None:
        """Raise UseAfterFreeError or PointerInUseError unless it could be freed now."""
        self._check()
        if self._holders:
            raise PointerInUseError(self, self._holders[-1])
        if self.borrows:
            raise PointerInUseError(self, "a call that is under way")

    def _consume(self) -> None:
        self.check_unused()
        self._valid = False

    def _part(self, address: int, size: int) -> Pointer[T]:
        return Pointer(self._arena, self.space, address, size, self.serializer)

    def borrow(self, task: Task, *, alone: bool = False) -> PointerBorrow:
        """Use the memory in a call of ``task``; neither freed nor consumed meanwhile.

        ``alone``: refuse it while others use it, as the call is to consume it.
        """
        return PointerBorrow(self, task, alone=alone)

    def hold(self, holder: object) -> None:
        """Mark the memory as used by ``holder``, which says what it is, until ``let_go``.

        Several may hold it at once, and one of them several times: each lets go as often.
        """
        self._check()
        self._holders = (*self._holders, holder)

    def let_go(self, holder: object) -> None:
        """End what one ``hold`` of this holder began; nothing where it does not hold it."""
        for place, one in enumerate(self._holders):
            if one is holder:
                self._holders = self._holders[:place] + self._holders[place + 1 :]
                return

    def free(self) -> None:
        """Give the memory back. Consumes the pointer."""
        self._consume()
        self._arena.release(self._address, self._size)

    def split(self, size: int) -> tuple[Pointer[T], Pointer[T]]:
        """Cut into the first ``size`` bytes and the rest. Consumes the pointer."""
        fit("size of the first part", size, 0, self._size)
        self._consume()
        return self._part(self._address, size), self._part(self._address + size, self._size - size)

    def merge(self, following: Pointer[Any]) -> Pointer[T]:
        """Join with the piece that begins where this one ends. Consumes both."""
        self._check()
        following._check()
        ends = self._address + self._size
        adjacent = self.space is following.space and ends == following.near.value
        if not adjacent or not self._arena.same_mapping(self._address, ends):
            raise PointerNotAdjacentError(self, following)
        following.check_unused()
        self._consume()
        following._consume()
        return self._part(self._address, self._size + following.size())

    def as_type(self, serializer: Serializer[Any]) -> Pointer[Any]:
        """Return the memory as holding another type. Consumes the pointer."""
        self._consume()
        return Pointer(self._arena, self.space, self._address, self._size, serializer)

    def as_bytes(self) -> bytes:
        """Return all bytes that lie there, without a checkpoint."""
        self._check()
        return bytes(self._arena.view(self._address, self._size))

    def peek(self) -> T:
        """Return the value, without a checkpoint."""
        self._check()
        size = min(self.serializer.size or self._size, self._size)
        return self.serializer.from_bytes(bytes(self._arena.view(self._address, size)))

    def poke(self, value: T) -> int:
        """Store a value, without a checkpoint; returns how many bytes it took."""
        self._check()
        data = self.serializer.to_bytes(value)
        if len(data) > self._size:
            raise SerializerError(f"the value for {self}", len(data), self._size)
        self._arena.view(self._address, len(data))[:] = data
        return len(data)

    async def read(self) -> T:
        """Return the value that lies there."""
        await pace()
        return self.peek()

    async def write(self, value: T) -> WrittenPointer[T]:
        """Store a value. Consumes the pointer; the result owns the memory and knows the value."""
        await pace()
        self.check_unused()
        self.poke(value)
        self._consume()
        return WrittenPointer(
            self._arena, self.space, self._address, self._size, self.serializer, value
        )


@final
class WrittenPointer(Pointer[T]):
    """A pointer to memory in which a known value was stored."""

    __slots__ = ("value",)

    def __init__(
        self,
        arena: Arena,
        space: AddressSpace,
        address: int,
        size: int,
        serializer: Serializer[T],
        value: T,
    ) -> None:
        super().__init__(arena, space, address, size, serializer)
        self.value = value
