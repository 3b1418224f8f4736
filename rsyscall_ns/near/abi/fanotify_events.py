"""What is read of a fanotify group: events, each with records of further information."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

from .fanotify_h import FAN
from .file_handle_h import FileHandle

__all__ = ["FanotifyError", "FanotifyFid", "FanotifyInfo", "FanotifyMount", "FanotifyOther"]
__all__ += ["FanotifyPidfd", "FanotifyRange", "FanotifyRecord", "fanotify_records"]

METADATA: Final = struct.Struct("<IBBHQii")  # ``struct fanotify_event_metadata``
VERSION: Final = 3
INFO: Final = struct.Struct("<BBH")  # ``struct fanotify_event_info_header``: type, pad, len
FSID: Final = 8
FID, DFID_NAME, DFID, PIDFD, ERROR, RANGE, MNT = 1, 2, 3, 4, 5, 6, 7
OLD_DFID_NAME, NEW_DFID_NAME = 10, 12
NAMED: Final = {DFID_NAME, OLD_DFID_NAME, NEW_DFID_NAME}
FIDS: Final = {FID, DFID, *NAMED}
PIDFD_BODY: Final = struct.Struct("<i")
ERROR_BODY: Final = struct.Struct("<iI")
RANGE_BODY: Final = struct.Struct("<4xQQ")
MNT_BODY: Final = struct.Struct("<4xQ")
ALIGNMENT: Final = 4


@value
class FanotifyFid:
    """A file, or a directory and a name in it: ``fanotify(7)``. ``type``: of the record."""

    type: int
    fsid: bytes  # as ``Statfs.fsid.val``
    handle: FileHandle
    name: str = ""

    def body(self) -> bytes:
        """Return what follows the record's header."""
        if len(self.fsid) != FSID:
            raise SerializerError("FanotifyFid.fsid", FSID, len(self.fsid))
        name = os.fsencode(self.name) + b"\0" if self.type in NAMED else b""
        return self.fsid + self.handle.pack() + name


@value
class FanotifyPidfd:
    """A pidfd of who caused the event, -1 if it is gone, -2 if none could be made."""

    pidfd: int
    type: int = PIDFD

    def body(self) -> bytes:
        """Return what follows the record's header."""
        return PIDFD_BODY.pack(fit("FanotifyPidfd.pidfd", self.pidfd, -(2**31), 2**31 - 1))


@value
class FanotifyError:
    """What went wrong in the file system: the first errno, and how many there were."""

    error: int
    count: int
    type: int = ERROR

    def body(self) -> bytes:
        """Return what follows the record's header."""
        error = fit("FanotifyError.error", self.error, -(2**31), 2**31 - 1)
        return ERROR_BODY.pack(error, fit("FanotifyError.count", self.count, 0, 2**32 - 1))


@value
class FanotifyRange:
    """The part of the file that will be used, in bytes: whole pages."""

    offset: int
    count: int
    type: int = RANGE

    def body(self) -> bytes:
        """Return what follows the record's header."""
        offset = fit("FanotifyRange.offset", self.offset, 0, 2**64 - 1)
        return RANGE_BODY.pack(offset, fit("FanotifyRange.count", self.count, 0, 2**64 - 1))


@value
class FanotifyMount:
    """The unique id of a mount that was attached or detached."""

    mnt_id: int
    type: int = MNT

    def body(self) -> bytes:
        """Return what follows the record's header."""
        return MNT_BODY.pack(fit("FanotifyMount.mnt_id", self.mnt_id, 0, 2**64 - 1))


@value
class FanotifyOther:
    """A record of a type that is not known here."""

    type: int
    data: bytes

    def body(self) -> bytes:
        """Return what follows the record's header."""
        return self.data


FanotifyInfo = (
    FanotifyFid | FanotifyPidfd | FanotifyError | FanotifyRange | FanotifyMount | FanotifyOther
)


