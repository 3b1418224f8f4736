"""Errors of file systems that are mounted read-only, or are not one: each keeps its errno."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import final

import pytest
from attrs import frozen

from rsyscall_ns import (
    AF,
    CLONE,
    MS,
    RENAME,
    SOCK,
    O,
    SockaddrUn,
    Task,
)
from tests.support.mounting import put
from tests.support.provoked import Case, Provoked, Scene, cases, provoke


@final
@frozen
class Trees(Scene):
    """A file system that can be written, and one that can only be read; each has two files."""

    @property
    def fixed(self) -> Path:
        return self.folder / "fixed"

    @property
    def free(self) -> Path:
        return self.folder / "free"


async def bound(p: Trees) -> None:
    """Give a socket a name where none can be made."""
    async with await p.task.net.socket(AF.UNIX, SOCK.STREAM) as socket:
        await socket.bind(SockaddrUn(bytes(p.fixed / "name")))


async def owned(p: Trees) -> None:
    """Give a file to the user that has it already."""
    uid = (await p.task.fs.stat(p.fixed / "file")).uid
    await p.task.fs.chown(p.fixed / "file", uid, -1)


PROVOKED: Provoked[Trees] = {
    "open": [
        ("EROFS", lambda p: p.task.fs.open(p.fixed / "file", O.WRONLY)),
        ("EROFS", lambda p: p.task.fs.open(p.fixed / "new", O.CREAT | O.WRONLY)),
        ("EROFS", lambda p: p.task.fs.open(p.fixed, O.TMPFILE | O.RDWR)),
    ],
    "mkdir": [("EROFS", lambda p: p.task.fs.mkdir(p.fixed / "new"))],
    "mknod": [("EROFS", lambda p: p.task.fs.mknod(p.fixed / "new", 0o010600))],
    "symlink": [("EROFS", lambda p: p.task.fs.symlink("to", p.fixed / "new"))],
    "unlink": [("EROFS", lambda p: p.task.fs.unlink(p.fixed / "file"))],
    "rmdir": [
        ("EROFS", lambda p: p.task.fs.rmdir(p.fixed / "empty")),
        ("EBUSY", lambda p: p.task.fs.rmdir(p.free)),
    ],
    "rename": [
        ("EROFS", lambda p: p.task.fs.rename(p.fixed / "file", p.fixed / "new")),
        ("EXDEV", lambda p: p.task.fs.rename(p.free / "file", p.folder / "new")),
        (
            "EXDEV",
            lambda p: p.task.fs.rename(p.free / "file", p.fixed / "file", flags=RENAME.EXCHANGE),
        ),
        ("EBUSY", lambda p: p.task.fs.rename(p.free, p.folder / "new")),
    ],
    "link": [
        ("EROFS", lambda p: p.task.fs.link(p.fixed / "file", p.fixed / "new")),
        ("EXDEV", lambda p: p.task.fs.link(p.free / "file", p.folder / "new")),
    ],
    "chmod": [("EROFS", lambda p: p.task.fs.chmod(p.fixed / "file", 0o600))],
    "chown": [("EROFS", owned)],
    "utimensat": [
        ("EROFS", lambda p: p.task.fs.utimensat(p.fixed / "file", (1, 1))),
    ],
    "truncate": [("EROFS", lambda p: p.task.fs.truncate(p.fixed / "file", 0))],
    "setxattr": [("EROFS", lambda p: p.task.fs.setxattr(p.fixed / "file", "user.a", b""))],
    "removexattr": [("EROFS", lambda p: p.task.fs.removexattr(p.fixed / "file", "user.a"))],
    "bind": [("EROFS", bound)],
}


@pytest.fixture(params=["our memory", "own memory"])
async def trees(
    request: pytest.FixtureRequest, local: Task, tmp_path: Path
) -> AsyncGenerator[Trees, None]:
    own = request.param == "own memory"
    flags = CLONE.NEWUSER | CLONE.NEWNS
    made = Trees(local, tmp_path)
    for tree in (made.fixed, made.free):
        tree.mkdir()
    async with local.spawn(flags, uid_map=True, gid_map=True, own_memory=own) as child:
        for tree in (made.fixed, made.free):
            await put(child, tree)
            await child.fs.mkdir(tree / "empty")
            async with await child.fs.open(tree / "file", O.CREAT | O.RDWR):
                pass
        await child.mount.mount("none", made.fixed, flags=MS.BIND | MS.REMOUNT | MS.RDONLY)
        yield Trees(child, tmp_path)


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(trees: Trees, case: Case[Trees]) -> None:
    await provoke(trees.task, case, trees)
