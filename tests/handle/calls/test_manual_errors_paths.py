"""Errors of paths that every page of a file's name tells: each call keeps their errno."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from functools import partial
from pathlib import Path

import pytest

from rsyscall_ns import (
    FAN,
    FAN_INIT,
    FAN_MARK,
    Command,
    FileAttr,
    FileFD,
    O,
    OpenHow,
    Task,
)
from tests.support.provoked import Case, Provoked, Scene, Use, cases, powerless, provoke

OnPath = Callable[[Task, Path], Awaitable[object]]
FromFile = Callable[[Task, FileFD], Awaitable[object]]


async def watched(task: Task, path: Path) -> None:
    """Watch a path."""
    async with await task.fs.inotify_init1() as watches:
        await watches.add_watch(path)


async def marked(task: Task, path: Path) -> None:
    """Watch a path by fanotify."""
    async with await task.fs.fanotify_init(FAN_INIT.REPORT_FID) as group:
        await group.mark(FAN_MARK.ADD, FAN.OPEN, path)


async def run(task: Task, path: Path) -> None:
    """Run a program."""
    async with task.launch(Command(path, ["program"])):
        pass


CALLS: Mapping[str, OnPath] = {
    "chdir": lambda t, path: t.fs.chdir(path),
    "chmod": lambda t, path: t.fs.chmod(path, 0o600),
    "chown": lambda t, path: t.fs.chown(path, -1, -1),
    "execve": run,
    "fanotify_mark": marked,
    "file_getattr": lambda t, path: t.fs.file_getattr(path),
    "file_setattr": lambda t, path: t.fs.file_setattr(path, FileAttr()),
    "getxattr": lambda t, path: t.fs.getxattr(path, "user.a"),
    "getxattrat": lambda t, path: t.fs.getxattrat(path, "user.a"),
    "inotify_add_watch": watched,
    "lchown": lambda t, path: t.fs.lchown(path / "file", -1, -1),
    "lgetxattr": lambda t, path: t.fs.lgetxattr(path / "file", "user.a"),
    "link": lambda t, path: t.fs.link(path / "from", path / "to"),
    "listxattr": lambda t, path: t.fs.listxattr(path),
    "listxattrat": lambda t, path: t.fs.listxattrat(path),
    "llistxattr": lambda t, path: t.fs.llistxattr(path / "file"),
    "lremovexattr": lambda t, path: t.fs.lremovexattr(path / "file", "user.a"),
    "lsetxattr": lambda t, path: t.fs.lsetxattr(path / "file", "user.a", b""),
    "lstat": lambda t, path: t.fs.lstat(path / "file"),
    "mkdir": lambda t, path: t.fs.mkdir(path / "new"),
    "mknod": lambda t, path: t.fs.mknod(path / "new", 0o010600),
    "name_to_handle_at": lambda t, path: t.fs.name_to_handle_at(path / "file"),
    "open": lambda t, path: t.fs.open(path / "file"),
    "openat2": lambda t, path: t.fs.openat2(path / "file", OpenHow(O.RDONLY)),
    "readlink": lambda t, path: t.fs.readlink(path / "link"),
    "removexattr": lambda t, path: t.fs.removexattr(path, "user.a"),
    "removexattrat": lambda t, path: t.fs.removexattrat(path, "user.a"),
    "rename": lambda t, path: t.fs.rename(path / "from", path / "to"),
    "rmdir": lambda t, path: t.fs.rmdir(path / "folder"),
    "setxattr": lambda t, path: t.fs.setxattr(path, "user.a", b""),
    "setxattrat": lambda t, path: t.fs.setxattrat(path, "user.a", b""),
    "stat": lambda t, path: t.fs.stat(path),
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


async def shut_out(call: OnPath, scene: Scene) -> None:
    """Make a call, by a child without rights, on a path below a folder that nobody may pass."""
    await powerless(lambda child: on(call, "shut/below", Scene(child, scene.folder)))(scene.task)


async def from_a_file(call: FromFile, scene: Scene) -> None:
    """Make a call on a path that begins at a file instead of a directory."""
    async with await scene.task.fs.open(scene.folder / "file") as file:
        await call(scene.task, file)


DIRECTORIES: Mapping[str, FromFile] = {
    "chmod": lambda t, d: t.fs.chmod("a", 0o600, dir_fd=d),
    "chown": lambda t, d: t.fs.chown("a", -1, -1, dir_fd=d),
    "file_getattr": lambda t, d: t.fs.file_getattr("a", dir_fd=d),
    "file_setattr": lambda t, d: t.fs.file_setattr("a", FileAttr(), dir_fd=d),
    "getxattrat": lambda t, d: t.fs.getxattrat("a", "user.a", dir_fd=d),
    "lchown": lambda t, d: t.fs.lchown("a", -1, -1, dir_fd=d),
    "link": lambda t, d: t.fs.link("a", "b", dir_fd=d),
    "listxattrat": lambda t, d: t.fs.listxattrat("a", dir_fd=d),
    "lstat": lambda t, d: t.fs.lstat("a", dir_fd=d),
    "mkdir": lambda t, d: t.fs.mkdir("a", dir_fd=d),
    "mknod": lambda t, d: t.fs.mknod("a", 0o010600, dir_fd=d),
    "name_to_handle_at": lambda t, d: t.fs.name_to_handle_at("a", dir_fd=d),
    "open": lambda t, d: t.fs.open("a", dir_fd=d),
    "open_tree": lambda t, d: t.mount.open_tree("a", dir_fd=d),
    "openat2": lambda t, d: t.fs.openat2("a", OpenHow(O.RDONLY), dir_fd=d),
    "readlink": lambda t, d: t.fs.readlink("a", dir_fd=d),
    "removexattrat": lambda t, d: t.fs.removexattrat("a", "user.a", dir_fd=d),
    "rename": lambda t, d: t.fs.rename("a", "b", dir_fd=d),
    "rmdir": lambda t, d: t.fs.rmdir("a", dir_fd=d),
    "setxattrat": lambda t, d: t.fs.setxattrat("a", "user.a", b"", dir_fd=d),
    "stat": lambda t, d: t.fs.stat("a", dir_fd=d),
    "statx": lambda t, d: t.fs.statx("a", dir_fd=d),
    "symlink": lambda t, d: t.fs.symlink("to", "a", dir_fd=d),
    "unlink": lambda t, d: t.fs.unlink("a", dir_fd=d),
    "utimensat": lambda t, d: t.fs.utimensat("a", dir_fd=d),
}
ENDS: Mapping[str, FromFile] = {
    "link": lambda t, d: t.fs.link("/etc/passwd", "b", new_dir_fd=d),
    "rename": lambda t, d: t.fs.rename("/etc/passwd", "b", new_dir_fd=d),
}
SHUT: Provoked[Scene] = {
    page: [("EACCES", partial(shut_out, call))] for page, call in CALLS.items()
}
RELATIVE: Provoked[Scene] = {
    page: [
        ("ENOTDIR", partial(from_a_file, table[page]))
        for table in (DIRECTORIES, ENDS)
        if page in table
    ]
    for page in DIRECTORIES
}
PROVOKED: Provoked[Scene] = {page: each_path(call) for page, call in CALLS.items()}


@pytest.fixture
def scene(task: Task, tmp_path: Path) -> Generator[Scene, None, None]:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "shut").mkdir(0)
    yield Scene(task, tmp_path)
    (tmp_path / "shut").chmod(0o700)  # so that it can be removed


@cases(PROVOKED)
async def test_an_error_of_a_path_is_the_kernels_own(scene: Scene, case: Case[Scene]) -> None:
    await provoke(scene.task, case, scene)


@cases(SHUT)
async def test_what_lies_in_a_folder_that_is_shut_is_out_of_reach(
    scene: Scene, case: Case[Scene]
) -> None:
    await provoke(scene.task, case, scene)


@cases(RELATIVE)
async def test_a_path_begins_at_a_directory(scene: Scene, case: Case[Scene]) -> None:
    await provoke(scene.task, case, scene)
