"""Starting children with few fds left: what can't be is an error, and nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from errno import EMFILE

import pytest

from rsyscall_ns import CLONE, Task
from tests.support.census import nothing_left
from tests.support.children import TRUE
from tests.support.limits import fd_table_full

DOORBELL, PIDFD, PROC = 2, 1, 1  # fds; the last is kept open for the next child
NEEDED = {CLONE(0): DOORBELL + PIDFD, CLONE.NEWUSER: PROC + DOORBELL + PIDFD}
TOO_FEW = [(flags, left) for flags, needed in NEEDED.items() for left in range(needed)]
Start = Callable[[Task, CLONE], Awaitable[None]]


async def launched(local: Task, flags: CLONE) -> None:
    async with local.launch(TRUE, flags) as process:
        await process.check()


async def spawned(local: Task, flags: CLONE) -> None:
    async with local.spawn(flags) as child:
        assert await child.cred.getuid() == os.getuid()


@pytest.mark.parametrize(("flags", "left"), TOO_FEW)
@pytest.mark.parametrize("start", [launched, spawned])
async def test_too_few_are_an_error_and_nothing_is_left(
    local: Task, start: Start, flags: CLONE, left: int
) -> None:
    with nothing_left(local):
        for _ in range(2):
            local.environments.clear()
            with fd_table_full(os.getpid(), left):
                with pytest.raises(OSError, match="Too many open files") as caught:
                    await start(local, flags)
                assert caught.value.errno == EMFILE
        await start(local, flags)


@pytest.mark.parametrize("flags", NEEDED)
async def test_just_enough_are_enough(local: Task, flags: CLONE) -> None:
    local.environments.clear()
    with fd_table_full(os.getpid(), NEEDED[flags]):
        await launched(local, flags)
