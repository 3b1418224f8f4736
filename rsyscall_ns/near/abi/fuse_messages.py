"""How requests and answers of FUSE are put together, and what READDIR answers.

Without I/O: bytes in, values out. Each message is one ``read`` or ``write`` of ``/dev/fuse``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final, TypeVar

from attrs import field

from rsyscall_ns.near.errors import PathError, SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

from .fuse_change_h import FuseDirentHead
from .fuse_h import FUSE, FuseInHeader, FuseInitIn, FuseOutHeader
from .layout import CStruct

__all__ = ["FuseDirent", "FuseReply", "FuseRequest", "pack_dirents", "unpack_dirents"]

Struct = TypeVar("Struct", bound=CStruct)
ALIGNMENT: Final = 8
SHORTEST: Final[dict[type[CStruct], int]] = {FuseInitIn: 16}  # as older kernels send it
ERROR_LIMIT: Final = 511
LONGEST_MESSAGE: Final = 2**32 - 1


@value
class FuseRequest:
    """What the kernel asks: of which node, for whom. ``body``: what follows the header."""

    opcode: FUSE | int
    unique: int
    nodeid: int = 0
    uid: int = 0
    gid: int = 0
    pid: int = 0
    body: bytes = b""
    extensions: bytes = b""

    @classmethod
    def unpack(cls, data: bytes) -> FuseRequest:
        """Return the request that ``data`` is; SerializerError if it is not exactly one."""
        size = FuseInHeader.sizeof()
        if len(data) < size:
            raise SerializerError("struct fuse_in_header", size, len(data), least=True)
        head = FuseInHeader.unpack(data[:size])
        if head.len != len(data):
            raise SerializerError("a FUSE request", head.len, len(data))
        end = len(data) - ALIGNMENT * head.total_extlen
        if end < size:
            least = size + ALIGNMENT * head.total_extlen
            raise SerializerError("a FUSE request with extensions", least, len(data), least=True)
        ids = (head.nodeid, head.uid, head.gid, head.pid)
        return cls(head.opcode, head.unique, *ids, data[size:end], data[end:])

    def pack(self) -> bytes:
        """Return the bytes, as the kernel sends them."""
        length = FuseInHeader.sizeof() + len(self.body) + len(self.extensions)
        if len(self.extensions) % ALIGNMENT:
            whole = -(-len(self.extensions) // ALIGNMENT) * ALIGNMENT
            raise SerializerError("extensions of a FUSE request", whole, len(self.extensions))
        head = FuseInHeader(
            len=length,
            opcode=self.opcode,
            unique=self.unique,
            nodeid=self.nodeid,
            uid=self.uid,
            gid=self.gid,
            pid=self.pid,
            total_extlen=len(self.extensions) // ALIGNMENT,
        )
        return head.pack() + self.body + self.extensions

    def argument(self, cls: type[Struct]) -> Struct:
        """Return the struct that the body begins with."""
        size = cls.sizeof()
        shortest = SHORTEST.get(cls, size)
        if len(self.body) < shortest:
            raise SerializerError(cls.C_NAME, shortest, len(self.body), least=True)
        return cls.unpack(self.body[:size].ljust(size, b"\0"))

    def names(self, count: int, after: type[CStruct] | None = None) -> tuple[str, ...]:
        """Return so many names, which the body has behind that struct."""
        start = 0 if after is None else after.sizeof()
        found: list[str] = []
        for _ in range(count):
            end = self.body.find(b"\0", start)
            if end < 0:
                raise SerializerError("names of a FUSE request", start + 1, len(self.body))
            found.append(os.fsdecode(self.body[start:end]))
            start = end + 1
        return tuple(found)

    def data(self, after: type[CStruct]) -> bytes:
        """Return the data that the body has behind that struct, as WRITE has."""
        self.argument(after)
        return self.body[after.sizeof() :]


@value
class FuseReply:
    """An answer to the request ``unique``: an errno, or 0 and what it asks for."""

    unique: int
    error: int = field(default=0)
    body: bytes = b""

    @classmethod
    def unpack(cls, data: bytes) -> FuseReply:
        """Return the answer that ``data`` is; SerializerError if it is not exactly one."""
        size = FuseOutHeader.sizeof()
        if len(data) < size:
            raise SerializerError("struct fuse_out_header", size, len(data), least=True)
        head = FuseOutHeader.unpack(data[:size])
        if head.len != len(data):
            raise SerializerError("a FUSE answer", head.len, len(data))
        if not -ERROR_LIMIT <= head.error <= 0:
            raise SerializerError.malformed("a FUSE answer", f"has the error {head.error}")
        return cls(head.unique, -head.error, data[size:])

    def pack(self) -> bytes:
        """Return the bytes, as the server writes them."""
        error = fit("errno", self.error, 0, ERROR_LIMIT)
        length = fit("length", FuseOutHeader.sizeof() + len(self.body), 0, LONGEST_MESSAGE)
        return FuseOutHeader(length, -error, self.unique).pack() + self.body


@value
class FuseDirent:
    """A name in a directory. ``off``: where the next READDIR goes on; ``type``: S_IFMT >> 12."""

    ino: int
    off: int
    type: int
    name: str

    def pack(self) -> bytes:
        """Return its bytes, with what makes them a multiple of 8."""
        name = os.fsencode(self.name)
        if b"\0" in name or b"/" in name or not name:
            raise PathError(self.name, "can be no name in a directory")
        data = FuseDirentHead(self.ino, self.off, len(name), self.type).pack() + name
        return data.ljust(-(-len(data) // ALIGNMENT) * ALIGNMENT, b"\0")


def pack_dirents(entries: Iterable[FuseDirent], size: int) -> bytes:
    """Return those entries from the first on that fit ``size`` bytes: the answer to READDIR."""
    found = b""
    for entry in entries:
        data = entry.pack()
        if len(found) + len(data) > size:
            break
        found += data
    return found


def unpack_dirents(data: bytes) -> list[FuseDirent]:
    """Return the entries of an answer to READDIR; SerializerError where one is not whole."""
    head_size = FuseDirentHead.sizeof()
    found: list[FuseDirent] = []
    start = 0
    while start < len(data):
        if len(data) - start < head_size:
            raise SerializerError("struct fuse_dirent", head_size, len(data) - start, least=True)
        head = FuseDirentHead.unpack(data[start : start + head_size])
        end = start + head_size + head.namelen
        whole = -(-end // ALIGNMENT) * ALIGNMENT
        if whole > len(data):
            raise SerializerError("struct fuse_dirent", whole - start, len(data) - start)
        name = os.fsdecode(data[start + head_size : end])
        found.append(FuseDirent(head.ino, head.off, head.type, name))
        start = whole
    return found
