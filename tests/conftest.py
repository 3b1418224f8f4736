"""What every test gets: the interpreter's own task, and the guard of the event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

from rsyscall_ns import Task, open_local_task
from tests.support.loopguard import guarded_run


def pytest_configure(config: pytest.Config) -> None:
    """Guard every trio run of the session, those of pytest-trio and hypothesis included."""
    patch = pytest.MonkeyPatch()
    patch.setattr(trio, "run", guarded_run)
    config.add_cleanup(patch.undo)


@pytest.fixture
async def local() -> AsyncIterator[Task]:
    """Open the interpreter's own task."""
    async with open_local_task() as task:
        yield task


@pytest.fixture
async def child(local: Task) -> AsyncIterator[Task]:
    """Make a child that shares nothing but memory with us."""
    async with local.spawn() as task:
        yield task


@pytest.fixture(params=["direct", "ring"])
async def task(request: pytest.FixtureRequest, local: Task) -> AsyncIterator[Task]:
    """Open a task over each transport in turn: the interpreter's own, and a child."""
    if request.param == "direct":
        yield local
        return
    async with local.spawn() as made:
        yield made
