"""What every test gets: the interpreter's own task, and the guard of the event loop."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from importlib import import_module
from pkgutil import walk_packages

import pytest
import trio
from hypothesis import HealthCheck, settings

import rsyscall_ns
from rsyscall_ns import Task, open_local_task
from tests.support.children import IS_ROOT
from tests.support.loopguard import guarded_run
from tests.support.recorded import Recorder


def pytest_configure(config: pytest.Config) -> None:
    """Guard every trio run of the session, those of pytest-trio and hypothesis included.

    Record all system calls as well.
    """
    # how fast a machine is, is nothing that a test may fail by
    settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("suite")
    # both are ignored where the suite is started in the background, by all that we start as well
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    import_all()
    patch = pytest.MonkeyPatch()
    patch.setattr(trio, "run", guarded_run)
    recorder = Recorder()
    recorder.watch(patch)
    config.pluginmanager.register(recorder)
    config.add_cleanup(patch.undo)


def import_all() -> None:
    """Import all modules, which is not what the guard of the event loop is to judge.

    It would see Python compile them, wherever bytecode may not be written; for how long the first
    use of what is installed holds the loop is measured in ``tests/bench/imports.py``.
    """
    for module in walk_packages(rsyscall_ns.__path__, "rsyscall_ns."):
        if not module.name.endswith("__main__"):
            import_module(module.name)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the recorder of system calls can do."""
    parser.addoption(
        "--record-calls", action="store_true", help="write tests/meta/tested_by.tsv anew"
    )


@pytest.fixture
async def local() -> AsyncIterator[Task]:
    """Open the interpreter's own task."""
    async with open_local_task() as task:
        with task.transient(1):  # its first mapping is there before a test counts mappings
            pass
        yield task


@pytest.fixture
async def child(local: Task) -> AsyncIterator[Task]:
    """Make a child that shares nothing but memory with us."""
    async with local.spawn() as task:
        yield task


# root's alone may be looked at from outside, as many tests do; others' are tried in tasks/test_stub
STUB = ["stub"] if IS_ROOT else []


@pytest.fixture(params=["direct", "ring", "own memory", *STUB])
async def task(request: pytest.FixtureRequest, local: Task) -> AsyncIterator[Task]:
    """Open a task of each kind in turn.

    The interpreter's own, a child that shares our memory, one that has its own, and one that is
    a program of its own.
    """
    if request.param == "direct":
        yield local
        return
    kind = request.param
    async with local.spawn(own_memory=kind == "own memory", stub=kind == "stub") as made:
        yield made
