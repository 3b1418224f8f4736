"""How the arguments of one call are given: values for its time, memory and fds that others own.

A method that takes a struct or bytes takes a value or a ``Pointer``; one that has them filled
returns a value, or fills the ``Pointer`` that it is given. What is a value lies in the task's
memory while the call is made; a pointer or an fd is borrowed meanwhile::

    with given(task, how) as there, path_given(task, path) as name:
        await near_path.openat2(task.sysif, None, name.address, there.address, there.size)

    with room(task, struct_of(Stat), into) as there:
        await near_attr.fstat(task.sysif, near_id, there.address)
        return there.result()
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar, final

import trio

from rsyscall_ns.memory.serializers import Serializer
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.layout import CStruct
from rsyscall_ns.near.errors import PathError, SerializerError
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.strings import StrPath, c_path, c_string

from .context import MemoryTask, Transient
from .owned import OwnedFD
from .pointer import Pointer, PointerBorrow

__all__ = ["Offset", "PathLike", "Text", "borrowed", "check_size", "content_of", "given"]
__all__ += ["length_of", "offset_given", "path_given", "paths_given", "room", "shown", "text_given"]

T = TypeVar("T")
Value = bytes | bytearray | memoryview | CStruct
PathLike = StrPath | Pointer[bytes]  # the bytes of a pointer end with a NUL
Text = str | bytes | Pointer[bytes]  # as above
Offset = int | Pointer[bytes] | None  # a pointer's first 8 bytes
OFFSET: Final = 8  # bytes


@final
class given:  # noqa: N801 - used as a function: ``with given(task, value) as there``
    """A value, or the caller's memory, for a call to read. ``address`` is None for None.

    ``size``: in bytes; of a pointer, all that it owns.
    """

    __slots__ = ("_held", "_task", "_what", "address", "size")

    address: Address | None

    def __init__(self, task: MemoryTask, what: Value | Pointer[Any] | None) -> None:
        self._task = task
        self._what = what
        self._held: Transient | PointerBorrow | None = None
        self.address = None
        self.size = 0

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> Self:
        what = self._what
        if isinstance(what, Pointer):
            check_size(what, what.serializer.size)
            borrow = what.borrow(self._task)
            self.address, self.size = borrow.__enter__(), what.size()
            self._held = borrow
        elif what is not None:
            memory = self._task.transient(content_of(what)).__enter__()
            self.address, self.size = memory.address, memory.size
            self._held = memory
        return self

    @trio.lowlevel.enable_ki_protection
    def __exit__(self, *_: object) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.__exit__(None, None, None)


def content_of(value: Value) -> bytes:
    """Return the bytes of a value; an int is none, of which bytes() would make so many zeros."""
    if isinstance(value, bytes):
        return value
    return value.pack() if isinstance(value, CStruct) else bytes(memoryview(value))


@final
class path_given:  # noqa: N801 - used as a function
    """A path for a call to read; an OSError that leaves the block gets it as its filename."""

    __slots__ = ("_given", "_path", "address")

    address: Address

    def __init__(self, task: MemoryTask, path: PathLike) -> None:
        self._path = path
        if isinstance(path, Pointer):
            check_end(path)
        self._given = given(task, path if isinstance(path, Pointer) else c_path(path))

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> Self:
        self._given.__enter__()
        assert self._given.address is not None, "a path is never None"
        self.address = self._given.address
        return self

    @trio.lowlevel.enable_ki_protection
    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._given.__exit__()
        if isinstance(error, OSError) and error.filename is None:
            error.filename = shown(self._path)


@final
class paths_given:  # noqa: N801 - used as a function
    """Two paths for one call; an OSError that leaves the block gets both as its filenames."""

    __slots__ = ("_held", "_paths", "first", "second")

    first: Address
    second: Address

    def __init__(self, task: MemoryTask, first: PathLike, second: PathLike) -> None:
        self._paths = (first, second)
        self._held = [path_given(task, path) for path in self._paths]

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> Self:
        first, second = self._held
        self.first = first.__enter__().address
        try:
            self.second = second.__enter__().address
        except BaseException:
            first.__exit__(None, None, None)
            raise
        return self

    @trio.lowlevel.enable_ki_protection
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError) and error.filename is None:
            error.filename, error.filename2 = map(shown, self._paths)
        for held in self._held:
            held.__exit__(kind, error, traceback)


def shown(path: PathLike) -> str | bytes:
    """Return a path as the filename of an error."""
    return str(path) if isinstance(path, Pointer) else os.fspath(path)


def check_size(pointer: Pointer[Any], need: int) -> None:
    """Raise SerializerError if a call would read or fill more than a pointer owns."""
    if pointer.size() < need:
        raise SerializerError(f"what is to be at {pointer}", need, pointer.size(), least=True)


def check_end(pointer: Pointer[bytes]) -> None:
    """Raise PathError if a string has no end within the memory that a pointer owns."""
    if b"\0" not in pointer.as_bytes():
        raise PathError(pointer, "has no NUL byte, which ends it: write one behind the text")


def text_given(task: MemoryTask, text: Text) -> given:
    """Return a string for a call to read; a NUL in it is refused."""
    if isinstance(text, Pointer):
        check_end(text)
        return given(task, text)
    return given(task, c_string(text))


def length_of(text: Text) -> int:
    """Return how many bytes a string has, without the NUL at its end."""
    content = text.as_bytes() if isinstance(text, Pointer) else c_string(text)
    return content.index(b"\0")


def offset_given(task: MemoryTask, offset: Offset) -> given:
    """Return an offset for a call that moves it on; None is the file's own."""
    if isinstance(offset, int):
        return given(task, fit("offset", offset, 0, 2**63 - 1).to_bytes(OFFSET, "little"))
    if offset is not None:
        check_size(offset, OFFSET)
    return given(task, offset)


