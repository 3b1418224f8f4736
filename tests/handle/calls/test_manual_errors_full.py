"""Errors of file systems that are full, of files that may not change, of too many links.

EDQUOT and ERANGE of ``quotactl(2)`` take a quota that is on, which would be the machine's.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path

import pytest

from rsyscall_ns import (
    CLONE,
    FS_FL,
    FileFD,
    O,
    Q,
    QuotaType,
    Task,
)
from tests.support.children import IS_ROOT
from tests.support.provoked import Case, Provoked, Scene, Use, cases, provoke

ROOM = 16384  # bytes
MOST_LINKS = 65000  # of ext4


async def on_file(
    p: Scene, use: Callable[[FileFD], Awaitable[object]], flags: int = O.RDWR
) -> None:
    """Use the file that there is."""
    async with await p.task.fs.open(p.folder / "file", flags) as fd:
        await use(fd)


async def unnamed(p: Scene) -> None:
    """Make a file without a name in a file system that has none of them."""
    await p.task.mount.mount("none", p.folder, "devpts")
    await p.task.fs.open(p.folder, O.TMPFILE | O.RDWR)


FULL: Provoked[Scene] = {
    "open": [
        ("ENOSPC", lambda p: p.task.fs.open(p.folder / "new", O.CREAT | O.RDWR)),
        ("EOPNOTSUPP", unnamed),
    ],
    "mkdir": [("ENOSPC", lambda p: p.task.fs.mkdir(p.folder / "new"))],
    "mknod": [("ENOSPC", lambda p: p.task.fs.mknod(p.folder / "new", 0o010600))],
    "symlink": [("ENOSPC", lambda p: p.task.fs.symlink("to", p.folder / "new"))],
    "link": [("ENOSPC", lambda p: p.task.fs.link(p.folder / "file", p.folder / "new"))],
    "write": [("ENOSPC", lambda p: on_file(p, lambda fd: fd.write(b"a"), O.RDWR | O.APPEND))],
    "pwrite": [("ENOSPC", lambda p: on_file(p, lambda fd: fd.pwrite(b"a", 2 * ROOM)))],
    "pwritev": [("ENOSPC", lambda p: on_file(p, lambda fd: fd.pwritev([b"a"], 2 * ROOM)))],
    "fallocate": [("ENOSPC", lambda p: on_file(p, lambda fd: fd.fallocate(0, 8 * ROOM)))],
}


def file(p: Scene) -> Path:
    """Return the path of the file."""
    return p.folder / "file"


def fixed(use: Callable[[Scene, FileFD], Awaitable[object]]) -> Use[Scene]:
    """Use a file that nobody may change."""

    async def run(p: Scene) -> None:
        async with await p.task.fs.open(p.folder / "file", O.RDWR) as file:
            try:
                old = await file.getflags()
                assert isinstance(old, FS_FL)
                await file.setflags(old | FS_FL.IMMUTABLE)
            except OSError as error:
                if error.errno not in {errno.ENOTTY, errno.EOPNOTSUPP, errno.EPERM}:
                    raise
                pytest.skip(f"this file system has no files that may not change: {error}")
            try:
                await use(p, file)
            finally:
                await file.setflags(old)

    return run


async def unappended(p: Scene) -> None:
    """Let a file that only grows be written anywhere."""
    async with await p.task.fs.open(p.folder / "file", O.RDWR | O.APPEND) as file:
        old = await file.getflags()
        assert isinstance(old, FS_FL)
        try:
            await file.setflags(old | FS_FL.APPEND)
        except OSError as error:
            if error.errno not in {errno.ENOTTY, errno.EOPNOTSUPP, errno.EPERM}:
                raise
            pytest.skip(f"this file system has no files that only grow: {error}")
        try:
            await file.setfl(O.RDWR)
        finally:
            await file.setflags(old)


FIXED: Provoked[Scene] = {
    "open": [("EPERM", fixed(lambda p, _: p.task.fs.open(file(p), O.WRONLY)))],
    "chmod": [("EPERM", fixed(lambda p, _: p.task.fs.chmod(file(p), 0o600)))],
    "chown": [("EPERM", fixed(lambda p, _: p.task.fs.chown(file(p), 0, 0)))],
    "link": [("EPERM", fixed(lambda p, _: p.task.fs.link(file(p), p.folder / "new")))],
    "rename": [("EPERM", fixed(lambda p, _: p.task.fs.rename(file(p), p.folder / "new")))],
    "setxattr": [("EPERM", fixed(lambda p, _: p.task.fs.setxattr(file(p), "user.a", b"")))],
    "removexattr": [("EPERM", fixed(lambda p, _: p.task.fs.removexattr(file(p), "user.a")))],
    "truncate": [("EPERM", fixed(lambda p, _: p.task.fs.truncate(file(p), 0)))],
    "unlink": [("EPERM", fixed(lambda p, _: p.task.fs.unlink(file(p))))],
    "utimensat": [("EPERM", fixed(lambda p, _: p.task.fs.utimensat(file(p), (1, 1))))],
    "fallocate": [("EPERM", fixed(lambda _, fd: fd.fallocate(0, 1)))],
    "fcntl": [("EPERM", unappended)],
}


@pytest.fixture(params=["our memory", "own memory"])
async def full(
    request: pytest.FixtureRequest, local: Task, tmp_path: Path
) -> AsyncGenerator[Scene, None]:
    own = request.param == "own memory"
    flags = CLONE.NEWUSER | CLONE.NEWNS
    async with local.spawn(flags, uid_map=True, gid_map=True, own_memory=own) as child:
        options = f"size={ROOM},nr_inodes=2"
        await child.mount.mount("none", tmp_path, "tmpfs", data=options)
        await child.fs.write_bytes(tmp_path / "file", bytes(ROOM))
        yield Scene(child, tmp_path)


@cases(FULL)
async def test_a_file_system_that_is_full_keeps_the_errno_of_the_page(
    full: Scene, case: Case[Scene]
) -> None:
    await provoke(full.task, case, full)


@pytest.mark.skipif(not IS_ROOT, reason="only root may forbid changes of a file")
@cases(FIXED)
async def test_a_file_that_is_fixed_keeps_the_errno_of_the_page(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    (tmp_path / "file").touch()
    await provoke(task, case, Scene(task, tmp_path))


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """Make a file that has as many links as its file system allows."""
    folder = tmp_path_factory.mktemp("links")
    if os.pathconf(folder, "PC_LINK_MAX") != MOST_LINKS:
        pytest.skip("this file system limits the links of a file otherwise than ext4")
    file = folder / "0"
    file.touch()
    directory = os.open(folder, os.O_RDONLY)
    try:
        for number in range(1, MOST_LINKS):
            os.link("0", str(number), src_dir_fd=directory, dst_dir_fd=directory)
        yield file
    finally:
        os.close(directory)
        shutil.rmtree(folder)


async def test_a_file_has_a_limited_number_of_links(task: Task, linked: Path) -> None:
    case = Case[Path]("link", "EMLINK", lambda file: task.fs.link(file, file.parent / "new"))
    await provoke(task, case, linked)


async def on_quota(p: Scene, path: str, op: Q = Q.GETQUOTA) -> None:
    """Ask for a quota of a file system."""
    async with await p.task.fs.open(path, O.RDONLY) as fd:
        await fd.quotactl_fd(op, QuotaType.USRQUOTA)


async def test_a_file_system_that_can_t_have_quotas_says_so(task: Task, tmp_path: Path) -> None:
    case = Case[Scene]("quotactl", "ENOSYS", lambda p: on_quota(p, "/proc"))
    await provoke(task, case, Scene(task, tmp_path))
