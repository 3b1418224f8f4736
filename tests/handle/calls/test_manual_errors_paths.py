"""Errors of paths that every page of a file's name tells: each call keeps their errno."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from rsyscall_ns import Task
from tests.support.provoked import Case, Provoked, Scene, Use, cases, provoke

OnPath = Callable[[Task, Path], Awaitable[object]]


async def watched(task: Task, path: Path) -> None:
    """Watch a path."""
    async with await task.fs.inotify_init1() as watches:
        await watches.add_watch(path)


CALLS: Mapping[str, OnPath] = {
    "chdir": lambda t, path: t.fs.chdir(path),
    "chmod": lambda t, path: t.fs.chmod(path, 0o600),
    "chown": lambda t, path: t.fs.chown(path, -1, -1),
    "getxattr": lambda t, path: t.fs.getxattr(path, "user.a"),
    "inotify_add_watch": watched,
    "link": lambda t, path: t.fs.link(path / "from", path / "to"),
    "listxattr": lambda t, path: t.fs.listxattr(path),
    "mkdir": lambda t, path: t.fs.mkdir(path / "new"),
    "mknod": lambda t, path: t.fs.mknod(path / "new", 0o010600),
    "open": lambda t, path: t.fs.open(path / "file"),
    "readlink": lambda t, path: t.fs.readlink(path / "link"),
    "removexattr": lambda t, path: t.fs.removexattr(path, "user.a"),
    "rename": lambda t, path: t.fs.rename(path / "from", path / "to"),
    "rmdir": lambda t, path: t.fs.rmdir(path / "folder"),
    "setxattr": lambda t, path: t.fs.setxattr(path, "user.a", b""),
    "statfs": lambda t, path: t.fs.statfs(path),
    "statx": lambda t, path: t.fs.statx(path),
    "symlink": lambda t, path: t.fs.symlink("to", path / "new"),
    "truncate": lambda t, path: t.fs.truncate(path, 0),
    "unlink": lambda t, path: t.fs.unlink(path / "file"),
    "utimensat": lambda t, path: t.fs.utimensat(path),
}
PATHS: Mapping[str, str] = {
    "ELOOP": "loop/below",
    "ENAMETOOLONG": "x" * 256 + "/below",
    "ENOENT": "none/below",
    "ENOTDIR": "file/below",
}


async def on(call: OnPath, path: str, scene: Scene) -> None:
    """Make a call on a path in the folder."""
    await call(scene.task, scene.folder / path)


def each_path(call: OnPath) -> list[tuple[str, Use[Scene]]]:
    """Return the errors of paths of one call."""
    return [(name, partial(on, call, path)) for name, path in PATHS.items()]


PROVOKED: Provoked[Scene] = {page: each_path(call) for page, call in CALLS.items()}


@pytest.fixture
def scene(task: Task, tmp_path: Path) -> Scene:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    return Scene(task, tmp_path)


@cases(PROVOKED)
async def test_an_error_of_a_path_is_the_kernels_own(scene: Scene, case: Case[Scene]) -> None:
    await provoke(scene.task, case, scene)
