"""Times of a wait: what the kernel refuses is refused by the interpreter's own task too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from errno import EINVAL
from typing import Final

import pytest

from rsyscall_ns import POLL, SIG, EpollFD, PipeFD, PollFD, Task, Timespec

NONE: Final = [Timespec(-1, 0), Timespec(0, -1), Timespec(0, 1_000_000_000)]
Wait = Callable[[Task, PipeFD, EpollFD, Timespec], Awaitable[object]]
WAITS: Final[dict[str, Wait]] = {
    "ppoll": lambda task, pipe, _, time: task.fds.ppoll([PollFD(pipe, POLL.IN)], time),
    "pselect": lambda task, pipe, _, time: task.fds.pselect([pipe], timeout=time),
    "epoll_pwait2": lambda _, __, epoll, time: epoll.epoll_pwait2(timeout=time),
    "sigtimedwait": lambda task, _, __, time: task.signals.sigtimedwait([SIG.USR1], time),
}


@pytest.mark.parametrize("time", NONE)
@pytest.mark.parametrize("way", WAITS)
async def test_a_time_that_is_none_is_an_error_in_every_task(
    task: Task, way: str, time: Timespec
) -> None:
    reader, writer = await task.fs.pipe2()
    async with reader, writer, await task.fds.epoll_create1() as epoll:
        with pytest.raises(OSError, match="Invalid argument") as raised:
            await WAITS[way](task, reader, epoll, time)
        assert raised.value.errno == EINVAL


@pytest.mark.parametrize("time", NONE)
async def test_aio_too_refuses_what_would_be_for_ever(task: Task, time: Timespec) -> None:
    async with await task.aio.io_setup(1) as context:
        with pytest.raises(OSError, match="Invalid argument"):
            await context.io_getevents(1, 1, time)
