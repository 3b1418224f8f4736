"""``<linux/eventpoll.h>``: what an epoll watches for, and the events that it gives."""

from __future__ import annotations

import os
import struct
from enum import IntEnum, IntFlag
from typing import ClassVar, Final, Self

from attrs import frozen

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit

from .layout import CStruct, c_struct, u8, u16, u32

__all__ = ["EPIOCGPARAMS", "EPIOCSPARAMS", "EPOLL", "EPOLL_CTL", "EVENT_SIZE", "EpollEvent"]
__all__ += ["EpollParams", "event_layout"]

EPIOCSPARAMS: Final = 0x40088A01
EPIOCGPARAMS: Final = 0x80088A02


class EPOLL(IntFlag):
    """``EPOLL*``: events, and how they are told (``epoll_ctl(2)``)."""

    IN = 0x1
    PRI = 0x2
    OUT = 0x4
    ERR = 0x8
    HUP = 0x10
    NVAL = 0x20
    RDNORM = 0x40
    RDBAND = 0x80
    WRNORM = 0x100
    WRBAND = 0x200
    MSG = 0x400
    RDHUP = 0x2000
    EXCLUSIVE = 1 << 28
    WAKEUP = 1 << 29
    ONESHOT = 1 << 30
    ET = 1 << 31


class EPOLL_CTL(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``EPOLL_CTL_*``: what ``epoll_ctl(2)`` does."""

    ADD = 1
    DEL = 2
    MOD = 3


def event_layout(machine: str) -> struct.Struct:
    """Return how ``struct epoll_event`` lies in memory: packed on x86_64, and nowhere else."""
    return struct.Struct("<IQ" if machine == "x86_64" else "<I4xQ")


_EVENT: Final = event_layout(os.uname().machine)
EVENT_SIZE: Final = _EVENT.size


@frozen
class EpollEvent:
    """``struct epoll_event``. ``data``: 64 bits that mean what the caller wants."""

    events: EPOLL = EPOLL(0)
    data: int = 0

    def pack(self) -> bytes:
        """Return the struct; what does not fit its field raises ArgumentRangeError."""
        return _EVENT.pack(
            fit("EpollEvent.events", self.events, 0, 2**32 - 1),
            fit("EpollEvent.data", self.data, 0, 2**64 - 1),
        )

    @classmethod
    def sizeof(cls) -> int:
        """Return how many bytes it takes."""
        return EVENT_SIZE

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the value that ``data`` is, which must be neither shorter nor longer."""
        if len(data) != EVENT_SIZE:
            raise SerializerError("struct epoll_event", EVENT_SIZE, len(data))
        events, word = _EVENT.unpack(data)
        return cls(EPOLL(events), word)


@c_struct
class EpollParams(CStruct):
    """``struct epoll_params``: how an epoll polls network devices; microseconds, packets."""

    C_NAME: ClassVar = "struct epoll_params"
    C_HEADER: ClassVar = "linux/eventpoll.h"
    NEWER: ClassVar = frozenset({"busy_poll_usecs", "busy_poll_budget", "prefer_busy_poll"})
    busy_poll_usecs: int = u32()
    busy_poll_budget: int = u16()
    prefer_busy_poll: int = u8(then=1)
