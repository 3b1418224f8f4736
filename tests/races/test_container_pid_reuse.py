"""Reuse of process ids, forced: no signal of a container ever reaches a stranger."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import trio

from rsyscall_ns import PIPE, SIG, Container, ExitStatusLostError, Task, W
from tests.support.children import thread_of
from tests.support.reuse import next_pid, pid_namespace, take_status

Use = Callable[[Container], Awaitable[object]]


async def leave(container: Container) -> None:
    """End the scope of one that was entered."""
    await container.__aexit__(None, None, None)


USES: dict[str, Use] = {
    "kill": lambda c: c.kill(),
    "terminate": lambda c: c.terminate(),
    "send_signal": lambda c: c.send_signal(SIG.USR1),
    "wait": lambda c: c.wait(),
    "leave": leave,
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("seen", [True, False], ids=["seen", "taken by another"])
async def test_a_signal_to_a_container_that_is_gone_reaches_nobody_else(
    local: Task, use: str, *, seen: bool
) -> None:
    async with pid_namespace(local) as first:
        c = Container(["true"], task=first)
        await c.__aenter__()
        pid = c.process.near.id
        if seen:
            await c.wait()
        else:
            await c.process.waitid(W.EXITED | W.NOWAIT)
            await take_status(first)
        await next_pid(first, pid)
        async with first.spawn() as stranger:
            assert stranger.process.near.id == pid
            with suppress(ExitStatusLostError):
                await USES[use](c)
            assert await stranger.cred.getuid() == 0
            assert thread_of(stranger).death_state is None
        await leave(c)


# whose children exit at once, and would tell of a signal; the command itself gets many
STORM = """
import os, signal, sys
got = 0
def count(*_):
    global got
    got += 1
signal.signal(signal.SIGUSR1, count)
try:
    with open("/proc/sys/kernel/pid_max", "w") as file:
        file.write("400")  # before Linux 6.14 it is everybody's
except OSError:
    pass
print("ready", flush=True)
hit = 0
for turn in range(1500):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    hit += os.waitpid(child, 0)[1] != 0
signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # an interpreter that ends has no handlers
print("done", hit, got > 0, flush=True)
"""


async def test_process_1_signals_nobody_but_the_command_beside_a_fork_storm() -> None:
    async with Container(
        [sys.executable, "-Ic", STORM],
        user=True,
        pid=True,
        mnt=True,
        map_zero=True,
        init=True,
        stdout=PIPE,
    ) as c:
        assert c.stdout is not None
        said = b""
        while b"ready" not in said:
            said += await c.stdout.receive_some()

        async def signals() -> None:
            while True:
                await c.send_signal(signal.SIGUSR1)
                await trio.lowlevel.checkpoint()
                os.sched_yield()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(signals)
            said += b"".join([part async for part in c.stdout])
            nursery.cancel_scope.cancel()
        assert said.endswith(b"done 0 True\n")
        assert (await c.wait()).clean()
