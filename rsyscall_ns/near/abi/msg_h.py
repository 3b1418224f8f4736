"""``<linux/msg.h>``: System V message queues."""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import ClassVar, Final, Self

from attrs import field

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

from .ipc_h import Ipc64Perm
from .layout import CStruct, c_struct, i32, i64, nested, u16, u64

__all__ = ["MSGCTL", "MSGRCV", "Msginfo", "MsqidDs", "SysVMessage"]

_TYPE: Final = struct.Struct("<q")


class MSGRCV(IntFlag):
    """``MSG_*`` and ``IPC_NOWAIT`` of ``msgrcv(2)`` and ``msgsnd(2)``."""

    NONE = 0
    NOWAIT = 0o4000
    NOERROR = 0o10000
    EXCEPT = 0o20000
    COPY = 0o40000


class MSGCTL(IntEnum):
    """``MSG_*`` of ``msgctl(2)``."""

    STAT = 11
    INFO = 12
    STAT_ANY = 13


@c_struct
class MsqidDs(CStruct):
    """``struct msqid64_ds``: what a queue is, and what is in it; times in seconds since 1970."""

    C_NAME: ClassVar = "struct msqid64_ds"
    C_HEADER: ClassVar = "linux/msg.h"
    perm: Ipc64Perm = nested(Ipc64Perm, c_name="msg_perm")
    stime: int = i64(c_name="msg_stime")
    rtime: int = i64(c_name="msg_rtime")
    ctime: int = i64(c_name="msg_ctime")
    cbytes: int = u64(c_name="msg_cbytes")
    qnum: int = u64(c_name="msg_qnum")
    qbytes: int = u64(c_name="msg_qbytes")
    lspid: int = i32(c_name="msg_lspid")
    lrpid: int = i32(c_name="msg_lrpid", then=16)


@c_struct
class Msginfo(CStruct):
    """``struct msginfo``: the limits of a namespace, or what is used of them."""

    C_NAME: ClassVar = "struct msginfo"
    C_HEADER: ClassVar = "linux/msg.h"
    pool: int = i32(c_name="msgpool")
    map: int = i32(c_name="msgmap")
    max: int = i32(c_name="msgmax")
    mnb: int = i32(c_name="msgmnb")
    mni: int = i32(c_name="msgmni")
    ssz: int = i32(c_name="msgssz")
    tql: int = i32(c_name="msgtql")
    seg: int = u16(c_name="msgseg")


def _positive(_message: object, _field: object, value: int) -> None:
    fit("message type", value, 1, 2**63 - 1)


@value
class SysVMessage:
    """``struct msgbuf``: a message of a type, which is a number from 1 on."""

    text: bytes
    type: int = field(default=1, validator=_positive)

    def pack(self) -> bytes:
        """Return the struct: the type, and the text without an end mark."""
        return _TYPE.pack(self.type) + self.text

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the message that ``data`` is; no type, or one below 1, is refused."""
        if len(data) < _TYPE.size:
            raise SerializerError("struct msgbuf", _TYPE.size, len(data), least=True)
        (kind,) = _TYPE.unpack_from(data)
        if kind < 1:
            raise SerializerError.malformed("struct msgbuf", f"has the type {kind}, below 1")
        return cls(data[_TYPE.size :], kind)
