"""ChildProcess: awaiting what becomes of it, in trio, next to others that use it."""

from __future__ import annotations

import os
import resource

import pytest
import trio
import trio.testing

from rsyscall_ns import (
    CLD,
    SIG,
    SIGINFO,
    ChildDeadError,
    ChildState,
    Command,
    Rusage,
    Task,
    UncleanExitError,
    W,
    struct_of,
)
from tests.support.census import nothing_left
from tests.support.children import (
    FOREVER,
    TRUE,
    same_state,
    shell,
    thread_of,
)


async def until(parked: int, nursery: trio.Nursery) -> None:
    """Let the nursery's tasks run until so many are left and all of them sleep."""
    while len(nursery.child_tasks) > parked:
        await trio.lowlevel.checkpoint()
    await trio.testing.wait_all_tasks_blocked()


# states


@pytest.mark.parametrize("status", [0, 1, 7, 255])
async def test_the_exit_status_is_reported(local: Task, status: int) -> None:
    async with local.spawn() as child:
        process = await child.exec(shell(f"exit {status}"))
        state = await process.wait()

    assert state.code is CLD.EXITED
    assert state.exit_status == status
    assert state.clean() == (status == 0)
    assert state.pid == process.near.id
    assert state.uid == os.getuid()


@pytest.mark.parametrize("sig", [SIG.TERM, SIG.KILL, SIG.USR1, SIG.INT])
async def test_the_deadly_signal_is_reported(local: Task, sig: SIG) -> None:
    async with local.spawn() as child:
        process = await child.exec(FOREVER)
        await process.kill(sig)
        state = await process.wait()

    assert state.code is CLD.KILLED
    assert state.killed_with() == sig
    assert state.exit_status is None


