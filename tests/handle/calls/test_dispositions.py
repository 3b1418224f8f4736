"""``task.signals``."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from errno import EINVAL

import pytest

from rsyscall_ns import (
    SIG,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SYS,
    ArgumentRangeError,
    InterruptSignalError,
    Task,
)
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left
from tests.support.children import status_field


@contextmanager
def kept(sig: signal.Signals) -> Generator[None, None, None]:
    """Put a disposition of the interpreter back as Python knows it."""
    before = signal.getsignal(sig)
    try:
        yield
    finally:
        signal.signal(sig, before)


async def test_dispositions_are_set_and_told(task: Task) -> None:
    with kept(signal.SIGUSR2):
        first = await task.signals.sigaction(SIG.USR2)
        assert first == SIG_DFL
        assert await task.signals.sigaction(SIG.USR2, SIG_IGN) == SIG_DFL
        assert await task.signals.sigaction(SIG.USR2) == SIG_IGN
        assert await task.signals.sigaction(SIG.USR2, SIG_DFL) == SIG_IGN
        await task.signals.ignore(SIG.USR2)
        assert await task.signals.sigaction(SIG.USR2, SIG_DFL) == SIG_IGN


async def test_a_child_that_ignores_a_signal_survives_it(child: Task) -> None:
    await child.signals.ignore(SIG.TERM)
    reader, _ = await child.fs.pipe2()
    os.kill(child.process.near.id, SIG.TERM)

    assert await child.cred.getuid() == os.getuid()
    assert reader.valid


@pytest.mark.parametrize("sig", [0, -1, 65, 2**40])
async def test_a_signal_that_does_not_exist_is_refused(task: Task, sig: int) -> None:
    uses: list[Callable[[], Awaitable[object]]] = [
        lambda: task.signals.sigaction(sig),
        lambda: task.signals.ignore(sig),
        lambda: task.signals.sigprocmask(SIG_BLOCK, [sig]),
    ]
    with nothing_left(task):
        for use in uses:
            with pytest.raises(ArgumentRangeError, match="signal"):
                await use()


async def test_a_disposition_that_is_an_address_is_refused(task: Task) -> None:
    with pytest.raises(ArgumentRangeError, match="disposition"):
        await task.signals.sigaction(SIG.USR2, 0x1234)


async def test_a_disposition_that_the_kernel_keeps_is_an_error(task: Task) -> None:
    for sig in (SIG.KILL, SIG.STOP):
        with pytest.raises(OSError, match=r"rt_sigaction\(2\)") as caught:
            await task.signals.sigaction(sig, SIG_IGN)
        assert caught.value.errno == EINVAL


async def test_the_signal_that_interrupts_calls_is_not_to_be_changed(child: Task) -> None:
    sig = child.sysif.interrupt_signal()
    assert sig is not None
    with pytest.raises(InterruptSignalError):
        await child.signals.sigaction(sig, SIG_IGN)
    for how in (SIG_BLOCK, SIG_SETMASK):
        with pytest.raises(InterruptSignalError):
            await child.signals.sigprocmask(how, [SIG.TERM, sig])
    assert sig not in await child.signals.sigprocmask()


async def test_the_mask_is_changed_and_told(task: Task) -> None:
    before = await task.signals.sigprocmask()
    assert SIG.USR1 not in before
    try:
        assert await task.signals.sigprocmask(SIG_BLOCK, [SIG.USR1]) == before
        assert await task.signals.sigprocmask() == before | {SIG.USR1}
        await task.signals.sigprocmask(SIG_UNBLOCK, [SIG.USR1])
        assert await task.signals.sigprocmask() == before
    finally:
        await task.signals.sigprocmask(SIG_SETMASK, before)
    with pytest.raises(OSError, match=r"rt_sigprocmask\(2\)"):
        await task.signals.sigprocmask(99, [SIG.USR1])


async def test_a_signal_that_is_blocked_waits(child: Task) -> None:
    await child.signals.sigprocmask(SIG_BLOCK, [SIG.USR1])
    os.kill(child.process.near.id, SIG.USR1)

    assert await child.cred.getuid() == os.getuid()
    pending = int(status_field(child.process.near.id, "ShdPnd"), 16)
    assert pending == 1 << (SIG.USR1 - 1)


async def test_a_parked_child_is_blocked_in_nothing_but_its_own_wait(child: Task) -> None:
    await child.cred.getuid()
    await until_blocked(child, SYS.futex)
