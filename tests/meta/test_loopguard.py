"""The guard of the event loop works: it reports what holds the loop, and nothing else."""

from __future__ import annotations

import gc
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.meta.tree import ROOT
from tests.support.loopguard import (
    LoopGuard,
    LoopHeldError,
    beside_a_thread,
    guarded_run,
    unguarded_run,
)
from tests.support.procview import fd_numbers

HOLD = 400  # milliseconds: far above the limit, whatever a busy machine takes away


def hold_the_loop() -> None:
    """Block this thread in the kernel, as a call that waits for a pipe would."""
    reader, writer = os.pipe()
    poller = select.poll()
    poller.register(reader, select.POLLIN)
    try:
        assert poller.poll(HOLD) == []
    finally:
        os.close(reader)
        os.close(writer)


async def well_behaved() -> str:
    for _ in range(100):
        await trio.lowlevel.checkpoint()
    return "done"


async def held() -> None:
    await trio.lowlevel.checkpoint()
    hold_the_loop()


def inner_pytest(tests: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder as this suite's own are run."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]
    command += ["-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"), str(tests)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_step_that_blocks_the_loop_is_reported() -> None:
    with pytest.raises(LoopHeldError, match="held"):
        guarded_run(held)


def test_a_run_of_short_steps_is_not_reported() -> None:
    assert guarded_run(well_behaved) == "done"


def test_waiting_in_the_loop_itself_is_not_reported() -> None:
    async def waits() -> None:
        reader, writer = os.pipe()
        poller = select.epoll()
        try:
            with trio.move_on_after(HOLD / 1000):
                await trio.lowlevel.wait_readable(reader)
        finally:
            poller.close()
            os.close(reader)
            os.close(writer)

    guarded_run(waits)


def test_beside_a_thread_that_runs_python_nothing_is_judged_and_afterwards_it_is() -> None:
    async def beside() -> None:
        async with beside_a_thread(lambda: None):
            hold_the_loop()

    async def both() -> None:
        await beside()
        await held()

    guarded_run(beside)
    with pytest.raises(LoopHeldError, match="held"):
        guarded_run(both)


def test_time_on_the_run_queue_is_not_the_steps_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = LoopGuard()
    waited = iter(range(0, 10**13, 1_000_000_000))  # each reading shows a second more
    monkeypatch.setattr(guard, "_taken_away", lambda: next(waited))

    unguarded_run(held, instruments=[guard])

    assert guard.held == []


def test_the_guard_keeps_no_fd_open() -> None:
    before = fd_numbers("self")

    guarded_run(well_behaved)

    assert fd_numbers("self") == before


def test_every_trio_test_of_the_suite_is_guarded(tmp_path: Path) -> None:
    (tmp_path / "test_inner.py").write_text(
        "from tests.meta.test_loopguard import held\n"
        "async def test_that_holds_the_loop():\n"
        "    await held()\n"
    )
    done = inner_pytest(tmp_path)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "LoopHeldError" in done.stdout
    assert "1 failed, 2 rerun" in done.stdout


def test_a_skip_in_a_trio_test_is_shown_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "test_inner.py").write_text(
        "import pytest, trio\n"
        "async def test_that_skips():\n"
        "    async with trio.open_nursery():\n"
        "        pytest.skip('the machine has no wings')\n"
    )
    done = inner_pytest(tmp_path)

    assert "test_inner.py:4: the machine has no wings" in done.stdout
    assert "1 skipped" in done.stdout


@pytest.mark.parametrize(
    ("first", "outcome"), [("held()", "1 passed, 1 rerun"), ("fails()", "1 failed in")]
)
def test_only_what_held_the_loop_once_is_run_again(
    tmp_path: Path, first: str, outcome: str
) -> None:
    (tmp_path / "test_inner.py").write_text(
        "from tests.meta.test_loopguard import held, well_behaved\n"
        "async def fails():\n"
        "    raise ValueError('once')\n"
        f"runs = [well_behaved, lambda: {first}]\n"
        "async def test_the_first_run_is_another():\n"
        "    await runs.pop()()\n"
    )
    done = inner_pytest(tmp_path)

    assert outcome in done.stdout, done.stdout + done.stderr


def test_a_collection_of_garbage_is_not_the_steps_fault() -> None:
    def slow_collection(phase: str, info: object) -> None:
        del info
        if phase == "stop":
            hold_the_loop()

    async def collects() -> None:
        await trio.lowlevel.checkpoint()
        gc.collect()

    guard = LoopGuard()
    # called before the guard's own, so within what that takes for the collection
    gc.callbacks.append(slow_collection)
    try:
        unguarded_run(collects, instruments=[guard])
    finally:
        gc.callbacks.remove(slow_collection)

    assert guard.held == []
