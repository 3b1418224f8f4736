"""StateWaiter: stops and continues through one shared waiting thread, made when needed."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from rsyscall_ns import CLD, CLONE, SIG, ChildProcess, Task, TaskLostError, W, open_local_task
from tests.support.census import Census, nothing_left
from tests.support.children import FOREVER, end_by_exit, same_state, thread_of


def threads() -> int:
    return len(Census.take().threads)


async def stop_and_go(process: ChildProcess) -> None:
    await process.kill(SIG.STOP)
    assert (await same_state(process, W.STOPPED)).code is CLD.STOPPED
    await process.kill(SIG.CONT)
    assert (await same_state(process, W.CONTINUED)).code is CLD.CONTINUED


async def test_no_thread_is_made_for_deaths(local: Task) -> None:
    before = threads()
    async with local.spawn() as child:
        process = await child.exec(FOREVER)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(process.wait)
            await trio.testing.wait_all_tasks_blocked()
            assert threads() == before
            await process.kill()


async def test_one_thread_is_made_for_the_first_stop_and_kept(local: Task) -> None:
    before = threads()
    async with local.spawn() as child, local.spawn() as other:
        for _ in range(3):
            await stop_and_go(thread_of(child))
            await stop_and_go(thread_of(other))
        assert threads() == before + 1


async def test_tasks_that_wait_for_the_same_share_a_thread(local: Task) -> None:
    before = threads()
    async with local.spawn() as child, trio.open_nursery() as nursery:
        process = await child.exec(FOREVER)
        seen: list[CLD] = []

        async def wait() -> None:
            seen.append((await same_state(process, W.STOPPED | W.EXITED)).code)

        for _ in range(5):
            nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        assert threads() == before + 1
        await process.kill(SIG.STOP)
        while not seen:
            await trio.lowlevel.checkpoint()
        assert seen == [CLD.STOPPED]  # a stop is told once
        nursery.cancel_scope.cancel()


async def test_the_thread_ends_with_its_task() -> None:
    with nothing_left():
        async with open_local_task() as local, local.spawn() as child:
            await stop_and_go(thread_of(child))


async def test_a_child_s_own_children_are_waited_for_by_a_thread_of_the_child(
    local: Task,
) -> None:
    with nothing_left(local):
        async with local.spawn() as child, child.spawn() as grandchild:
            await stop_and_go(thread_of(grandchild))


async def test_in_a_pid_namespace_too() -> None:
    with nothing_left():
        async with (
            open_local_task() as local,
            local.spawn(CLONE.NEWUSER | CLONE.NEWPID) as child,
            child.spawn() as grandchild,
        ):
            await stop_and_go(thread_of(grandchild))
            await stop_and_go(thread_of(child))


async def test_a_child_that_dies_while_its_child_is_waited_for_leaves_nothing(
    local: Task,
) -> None:
    with nothing_left(local):
        async with local.spawn() as child, child.spawn() as grandchild:

            async def wait() -> None:
                with pytest.raises((TaskLostError, ChildProcessError)):
                    await thread_of(grandchild).waitid(W.STOPPED)

            with trio.fail_after(10):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(wait)
                    await trio.testing.wait_all_tasks_blocked()
                    await thread_of(child).kill()
                    await thread_of(child).wait()


async def test_a_cancelled_first_wait_leaves_a_waiter_that_works(local: Task) -> None:
    async with local.spawn() as child:
        for _ in range(5):
            with trio.CancelScope() as scope:
                scope.cancel()
                await thread_of(child).waitid(W.STOPPED)
            assert scope.cancelled_caught
        await stop_and_go(thread_of(child))


async def test_a_cancelled_wait_ends_with_the_child() -> None:
    with nothing_left():
        async with open_local_task() as local, local.spawn() as child:
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(thread_of(child).waitid, W.STOPPED)
                    await trio.testing.wait_all_tasks_blocked()
                    scope.cancel()


async def test_different_states_of_one_child_at_once(local: Task) -> None:
    async with local.spawn() as child, trio.open_nursery() as nursery:
        process = thread_of(child)
        seen: list[CLD] = []

        async def wait(options: W) -> None:
            seen.append((await same_state(process, options)).code)

        nursery.start_soon(wait, W.CONTINUED)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(wait, W.STOPPED)
        await trio.testing.wait_all_tasks_blocked()
        await process.kill(SIG.STOP)
        while len(seen) < 1:
            await trio.lowlevel.checkpoint()
        await process.kill(SIG.CONT)
        while len(seen) < 2:
            await trio.lowlevel.checkpoint()

        assert seen == [CLD.STOPPED, CLD.CONTINUED]


async def test_a_death_is_seen_by_one_that_waits_for_everything(local: Task) -> None:
    async with local.spawn() as child:
        await end_by_exit(child, 3)
        state = await same_state(thread_of(child), W.STOPPED | W.CONTINUED | W.EXITED)
        assert state.exit_status == 3