async def test_stop_and_continue_are_reported_one_after_the_other(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(FOREVER)
        for _ in range(3):
            await process.kill(SIG.STOP)
            stopped = await same_state(process, W.STOPPED)
            assert (stopped.code, stopped.signal) == (CLD.STOPPED, SIG.STOP)
            await process.kill(SIG.CONT)
            going = await same_state(process, W.CONTINUED)
            assert (going.code, going.signal) == (CLD.CONTINUED, SIG.CONT)
        assert process.death_state is None


async def test_a_stop_that_comes_while_somebody_waits_is_reported(local: Task) -> None:
    async with local.spawn() as child, trio.open_nursery() as nursery:
        process = await child.exec(FOREVER)
        seen: list[ChildState] = []

        async def wait() -> None:
            seen.append(await same_state(process, W.STOPPED))

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        assert not process.in_use
        await process.kill(SIG.STOP)
        await until(0, nursery)

        assert [state.code for state in seen] == [CLD.STOPPED]


async def test_a_serving_child_s_stop_is_reported_too(local: Task) -> None:
    async with local.spawn() as child:
        await thread_of(child).kill(SIG.STOP)
        assert (await same_state(thread_of(child), W.STOPPED)).signal == SIG.STOP
        await thread_of(child).kill(SIG.CONT)
        assert (await same_state(thread_of(child), W.CONTINUED)).code is CLD.CONTINUED

        assert await child.cred.getuid() == os.getuid()


async def test_a_death_ends_a_wait_for_a_stop_that_asks_for_both(local: Task) -> None:
    async with local.spawn() as child, trio.open_nursery() as nursery:
        process = await child.exec(FOREVER)
        seen: list[ChildState] = []

        async def wait() -> None:
            seen.append(await same_state(process, W.STOPPED | W.EXITED))

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        await process.kill(SIG.KILL)
        await until(0, nursery)

        assert [state.killed_with() for state in seen] == [SIG.KILL]
        assert process.death_state == seen[0]


async def test_a_death_ends_a_wait_for_a_stop_alone(local: Task) -> None:
    async with local.spawn() as child, trio.open_nursery() as nursery:
        process = await child.exec(FOREVER)
        errors: list[BaseException] = []

        async def wait() -> None:
            try:
                await process.waitid(W.STOPPED)
            except (ChildDeadError, ChildProcessError) as error:
                errors.append(error)

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        await process.kill(SIG.KILL)
        state = await process.wait()
        with trio.fail_after(5):
            await until(0, nursery)

    assert len(errors) == 1
    assert state.killed_with() == SIG.KILL


async def test_a_death_alone_ends_a_wait_for_a_stop_without_burning_the_cpu(local: Task) -> None:
    async with local.spawn() as child, trio.open_nursery() as nursery:
        process = await child.exec(FOREVER)

        async def wait() -> None:
            with pytest.raises((ChildDeadError, ChildProcessError)):
                await process.waitid(W.STOPPED)

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        await process.kill(SIG.KILL)
        # nobody else waits for the death: the waiting task must not spin until somebody does
        with trio.move_on_after(5) as scope:
            await trio.testing.wait_all_tasks_blocked()
        assert not scope.cancelled_caught
        await process.wait()


# options


async def test_nohang_returns_none_while_nothing_happens(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        everything = W.EXITED | W.STOPPED | W.CONTINUED | W.NOHANG
        assert await process.waitid(everything) is None
        await process.kill()
        await process.wait()


async def test_nohang_returns_a_death_that_has_happened(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(shell("exit 4"))
        await process.waitid(W.EXITED | W.NOWAIT)

        state = await process.waitid(W.EXITED | W.NOHANG)

    assert state is not None
    assert state.exit_status == 4


async def test_nowait_leaves_the_state_to_be_waited_for(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(shell("exit 4"))
        first = await process.waitid(W.EXITED | W.NOWAIT)
        assert first is not None
        assert process.death_state is None
        await process.kill(0)  # still a zombie, so still ours
        second = await process.waitid(W.EXITED)

    assert first == second


async def test_nowait_with_a_buffer_leaves_the_state_to_be_waited_for(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(shell("exit 4"))
        buffer = await local.malloc(SIGINFO)
        await process.waitid(W.EXITED | W.NOWAIT, buffer)
        looked = await buffer.read()
        assert looked.status == 4
        process.unread_siginfo = None  # only looked at: it tells of no reaping
        assert (await process.wait()).exit_status == 4
        buffer.free()


async def test_rusage_is_filled_with_what_the_child_used(local: Task) -> None:
    script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"
    async with local.spawn() as child:
        process = await child.exec(shell(script))
        usage = await local.malloc(struct_of(Rusage))
        state = await process.waitid(W.EXITED, rusage=usage)
        used = await usage.read()
        usage.free()

    assert state is not None
    assert state.clean()
    assert used.utime.sec * 1_000_000 + used.utime.usec > 0
    assert 0 < used.maxrss < resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 10


async def test_what_a_child_used_comes_with_its_end(task: Task) -> None:
    async with task.spawn() as child:
        process = await child.exec(shell("exit 7"))
        told = await process.wait4()
        assert told is not None
        state, used = told
        assert state.exit_status == 7
        assert used.maxrss > 0
        with pytest.raises(ChildDeadError):
            await process.wait4()


async def test_a_child_that_goes_on_has_used_nothing_yet(task: Task) -> None:
    async with task.spawn() as child:
        with nothing_left(task):
            assert await child.process.wait4(W.EXITED | W.NOHANG | W.ALL) is None


# wait, check, terminate, send_signal


async def test_wait_returns_at_once_when_the_death_was_seen(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(TRUE)
        assert await process.wait() is await process.wait()


async def test_waitid_on_a_dead_child_is_refused(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(TRUE)
        await process.wait()
        with pytest.raises(ChildDeadError):
            await process.waitid(W.EXITED)


async def test_check_returns_a_clean_end(local: Task) -> None:
    async with local.spawn() as child:
        assert (await (await child.exec(TRUE)).check()).clean()


@pytest.mark.parametrize("command", [shell("exit 3"), shell("kill -TERM $$")], ids=str)
async def test_check_raises_on_an_unclean_end(local: Task, command: Command) -> None:
    async with local.spawn() as child:
        process = await child.exec(command)
        with pytest.raises(UncleanExitError) as caught:
            await process.check()

    assert caught.value.state == process.death_state


async def test_terminate_sends_sigterm(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(FOREVER)
        await process.terminate()
        assert (await process.wait()).killed_with() == SIG.TERM


async def test_kill_sends_sigkill_unless_told_otherwise(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(FOREVER)
        await process.kill()
        assert (await process.wait()).killed_with() == SIG.KILL


async def test_send_signal_is_another_name_of_kill(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(FOREVER)
        await process.send_signal(SIG.USR2)
        assert (await process.wait()).killed_with() == SIG.USR2


# several tasks


async def test_several_tasks_may_wait_for_one_death(local: Task) -> None:
    async with local.spawn() as child, trio.open_nursery() as nursery:
        process = await child.exec(FOREVER)
        seen: list[ChildState] = []

        async def wait() -> None:
            seen.append(await process.wait())

        for _ in range(5):
            nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        await process.terminate()
        await until(0, nursery)

        assert len(seen) == 5
        assert set(seen) == {process.death_state}


async def test_several_tasks_may_wait_for_different_states(local: Task) -> None:
    async with local.spawn() as child, trio.open_nursery() as nursery:
        process = await child.exec(FOREVER)
        seen: list[CLD] = []

        async def wait(options: W) -> None:
            seen.append((await same_state(process, options)).code)

        for options in (W.STOPPED, W.CONTINUED, W.EXITED):
            nursery.start_soon(wait, options)
        await trio.testing.wait_all_tasks_blocked()
        for sig, left in ((SIG.STOP, 2), (SIG.CONT, 1), (SIG.KILL, 0)):
            await process.kill(sig)
            await until(left, nursery)

        assert seen == [CLD.STOPPED, CLD.CONTINUED, CLD.KILLED]


async def test_nothing_is_borrowed_while_a_task_only_waits(local: Task) -> None:
    async with local.spawn() as child, trio.open_nursery() as nursery:
        process = await child.exec(FOREVER)
        nursery.start_soon(process.wait)
        await trio.testing.wait_all_tasks_blocked()

        with process.borrow():
            pass
        await process.getpgid()
        await process.kill(SIG.TERM)


@pytest.mark.parametrize("options", [W.EXITED, W.STOPPED, W.STOPPED | W.CONTINUED | W.EXITED])
async def test_a_cancelled_wait_leaves_the_child_usable(local: Task, options: W) -> None:
    async with local.spawn() as child:
        process = await child.exec(FOREVER)
        for _ in range(3):
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(process.waitid, options)
                    await trio.testing.wait_all_tasks_blocked()
                    scope.cancel()
            assert scope.cancelled_caught
            assert not process.in_use
        await process.kill(SIG.STOP)
        assert (await same_state(process, W.STOPPED)).code is CLD.STOPPED
        await process.kill(SIG.KILL)
        assert (await process.wait()).killed_with() == SIG.KILL


async def test_a_cancelled_wait_into_a_buffer_leaves_the_buffer_to_its_owner(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(FOREVER)
        buffer = await local.malloc(SIGINFO)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(process.waitid, W.EXITED, buffer)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        assert process.unread_siginfo is None
        buffer.free()
