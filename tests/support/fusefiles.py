"""A file system of a few files that a test serves over a FuseFD."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from errno import ENODEV, ENOENT, ENOSYS
from typing import Final, final

from rsyscall_ns import (
    FUSE,
    FUSE_ROOT_ID,
    CStruct,
    FuseAttr,
    FuseAttrOut,
    FuseDirent,
    FuseEntryOut,
    FuseFD,
    FuseInitIn,
    FuseInitOut,
    FuseKstatfs,
    FuseOpenOut,
    FuseReadIn,
    FuseRequest,
    pack_dirents,
)

__all__ = ["FuseFiles"]

MINOR: Final = 38
SILENT: Final = {FUSE.FORGET, FUSE.BATCH_FORGET, FUSE.INTERRUPT}  # have no answer
Answer = bytes | CStruct | int  # or an errno


@final
class FuseFiles:
    """One directory, with files of these contents. ``seen``: what was asked."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.names = list(files)
        self.contents = list(files.values())
        self.seen: list[FUSE | int] = []
        self.kernel: FuseInitIn | None = None

    async def serve(self, fd: FuseFD) -> None:
        """Answer until the file system is unmounted; closes the fd, so that nobody waits on."""
        try:
            while True:
                request = await fd.read_request()
                self.seen.append(request.opcode)
                if request.opcode in SILENT:
                    continue
                answer = self.answer(request)
                with suppress(FileNotFoundError):  # nobody waits: a release when all is unmounted
                    if isinstance(answer, int):
                        await fd.reply_error(request, answer)
                    else:
                        await fd.reply(request, answer)
        except OSError as error:
            if error.errno != ENODEV:
                raise
        finally:
            await fd.close()

    def answer(self, request: FuseRequest) -> Answer:
        answers: dict[int, Callable[[FuseRequest], Answer]] = {
            FUSE.INIT: self.init,
            FUSE.LOOKUP: self.lookup,
            FUSE.GETATTR: lambda asked: FuseAttrOut(attr=self.attr(asked.nodeid)),
            FUSE.READ: self.read,
            FUSE.READDIR: self.readdir,
            FUSE.STATFS: lambda _: FuseKstatfs(bsize=4096, namelen=255),
        }
        empty = {FUSE.RELEASE, FUSE.RELEASEDIR, FUSE.FLUSH, FUSE.DESTROY}
        if request.opcode in {FUSE.OPEN, FUSE.OPENDIR}:
            return FuseOpenOut(fh=request.nodeid)
        if request.opcode in empty:
            return b""
        known = answers.get(request.opcode)
        return ENOSYS if known is None else known(request)

    def init(self, request: FuseRequest) -> FuseInitOut:
        self.kernel = request.argument(FuseInitIn)
        return FuseInitOut(major=self.kernel.major, minor=MINOR, max_write=65536)

    def attr(self, node: int) -> FuseAttr:
        if node == FUSE_ROOT_ID:
            return FuseAttr(ino=node, mode=stat.S_IFDIR | 0o755, nlink=2)
        size = len(self.contents[node - 2])
        return FuseAttr(ino=node, mode=stat.S_IFREG | 0o444, nlink=1, size=size)

    def lookup(self, request: FuseRequest) -> Answer:
        (name,) = request.names(1)
        if name not in self.names:
            return ENOENT
        node = self.names.index(name) + 2
        return FuseEntryOut(nodeid=node, attr=self.attr(node))

    def read(self, request: FuseRequest) -> Answer:
        asked = request.argument(FuseReadIn)
        return self.contents[request.nodeid - 2][asked.offset : asked.offset + asked.size]

    def readdir(self, request: FuseRequest) -> Answer:
        asked = request.argument(FuseReadIn)
        entries = [
            FuseDirent(place + 2, place + 1, stat.S_IFREG >> 12, name)
            for place, name in enumerate(self.names)
        ]
        return pack_dirents(entries[asked.offset :], asked.size)
