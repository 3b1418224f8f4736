"""What quotactl is given and gives."""

from __future__ import annotations

from typing import Any, Final, Self, final

import trio

from rsyscall_ns.memory.serializers import INT32, Serializer, struct_of
from rsyscall_ns.near.abi.layout import CStruct
from rsyscall_ns.near.abi.quota_h import QFMT, Dqblk, Dqinfo, NextDqblk, Q
from rsyscall_ns.near.ids import Address

from .pointers.context import MemoryTask
from .pointers.passing import given, room
from .pointers.pointer import Pointer

__all__ = ["QuotaValue", "quota_argument"]

QuotaValue = Dqblk | NextDqblk | Dqinfo | QFMT | bytes | Pointer[Any]
GIVES: Final[dict[Q, Serializer[Any]]] = {
    Q.GETFMT: INT32,
    Q.GETINFO: struct_of(Dqinfo),
    Q.GETQUOTA: struct_of(Dqblk),
    Q.GETNEXTQUOTA: struct_of(NextDqblk),
}


@final
class quota_argument:  # noqa: N801 - used as a function
    """The last argument: the struct to be set, memory for one to be got, the path of a quota file.

    ``address`` is None where there is none.
    """

    __slots__ = ("_held", "_op", "address")

    address: Address | None

    def __init__(self, task: MemoryTask, op: Q, value: QuotaValue | None) -> None:
        self._op = op
        self._held: room[Any] | given
        if op in GIVES:
            self._held = room(task, GIVES[op], value if isinstance(value, Pointer) else None)
        elif isinstance(value, CStruct | Pointer | bytes) or value is None:
            self._held = given(task, value)
        else:
            self._held = given(task, INT32.to_bytes(value))

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> Self:
        self.address = self._held.__enter__().address
        return self

    @trio.lowlevel.enable_ki_protection
    def __exit__(self, *_: object) -> None:
        self._held.__exit__()

    def result(self) -> QuotaValue | None:
        """Return what was got, None where something was set."""
        if isinstance(self._held, given):
            return None
        found: QuotaValue = self._held.result()
        return QFMT(found) if isinstance(found, int) else found
