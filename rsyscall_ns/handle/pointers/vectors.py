"""Several buffers for one call: ``struct iovec`` (``readv(2)``)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final, Generic, Self, TypeVar, final

import trio

from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.ids import Address, fit

from .context import MemoryTask, Transient
from .passing import given, room
from .pointer import Pointer

__all__ = ["Buffers", "Rooms", "read_vector", "write_vector"]

Piece = TypeVar("Piece", given, room[bytes])
Buffers = Sequence[bytes | Pointer[bytes]]
Rooms = Sequence[int] | Sequence[Pointer[bytes]]
IOVEC: Final = struct.Struct("<QQ")
IOV_MAX: Final = 1024


class Vector(Generic[Piece]):
    """Memory for the time of one call, and the iovecs that say where it is."""

    __slots__ = ("_held", "_iovec", "_pieces", "_task", "address", "count")

    address: Address

    def __init__(self, task: MemoryTask, pieces: list[Piece]) -> None:
        self._task = task
        self._pieces: list[Piece] = pieces
        self._held: list[Piece] = []
        self._iovec: Transient | None = None
        self.count = fit("number of buffers", len(pieces), 0, IOV_MAX)

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> Self:
        try:
            content = b""
            for piece in self._pieces:
                piece.__enter__()
                self._held.append(piece)
                assert piece.address is not None, "a piece is never None"
                content += IOVEC.pack(piece.address.value, piece.size)
            self._iovec = self._task.transient(content).__enter__()
        except BaseException:
            self.__exit__()
            raise
        self.address = self._iovec.address
        return self

    @trio.lowlevel.enable_ki_protection
    def __exit__(self, *_: object) -> None:
        iovec, self._iovec = self._iovec, None
        if iovec is not None:
            iovec.__exit__(None, None, None)
        while self._held:
            self._held.pop().__exit__()


@final
class write_vector(Vector[given]):  # noqa: N801 - used as a function
    """Buffers for a call to read, each a value or the caller's memory."""

    __slots__ = ()

    def __init__(self, task: MemoryTask, data: Buffers) -> None:
        super().__init__(task, [given(task, one) for one in data])


@final
class read_vector(Vector[room[bytes]]):  # noqa: N801 - used as a function
    """Buffers for a call to fill: of so many bytes, or the caller's memory."""

    __slots__ = ()

    def __init__(self, task: MemoryTask, into: Rooms) -> None:
        super().__init__(
            task,
            [
                room(task, BYTES, one) if isinstance(one, Pointer) else room(task, BYTES, size=one)
                for one in into
            ],
        )

    def result(self, got: int) -> list[bytes] | list[Pointer[bytes]]:
        """Return what each buffer got of ``got`` bytes."""
        found: list[Any] = []  # all bytes, or all pointers
        for piece in self._pieces:
            part = min(piece.size, got)
            got -= part
            found.append(piece.result(part))
        return found