@value
class FanotifyRecord:
    """``struct fanotify_event_metadata`` and what follows it. ``fd`` is -1 where there is none."""

    mask: FAN
    fd: int
    pid: int
    info: tuple[FanotifyInfo, ...] = ()

    def pack(self) -> bytes:
        """Return the event as read gives it."""
        records = b"".join(_packed(info) for info in self.info)
        return (
            METADATA.pack(
                METADATA.size + len(records),
                VERSION,
                0,
                METADATA.size,
                fit("FanotifyRecord.mask", self.mask, 0, 2**64 - 1),
                fit("FanotifyRecord.fd", self.fd, -(2**31), 2**31 - 1),
                fit("FanotifyRecord.pid", self.pid, -(2**31), 2**31 - 1),
            )
            + records
        )


def fanotify_records(data: bytes) -> Iterator[FanotifyRecord]:
    """Return the events in what was read of a fanotify group. ``fanotify(7)``."""
    at = 0
    while at < len(data):
        left = len(data) - at
        _need("struct fanotify_event_metadata", METADATA.size, left)
        length, version, _, head, mask, fd, pid = METADATA.unpack_from(data, at)
        if version != VERSION:
            raise SerializerError.malformed("a fanotify event", f"is of version {version}, not 3")
        if not METADATA.size <= head <= length <= left:
            raise SerializerError("a fanotify event", max(head, length), left, least=True)
        info = tuple(_infos(data[at + head : at + length]))
        yield FanotifyRecord(FAN(mask), fd, pid, info)
        at += length


def _need(what: str, size: int, got: int) -> None:
    if got < size:
        raise SerializerError(what, size, got, least=True)


def _packed(info: FanotifyInfo) -> bytes:
    body = info.body()
    # a record that is not known has its length to the byte, for nothing tells where its data end
    unit = 1 if isinstance(info, FanotifyOther) else ALIGNMENT
    length = -(-(INFO.size + len(body)) // unit) * unit
    fit("length of a fanotify record", length, 0, 2**16 - 1)
    return (INFO.pack(fit("type", info.type, 0, 255), 0, length) + body).ljust(length, b"\0")


def _infos(data: bytes) -> Iterator[FanotifyInfo]:
    at = 0
    while at < len(data):
        left = len(data) - at
        _need("struct fanotify_event_info_header", INFO.size, left)
        kind, _, length = INFO.unpack_from(data, at)
        if not INFO.size <= length <= left:
            raise SerializerError("a fanotify record", max(length, INFO.size), left, least=True)
        yield _info(kind, data[at + INFO.size : at + length])
        at += length


def _info(kind: int, body: bytes) -> FanotifyInfo:
    if kind in FIDS:
        return _fid(kind, body)
    if kind == PIDFD:
        _need("a pidfd record", PIDFD_BODY.size, len(body))
        return FanotifyPidfd(*PIDFD_BODY.unpack_from(body))
    if kind == ERROR:
        _need("an error record", ERROR_BODY.size, len(body))
        return FanotifyError(*ERROR_BODY.unpack_from(body))
    if kind == RANGE:
        _need("a range record", RANGE_BODY.size, len(body))
        return FanotifyRange(*RANGE_BODY.unpack_from(body))
    if kind == MNT:
        _need("a mount record", MNT_BODY.size, len(body))
        return FanotifyMount(*MNT_BODY.unpack_from(body))
    return FanotifyOther(kind, body)


def _fid(kind: int, body: bytes) -> FanotifyFid:
    _need("a file record", FSID, len(body))
    handle = FileHandle.unpack(body[FSID:], exact=False)
    name = ""
    if kind in NAMED:
        rest = body[FSID + len(handle.pack()) :]
        text, end, _ = rest.partition(b"\0")
        if not end:
            raise SerializerError.malformed("a fanotify record", "has a name without a NUL")
        name = os.fsdecode(text)
    return FanotifyFid(kind, body[:FSID], handle, name)
