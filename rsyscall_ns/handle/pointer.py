"""Pointers: owned pieces of memory, typed by what lies there.

States of a pointer::

    valid --borrow--> borrowed --end of the call--> valid
    valid --free, split, merge, write--> gone     (consumed: the result owns the memory)
    valid --hold--> held --let_go--> valid        (a child uses the memory while it lives)

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

    __slots__ = ("_pointer", "_task")

    def __init__(self, pointer: Pointer[Any], task: Task) -> None:
        self._pointer = pointer
        self._task = task

    def __enter__(self) -> Address:
        near = self._pointer.near
        self._task.check_address_space(self._pointer, self._pointer.space)
        self._pointer.borrows += 1
        return near

    def __exit__(self, *_: object) -> None:
        self._pointer.borrows -= 1


class Pointer(Generic[T]):
    """Owns ``size`` bytes at one address of one address space."""

    __slots__ = (
        "_address",
        "_arena",
        "_holder",
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
        self._holder: object = None

    def __repr__(self) -> str:
        state = "" if self._valid else ", gone"
        return f"{type(self).__name__}({self._address:#x}, {self._size} bytes{state})"

    @property
    def valid(self) -> bool:
        """Whether the memory is still owned by this pointer."""
        return self._valid

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

    def _check_unused(self) -> None:
        self._check()
        if self._holder is not None:
            raise PointerInUseError(self, self._holder)
        if self.borrows:
            raise PointerInUseError(self, "a call that is under way")

    def _consume(self) -> None:
        self._check_unused()
        self._valid = False

    def _part(self, address: int, size: int) -> Pointer[T]:
        return Pointer(self._arena, self.space, address, size, self.serializer)

    def borrow(self, task: Task) -> PointerBorrow:
        """Use the memory in a call of ``task``; neither freed nor consumed meanwhile."""
        return PointerBorrow(self, task)

    def hold(self, holder: object) -> None:
        """Mark the memory as used by ``holder``, which says what it is, until ``let_go``."""
        self._check()
        self._holder = holder

    def let_go(self) -> None:
        """End what ``hold`` began. Idempotent."""
        self._holder = None

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
        following._check_unused()
        self._consume()
        following._consume()
        return self._part(self._address, self._size + following.size())

    def as_type(self, serializer: Serializer[Any]) -> Pointer[Any]:
        """Return the memory as holding another type. Consumes the pointer."""
        self._consume()
        return Pointer(self._arena, self.space, self._address, self._size, serializer)

    def peek(self) -> T:
        """Return the value, without a checkpoint."""
        self._check()
        return self.serializer.from_bytes(bytes(self._arena.view(self._address, self._size)))

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
        self._check_unused()
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