@final
class room(Generic[T]):  # noqa: N801 - used as a function
    """Memory for a call to fill: of its own for the block, or the caller's ``into``."""

    __slots__ = ("_held", "_into", "_serializer", "_task", "address", "size")

    address: Address

    def __init__(
        self,
        task: MemoryTask,
        serializer: Serializer[T],
        into: Pointer[T] | None = None,
        size: int | None = None,
    ) -> None:
        self._task = task
        self._serializer = serializer
        self._into = into
        self._held: Transient | PointerBorrow | None = None
        self.size = serializer.size if size is None else size

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> Self:
        into = self._into
        if into is None:
            memory = self._task.transient(self.size).__enter__()
            self.address = memory.address
            self._held = memory
        else:
            fixed = self._serializer.size
            check_size(into, fixed)
            borrow = into.borrow(self._task, alone=not fixed)  # what varies in size is consumed
            self.address, self.size = borrow.__enter__(), into.size()
            self._held = borrow
        return self

    @trio.lowlevel.enable_ki_protection
    def __exit__(self, *_: object) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.__exit__(None, None, None)

    def result(self, got: int | None = None) -> T | Pointer[T]:
        """Return what was filled: the value, or the caller's pointer, which nobody borrows now.

        ``got``: how many bytes were filled, where that varies. Then it consumes the pointer and
        returns one to the filled part; the rest is freed.
        """
        if self._into is None:
            assert isinstance(self._held, Transient)
            return self._serializer.from_bytes(self._held.read(0, got))
        self.__exit__()
        if got is None:
            return self._into
        filled, rest = self._into.split(got)
        rest.free()
        return filled


@final
class borrowed:  # noqa: N801 - used as a function
    """An fd that a call may be given, for its time; None gives None."""

    __slots__ = ("_fd", "_task")

    def __init__(self, task: MemoryTask, fd: OwnedFD | None) -> None:
        self._task = task
        self._fd = fd

    def __enter__(self) -> ids.FileDescriptor | None:
        return None if self._fd is None else self._fd.borrow(self._task).__enter__()

    def __exit__(self, *_: object) -> None:
        pass  # nothing was taken, see FDBorrow
