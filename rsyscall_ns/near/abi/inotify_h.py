"""``<sys/inotify.h>``: what is watched for, and what inotify tells."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from enum import IntFlag
from typing import Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["IN", "LARGEST_EVENT", "InotifyEvent", "inotify_events"]

HEAD: Final = struct.Struct("<iIII")  # ``struct inotify_event``: wd, mask, cookie, len
NAME_MAX: Final = 255
LARGEST_EVENT: Final = HEAD.size + NAME_MAX + 1


class IN(IntFlag):
    """``IN_*`` (``inotify(7)``)."""

    NONE = 0
    ACCESS = 1
    MODIFY = 2
    ATTRIB = 4
    CLOSE_WRITE = 8
    CLOSE_NOWRITE = 0x10
    CLOSE = 0x18
    OPEN = 0x20
    MOVED_FROM = 0x40
    MOVED_TO = 0x80
    MOVE = 0xC0
    CREATE = 0x100
    DELETE = 0x200
    DELETE_SELF = 0x400
    MOVE_SELF = 0x800
    ALL_EVENTS = 0xFFF
    UNMOUNT = 0x2000
    Q_OVERFLOW = 0x4000
    IGNORED = 0x8000
    ONLYDIR = 0x1000000
    DONT_FOLLOW = 0x2000000
    EXCL_UNLINK = 0x4000000
    MASK_CREATE = 0x10000000
    MASK_ADD = 0x20000000
    ISDIR = 0x40000000
    ONESHOT = 0x80000000


@value
class InotifyEvent:
    """``struct inotify_event``. ``wd``: the watch, -1 where events were lost.

    ``cookie`` is the same in the two events of one rename. ``name``: in the watched directory.
    """

    wd: int
    mask: IN
    cookie: int = 0
    name: str = ""

    def pack(self) -> bytes:
        """Return the event as read gives it."""
        name = os.fsencode(self.name)
        length = -(-(len(name) + 1) // HEAD.size) * HEAD.size if name else 0
        fit("length of an event's name", len(name), 0, NAME_MAX)
        return HEAD.pack(
            fit("InotifyEvent.wd", self.wd, -(2**31), 2**31 - 1),
            fit("InotifyEvent.mask", self.mask, 0, 2**32 - 1),
            fit("InotifyEvent.cookie", self.cookie, 0, 2**32 - 1),
            length,
        ) + name.ljust(length, b"\0")


def inotify_events(data: bytes) -> Iterator[InotifyEvent]:
    """Return the events in what was read of an inotify fd. ``inotify(7)``."""
    at = 0
    while at < len(data):
        if len(data) - at < HEAD.size:
            raise SerializerError("struct inotify_event", HEAD.size, len(data) - at, least=True)
        wd, mask, cookie, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        if length > len(data) - at:
            raise SerializerError("an event's name", length, len(data) - at, least=True)
        name, end, _ = data[at : at + length].partition(b"\0")
        if length and not end:
            raise SerializerError.malformed("an inotify event", "has a name without a NUL")
        yield InotifyEvent(wd, IN(mask), cookie, os.fsdecode(name))
        at += length
