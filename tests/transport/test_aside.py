"""A call in a thread holds up nobody, gets no signals, and is awaited to its end."""

from __future__ import annotations

import signal
import threading

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns.transport.aside import aside, start_aside


async def test_the_loop_goes_on_meanwhile() -> None:
    released = threading.Event()
    ended: list[str] = []

    async def call() -> None:
        await aside(released.wait)
        ended.append("the call")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(call)
        await wait_all_tasks_blocked()
        assert not ended
        released.set()

    assert ended == ["the call"]


async def test_a_cancel_waits_for_its_end() -> None:
    released = threading.Event()
    ended: list[str] = []

    def call() -> None:
        released.wait()
        ended.append("the call")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(aside, call)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await wait_all_tasks_blocked()
        assert not ended
        released.set()

    assert ended == ["the call"]


async def test_it_gets_no_signals_and_we_still_do() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    masks: list[set[int | signal.Signals]] = []

    await aside(lambda: masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, [])))

    fatal = {signal.SIGKILL, signal.SIGSTOP}
    assert {*signal.Signals} - fatal <= masks[0]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


async def test_its_thread_ends_with_it() -> None:
    threads: list[threading.Thread] = []

    await aside(lambda: threads.append(threading.current_thread()))

    assert not threads[0].is_alive()


def test_it_may_outlast_the_trio_run() -> None:
    released, started = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def call() -> None:
        threads.append(threading.current_thread())
        started.set()
        released.wait()

    async def main() -> None:
        start_aside(call)
        await trio.lowlevel.checkpoint()

    trio.run(main)
    started.wait()
    assert threads[0].is_alive()
    released.set()
    threads[0].join()


@pytest.mark.parametrize("error", [OSError, ValueError])
async def test_a_function_that_fails_is_waited_for_too(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[type[BaseException]] = []

    def note(args: threading.ExceptHookArgs) -> None:
        failed.append(args.exc_type)

    monkeypatch.setattr(threading, "excepthook", note)

    def call() -> None:
        raise error

    await aside(call)

    assert failed == [error]
