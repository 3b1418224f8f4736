"""``<fcntl.h>``: handles of files, which outlive fds."""

from __future__ import annotations

import struct
from typing import Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["MAX_HANDLE_SZ", "FileHandle"]

HEAD: Final = struct.Struct("<Ii")  # ``struct file_handle``: bytes, type
MAX_HANDLE_SZ: Final = 128


@value
class FileHandle:
    """``struct file_handle``: a file, as its file system names it (``open_by_handle_at(2)``)."""

    type: int
    handle: bytes

    def pack(self) -> bytes:
        """Return the struct with the handle behind it."""
        fit("size of a file handle", len(self.handle), 0, MAX_HANDLE_SZ)
        kind = fit("FileHandle.type", self.type, -(2**31), 2**31 - 1)
        return HEAD.pack(len(self.handle), kind) + self.handle

    @classmethod
    def unpack(cls, data: bytes, *, exact: bool = True) -> FileHandle:
        """Return the handle at the start of ``data``; ``exact``: nothing may follow it."""
        if len(data) < HEAD.size:
            raise SerializerError("struct file_handle", HEAD.size, len(data), least=True)
        size, kind = HEAD.unpack_from(data)
        end = HEAD.size + size
        if end > len(data) or (exact and end != len(data)):
            raise SerializerError("a file handle", end, len(data), least=not exact)
        if size > MAX_HANDLE_SZ:
            raise SerializerError("the largest file handle", MAX_HANDLE_SZ, size)
        return cls(kind, data[HEAD.size : end])
