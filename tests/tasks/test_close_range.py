"""Where close_range(2) is missing, or refused, no program is started: it would have all our fds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from errno import ENOSYS

import pytest

from rsyscall_ns import CLONE, SYS, ChildTask, Task
from tests.support.census import nothing_left
from tests.support.children import TRUE
from tests.support.program import said_by
from tests.support.seccomp import answer_with_enosys

Start = Callable[[Task], Awaitable[object]]


@pytest.fixture
async def confined(local: Task) -> AsyncIterator[ChildTask]:
    """Make a child whose own children can't close what they inherit."""
    async with local.spawn() as child:
        await answer_with_enosys(child, SYS.close_range)
        yield child


async def in_a_block(task: Task) -> None:
    async with task.launch(TRUE) as process:
        await process.wait()


async def to_its_end(task: Task) -> None:
    await task.launch(TRUE).run()


async def with_id_maps(task: Task) -> None:
    await task.launch(TRUE, CLONE.NEWUSER).run()


async def as_a_task(task: Task) -> None:
    async with task.spawn():
        pass


async def as_a_stub(task: Task) -> None:
    async with task.spawn(stub=True):
        pass


@pytest.mark.parametrize("start", [in_a_block, to_its_end, with_id_maps, as_a_task, as_a_stub])
async def test_it_is_an_error_that_names_the_call(confined: ChildTask, start: Start) -> None:
    with nothing_left(), pytest.raises(OSError, match="close_range") as caught:
        await start(confined)
    assert caught.value.errno == ENOSYS


async def test_it_is_one_in_an_interpreter_that_is_confined_itself() -> None:
    said = await said_by("""
        from tests.support.census import nothing_left
        from tests.support.seccomp import answer_with_enosys

        async def main():
            async with open_local_task() as task:
                command = Command("/bin/true", ["true"])
                await task.launch(command).run()
                await answer_with_enosys(task, SYS.close_range)
                for way in (task.launch(command).run, task.launch(command).__aenter__):
                    try:
                        with nothing_left(task):
                            await way()
                    except OSError as error:
                        print(error.strerror.partition(":")[0])
    """)
    assert said == ["Function not implemented [close_range(2) in a new child]"] * 2
