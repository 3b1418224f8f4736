"""Process: any process, by its id."""

from __future__ import annotations

import os

import pytest

from rsyscall_ns import CLONE, SIG, ArgumentRangeError, Process, Task, W
from rsyscall_ns.near import ids
from tests.support.children import same_state, shell, thread_of


async def test_kill_signals_the_process(local: Task) -> None:
    async with local.spawn() as child:
        await Process(local, child.process.near).kill(SIG.TERM)

        state = await thread_of(child).wait()

    assert state.killed_with() == SIG.TERM


async def test_kill_with_0_only_asks_whether_there_is_such_a_process(local: Task) -> None:
    async with local.spawn() as child:
        stranger = Process(local, child.process.near)
        await stranger.kill(0)
    with pytest.raises(ProcessLookupError):
        await stranger.kill(0)


@pytest.mark.parametrize("signal", [-1, 65, 2**31])
async def test_kill_refuses_what_is_no_signal(local: Task, signal: int) -> None:
    with pytest.raises(ArgumentRangeError):
        await Process(local, ids.Process(os.getpid())).kill(signal)


async def test_killpg_signals_the_whole_group_that_the_process_leads(local: Task) -> None:
    async with local.spawn() as leader, local.spawn() as member, local.spawn() as other:
        await thread_of(leader).setpgid()
        await thread_of(member).setpgid(thread_of(leader))

        await Process(local, leader.process.near).killpg(SIG.USR1)

        assert (await thread_of(leader).wait()).killed_with() == SIG.USR1
        assert (await thread_of(member).wait()).killed_with() == SIG.USR1
        await thread_of(other).kill(0)
        assert thread_of(other).death_state is None


async def test_killpg_of_one_that_leads_no_group_is_an_error(local: Task) -> None:
    async with local.spawn() as child:
        with pytest.raises(ProcessLookupError):
            await Process(local, child.process.near).killpg(SIG.TERM)


async def test_getpgid_returns_the_group(local: Task) -> None:
    own = await Process(local, ids.Process(os.getpid())).getpgid()

    assert own == ids.ProcessGroup(os.getpgid(0))


async def test_setpriority_sets_what_getpriority_returns(local: Task) -> None:
    async with local.spawn() as child:
        stranger = Process(local, child.process.near)
        before = await stranger.getpriority()
        await stranger.setpriority(7)

        assert before == os.getpriority(os.PRIO_PROCESS, 0)
        assert await stranger.getpriority() == 7
        assert os.getpriority(os.PRIO_PROCESS, child.process.near.id) == 7


@pytest.mark.parametrize("nice", [-21, 20])
async def test_setpriority_refuses_what_is_no_nice_value(local: Task, nice: int) -> None:
    with pytest.raises(ArgumentRangeError):
        await Process(local, ids.Process(os.getpid())).setpriority(nice)


async def test_getpriority_of_a_favoured_process_is_negative(local: Task) -> None:
    async with local.spawn() as child:
        stranger = Process(local, child.process.near)
        try:
            await stranger.setpriority(-5)
        except PermissionError:
            return  # an ordinary user: refused, and that is an error as it should be

        assert await stranger.getpriority() == -5


async def test_repr_shows_the_id_and_the_parent_task(local: Task) -> None:
    shown = repr(Process(local, ids.Process(77)))

    assert "77" in shown
    assert repr(local) in shown


async def test_an_id_is_looked_up_in_the_pid_namespace_of_its_task(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWPID) as child:
        itself = Process(child, ids.Process(1))
        await itself.setpriority(9)

        assert os.getpriority(os.PRIO_PROCESS, child.process.near.id) == 9


async def test_the_docstring_says_that_signalling_is_not_safe() -> None:
    assert Process.__doc__ is not None
    assert "stranger" in Process.__doc__
    assert "Not safe" in (Process.kill.__doc__ or "")


async def test_a_program_s_own_group_is_its_own_business(local: Task) -> None:
    async with local.spawn() as child:
        await thread_of(child).setpgid()
        process = await child.exec(shell("kill -STOP 0"))  # 0: its own group

        state = await same_state(process, W.STOPPED)

    assert state.signal == SIG.STOP
