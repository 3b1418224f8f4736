"""terminate: who handles SIGTERM gets it, whoever would not is killed."""

from __future__ import annotations

import signal
import sys
from typing import Final

import pytest
import trio

from rsyscall_ns import PIPE, SYS, Container
from tests.support.blocking import current_call

SIGWAIT: Final = """
import signal, sys
waited_for = {int(number) for number in sys.argv[1:]}
signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
sys.exit(int(signal.sigwait(waited_for)))
"""


async def test_terminate_is_obeyed_by_who_would_not_get_it() -> None:
    for pid in (False, True):
        async with Container(["sleep", "1000"], user=True, pid=pid) as c:
            await c.terminate()
            await c.join()
            assert c.exitcode in {-signal.SIGTERM, -signal.SIGKILL}


async def test_terminate_is_passed_to_a_process_1_that_handles_it() -> None:
    script = "trap 'exit 9' TERM; echo ready; read x <&3"
    async with Container(
        ["sh", "-c", f"exec 3<&0; {script}"], user=True, pid=True, stdin=PIPE, stdout=PIPE
    ) as c:
        assert c.stdout is not None
        assert await c.stdout.receive_some() == b"ready\n"
        await c.terminate()
        assert (await c.wait()).exit_status == 9


@pytest.mark.parametrize(
    ("waited_for", "end"),
    [
        ([signal.SIGTERM, signal.SIGRTMAX], signal.SIGTERM),
        ([signal.SIGUSR1], -signal.SIGKILL),
    ],
)
async def test_terminate_is_passed_to_a_process_1_that_waits_for_it(
    waited_for: list[int], end: int
) -> None:
    command = [sys.executable, "-I", "-c", SIGWAIT, *map(str, map(int, waited_for))]
    async with Container(command, user=True, pid=True) as c:
        assert c.pid is not None
        while current_call(c.pid) != SYS.rt_sigtimedwait:
            await trio.lowlevel.checkpoint()
        await c.terminate()
        await c.wait()
        assert c.exitcode == end
