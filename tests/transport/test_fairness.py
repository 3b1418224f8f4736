"""Tasks that make calls back to back let all other trio tasks have their turn.

The clock by which that is decided is replaced by one that goes on by a fixed time whenever it is
read, which each call does: so nothing depends on how fast this machine is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, final

import pytest
import trio

from rsyscall_ns import SYS, Program, Task
from rsyscall_ns.transport import pace as pacing
from rsyscall_ns.transport.pace import LIMIT

TASKS: Final = 10
CALLS: Final = 500  # of each task
CALL: Final = LIMIT / 64  # what each call takes, by that clock
Call = Callable[[Task], Awaitable[object]]


@final
class Clock:
    """Goes on when it is read."""

    def __init__(self) -> None:
        self.now = 1.0

    def read(self) -> float:
        self.now += CALL
        return self.now


@final
class Steps(trio.abc.Instrument):
    """The longest step of any task, by that clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.now
        self.longest = 0.0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        del task
        self._began = self._clock.now

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        del task
        self.longest = max(self.longest, self._clock.now - self._began)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pacing, "perf_counter", made.read)
    monkeypatch.setattr(pacing, "turns", pacing.Turns())
    return made


@pytest.fixture(params=["direct", "ring"])
async def tasks(request: pytest.FixtureRequest, local: Task) -> AsyncGenerator[list[Task], None]:
    """Give ten tasks: ten children, or the interpreter's own ten times."""
    if request.param == "direct":
        yield [local] * TASKS
        return
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(local.spawn()) for _ in range(TASKS)]


async def one_call(task: Task) -> None:
    await task.cred.getuid()


async def one_program(task: Task) -> None:
    program = Program()
    program.call(SYS.getuid)
    await task.run(program)


async def hammer(task: Task, call: Call) -> None:
    for _ in range(CALLS):
        await call(task)


async def longest_wait(clock: Clock, tasks: list[Task], call: Call) -> float:
    """Return the longest time that another task waits for its turn while all are at it."""
    longest = 0.0

    async def look_on() -> None:
        nonlocal longest
        while True:
            began = clock.now
            await trio.lowlevel.checkpoint()
            longest = max(longest, clock.now - began)

    async with trio.open_nursery() as onlooker:
        onlooker.start_soon(look_on)
        async with trio.open_nursery() as nursery:
            for task in tasks:
                nursery.start_soon(hammer, task, call)
        onlooker.cancel_scope.cancel()
    return longest


@pytest.mark.parametrize("call", [one_call, one_program])
async def test_no_task_holds_the_loop_for_longer_than_the_limit(
    clock: Clock, tasks: list[Task], call: Call
) -> None:
    steps = Steps(clock)
    trio.lowlevel.add_instrument(steps)

    await longest_wait(clock, tasks, call)

    trio.lowlevel.remove_instrument(steps)
    assert CALL < steps.longest <= LIMIT + 2 * CALL  # with the call that it ends with


@pytest.mark.parametrize("call", [one_call, one_program])
async def test_one_task_lets_others_have_their_turn(
    clock: Clock, tasks: list[Task], call: Call
) -> None:
    # trio may run us first in one round and last in the next
    assert await longest_wait(clock, tasks[:1], call) <= 2 * (LIMIT + 2 * CALL)


@pytest.mark.parametrize("call", [one_call, one_program])
async def test_ten_tasks_together_let_others_have_their_turn(
    clock: Clock, tasks: list[Task], call: Call
) -> None:
    # the first round is over before anybody knows how many there are
    await longest_wait(clock, tasks, call)

    # as above; and each may overrun its part by a call, or have slept while parts were given out
    assert await longest_wait(clock, tasks, call) <= 4 * LIMIT < TASKS * LIMIT
