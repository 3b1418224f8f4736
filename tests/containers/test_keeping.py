"""What is left to the end of the trio run is ended there, whatever comes."""

from __future__ import annotations

import os
import signal

import pytest
import trio

from rsyscall_ns import Container
from rsyscall_ns.containers.keeping import keep
from tests.support.census import Census


def test_ctrl_c_at_the_end_of_a_run_comes_when_all_is_ended() -> None:
    before = Census.take()
    done: list[bool] = []

    async def at_end() -> None:
        signal.raise_signal(signal.SIGINT)
        await trio.lowlevel.checkpoint()
        done.append(True)

    async def main() -> None:
        assert await Container(target=os.getpid).run()
        await Container(["sleep", "1000"], daemon=True).start()
        keep(at_end, at_end)

    with pytest.raises(KeyboardInterrupt):
        trio.run(main)
    assert done
    before.assert_same(Census.take())
