"""``<dirent.h>``: what getdents64 writes."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["DT", "DirectoryEntry", "directory_entries", "pack_directory_entries"]

HEAD: Final = struct.Struct("<QqHB")  # ``struct linux_dirent64``: ino, off, reclen, type
ALIGNMENT: Final = 8
LONGEST: Final = 2**16 - ALIGNMENT


class DT(IntEnum):
    """``DT_*``: the types of files; some file systems tell none but ``UNKNOWN``."""

    UNKNOWN = 0
    FIFO = 1
    CHR = 2
    DIR = 4
    BLK = 6
    REG = 8
    LNK = 10
    SOCK = 12
    WHT = 14


@value
class DirectoryEntry:
    """A name in a directory. ``offset``: where lseek finds the next one."""

    ino: int
    offset: int
    type: DT | int
    name: str

    def pack(self) -> bytes:
        """Return the entry as getdents64 writes it."""
        name = os.fsencode(self.name) + b"\0"
        length = -(-(HEAD.size + len(name)) // ALIGNMENT) * ALIGNMENT
        fit("length of a directory entry", length, 0, LONGEST)
        fit("DirectoryEntry.ino", self.ino, 0, 2**64 - 1)
        fit("DirectoryEntry.offset", self.offset, -(2**63), 2**63 - 1)
        kind = fit("DirectoryEntry.type", self.type, 0, 255)
        return (HEAD.pack(self.ino, self.offset, length, kind) + name).ljust(length, b"\0")


def directory_entries(data: bytes) -> Iterator[DirectoryEntry]:
    """Return the entries in what getdents64 wrote. ``getdents64(2)``."""
    at = 0
    while at < len(data):
        if len(data) - at < HEAD.size:
            raise SerializerError("struct linux_dirent64", HEAD.size, len(data) - at, least=True)
        ino, offset, length, kind = HEAD.unpack_from(data, at)
        if length <= HEAD.size or length > len(data) - at:
            raise SerializerError("a directory entry", length, len(data) - at, least=True)
        name, end, _ = data[at + HEAD.size : at + length].partition(b"\0")
        if not end:
            raise SerializerError.malformed("a directory entry", "has a name without a NUL")
        known = DT(kind) if kind in set(DT) else kind
        yield DirectoryEntry(ino, offset, known, os.fsdecode(name))
        at += length


def pack_directory_entries(entries: Iterable[DirectoryEntry]) -> bytes:
    """Return what getdents64 would write."""
    return b"".join(entry.pack() for entry in entries)
