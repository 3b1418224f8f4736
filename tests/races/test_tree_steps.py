"""Trees and temporary directories: a cancel or an error at every single step leaves nothing."""

from __future__ import annotations

from contextlib import suppress
from errno import EIO
from functools import partial
from pathlib import Path

import pytest
import trio
from attrs import evolve

from rsyscall_ns import FAN, FAN_INIT, FAN_MARK, SYS, Task
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.hurt import CANCEL, ERROR, Hurt, at_each_step
from tests.support.steps import Steps

REMOVING = (SYS.close, SYS.getdents64, SYS.lseek, SYS.openat2, SYS.unlinkat)


def fail() -> None:
    raise OSError(EIO, "injected")


async def use(task: Task, folder: Path) -> None:
    """Make a temporary directory with a tree in it, remove the tree, and leave."""
    async with task.fs.mkdtemp(directory=folder) as made:
        await task.fs.mkdir("tree/inner/empty", parents=True, dir_fd=made.fd)
        await task.fs.write_bytes("tree/inner/file", b"content", dir_fd=made.fd)
        await task.fs.mkdir("kept", dir_fd=made.fd)
        await task.fs.rmtree("tree", dir_fd=made.fd)


@pytest.mark.parametrize("hurt", [CANCEL, evolve(ERROR, spared=REMOVING)], ids=str)
async def test_a_tree_hurt_at_any_step(
    task: Task, steps: Steps, tmp_path: Path, hurt: Hurt
) -> None:
    async def empty() -> None:
        assert await task.fs.listdir(tmp_path) == []

    flat = partial(nothing_left, task)
    await at_each_step(steps, hurt, lambda: use(task, tmp_path), least=5, flat=flat, after=empty)


async def test_a_removal_that_fails_at_any_step_leaves_no_fd(
    task: Task, steps: Steps, tmp_path: Path
) -> None:
    for at in steps.moments(8):
        await task.fs.mkdir(tmp_path / "tree" / "inner", parents=True)
        await task.fs.write_bytes(tmp_path / "tree" / "inner" / "file", b"")
        with nothing_left(task), suppress(OSError):
            steps.arm(at, fail)
            await task.fs.rmtree(tmp_path / "tree")
        steps.disarm()
        with suppress(FileNotFoundError):
            await task.fs.rmtree(tmp_path / "tree")


@pytest.mark.skipif(not IS_ROOT, reason="needs CAP_SYS_ADMIN in the first namespace")
async def test_a_cancel_at_any_step_of_reading_events_loses_no_fd(
    task: Task, steps: Steps, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    async with await task.fs.fanotify_init(FAN_INIT.REPORT_PIDFD) as group:
        await group.mark(FAN_MARK.ADD, FAN.OPEN, tmp_path / "file")
        for at in steps.moments(1):
            (tmp_path / "file").read_bytes()
            with nothing_left(task), trio.CancelScope() as scope:
                steps.arm(at, scope.cancel)
                for event in await group.read_events():
                    await event.close()
            steps.disarm()
