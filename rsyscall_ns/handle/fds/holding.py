"""HoldingProgram: a program that knows its handles, and the fds that it makes."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from attrs import frozen

from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near import program as near
from rsyscall_ns.near.program import Ref

from .fd import FileDescriptor

__all__ = ["FDRef", "HoldingProgram"]

FD_co = TypeVar("FD_co", bound=FileDescriptor, covariant=True)


@frozen
class FDRef(Ref, Generic[FD_co]):
    """The result of a call that makes an fd, or may do so: of which kind that is."""

    kind: type[FD_co]


class HoldingProgram(near.Program):
    """The base of ``Program``: its steps, and the handles that they name."""

    __slots__ = ("handles", "made")

    def __init__(self, steps: tuple[near.Write | near.Call | near.Read, ...] = ()) -> None:
        self.handles: list[tuple[int, FileDescriptor | Pointer[Any]]] = []  # and where in ops
        self.made: dict[int, FDRef[Any]] = {}  # by step: the fds that it makes
        super().__init__(steps)

    def extend(self, other: near.Program) -> int:
        """Append all steps of another one; returns the number of the first of them.

        What was ``Ref(n)`` there is ``Ref(first + n)`` here; a Region stays the same, and is that
        of the first time if a program is appended twice. Handles are used here too.
        """
        first, at = len(self), len(self.ops)
        if isinstance(other, HoldingProgram):
            self.handles += [(at + place, handle) for place, handle in other.handles]
            self.made |= {
                first + step: FDRef(first + step, ref.kind) for step, ref in other.made.items()
            }
        return super().extend(other)
