"""``<linux/lsm.h>``: security modules, and what each calls the attributes of a thread."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum, IntFlag
from typing import Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["LSM_ATTR", "LSM_FLAG", "LSM_ID", "LsmCtx", "pack_contexts", "unpack_contexts"]

_HEAD: Final = struct.Struct("<QQQQ")  # id, flags, len, ctx_len
_ALIGNMENT: Final = 8
_LARGEST: Final = 2**64 - 1


class LSM_ID(IntEnum):  # noqa: N801 - the header's own prefix
    """``LSM_ID_*``: the security modules."""

    UNDEF = 0
    CAPABILITY = 100
    SELINUX = 101
    SMACK = 102
    TOMOYO = 103
    APPARMOR = 104
    YAMA = 105
    LOADPIN = 106
    SAFESETID = 107
    LOCKDOWN = 108
    BPF = 109
    LANDLOCK = 110
    IMA = 111
    EVM = 112
    IPE = 113


class LSM_ATTR(IntEnum):  # noqa: N801 - the header's own prefix
    """``LSM_ATTR_*``: attributes of a thread, as in ``/proc/PID/attr``."""

    UNDEF = 0
    CURRENT = 100
    EXEC = 101
    FSCREATE = 102
    KEYCREATE = 103
    PREV = 104
    SOCKCREATE = 105


class LSM_FLAG(IntFlag):  # noqa: N801 - as the others
    """``LSM_FLAG_*``: whose attribute is asked for."""

    NONE = 0
    SINGLE = 1


@value
class LsmCtx:
    """``struct lsm_ctx``: what one module says. ``ctx`` is often a string that ends with a NUL."""

    id: int
    ctx: bytes
    flags: int = 0
    room: int = 0  # bytes between ``ctx`` and the next one; at least what alignment takes

    def pack(self) -> bytes:
        """Return the struct, filled up so that another can follow."""
        for name in ("id", "flags", "room"):
            fit(name, getattr(self, name), 0, _LARGEST)
        room = self.room or -(_HEAD.size + len(self.ctx)) % _ALIGNMENT
        length = _HEAD.size + len(self.ctx) + room
        return _HEAD.pack(self.id, self.flags, length, len(self.ctx)) + self.ctx + bytes(room)


def pack_contexts(contexts: Iterable[LsmCtx]) -> bytes:
    """Return the structs one after the other."""
    return b"".join(one.pack() for one in contexts)


def unpack_contexts(data: bytes) -> tuple[LsmCtx, ...]:
    """Return what lies one after the other; raises SerializerError where a length is wrong."""
    found: list[LsmCtx] = []
    at = 0
    while at < len(data):
        left = len(data) - at
        if left < _HEAD.size:
            raise SerializerError("struct lsm_ctx", _HEAD.size, left, least=True)
        module, flags, length, size = _HEAD.unpack_from(data, at)
        need = _HEAD.size + size
        if length < need or length > left:
            raise SerializerError(f"a struct lsm_ctx of {length} bytes", need, left, least=True)
        start = at + _HEAD.size
        found.append(LsmCtx(module, data[start : start + size], flags, length - need))
        at += length
    return tuple(found)
