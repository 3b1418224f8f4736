"""A start that is cancelled just when it has succeeded leaves nothing, whoever has made it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, final

import pytest
import trio

from rsyscall_ns import BindMount, ChildTask, Container, Task
from rsyscall_ns.tasks.idmap import IdMap
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.roots import ROOT

MOST: Final = 200  # turns of anything that is started here


@final
class Cancels(trio.abc.Instrument):
    """Cancels a scope before turn ``left`` of the task that has made this."""

    def __init__(self, scope: trio.CancelScope, left: int) -> None:
        self._task = trio.lowlevel.current_task()
        self._scope = scope
        self.left = left

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self._task:
            self.left -= 1
            if self.left == -1:
                self._scope.cancel()


class Hooked(Container):
    """One that is made in steps."""

    async def preexec(self, task: ChildTask) -> None:
        await task.cred.getuid()


def supervised(task: Task, folder: Path) -> Container:
    del folder
    return Container(["sleep", "1000"], task=task, user=True, pid=True, init=True)


def in_steps(task: Task, folder: Path) -> Container:
    del folder
    return Hooked(["sleep", "1000"], task=task, user=True, pid=True, init=True)


def id_mapped(task: Task, folder: Path) -> Container:
    given = [*ROOT, BindMount(folder, "/data", id_map=IdMap.parse("0 0 1", 0))]
    return Container(["sleep", "1000"], task=task, mnt=True, mounts=given)


MAPPED = pytest.param(
    id_mapped, marks=pytest.mark.skipif(not IS_ROOT, reason="an id-mapped mount needs root")
)


@pytest.mark.parametrize("make", [supervised, in_steps, MAPPED])
async def test_nothing_is_left_before_its_maker_ends(
    local: Task, tmp_path: Path, make: Callable[[Task, Path], Container]
) -> None:
    async with make(local, tmp_path):
        pass  # what is made once is there
    for turn in range(MOST):
        container = make(local, tmp_path)
        scope = trio.CancelScope()
        cancels = Cancels(scope, turn)
        with nothing_left(local), scope:
            trio.lowlevel.add_instrument(cancels)
            try:
                await container.start()
            finally:
                trio.lowlevel.remove_instrument(cancels)
            scope.shield = True
            await container.kill()
            await container.wait()
        if cancels.left >= 0:
            assert turn
            return
    pytest.fail(f"no end after {MOST} turns")
