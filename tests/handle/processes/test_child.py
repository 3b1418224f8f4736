"""ChildProcess: borrowing, signals and groups under a borrow."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import trio

from rsyscall_ns import (
    CLD,
    CLONE,
    SIG,
    SIGINFO,
    ChildBusyError,
    ChildDeadError,
    ChildProcess,
    ChildState,
    PidNamespaceMismatchError,
    Task,
    UnreadSiginfoError,
    W,
)
from rsyscall_ns.near import ids
from tests.support.children import TRUE, foreign_child, thread_of
from tests.support.steps import Counting


def dead(pid: int) -> ChildState:
    return ChildState(CLD.KILLED, pid, 0, SIG.KILL)


def plain_child(local: Task) -> ChildProcess:
    """Return a child known by its id only, without a pidfd; the caller kills and waits for it."""
    return ChildProcess(local, ids.Process(foreign_child("exec sleep 1000000")))


# borrow


async def test_borrow_gives_the_near_id_and_marks_the_child_as_in_use(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        with process.borrow() as near_id:
            assert near_id is process.near
            assert process.in_use
        assert not process.in_use


async def test_borrow_is_released_by_an_exception(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        with pytest.raises(KeyError), process.borrow():
            raise KeyError
        assert not process.in_use
        with process.borrow():
            pass


async def test_borrow_is_released_by_a_cancel(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        with trio.CancelScope() as scope, process.borrow():
            scope.cancel()
            await trio.lowlevel.checkpoint()
        assert not process.in_use
        await process.kill(0)


async def test_borrow_of_one_in_use_is_refused(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        with process.borrow(), pytest.raises(ChildBusyError, match="in use"), process.borrow():
            pass
        assert not process.in_use


async def test_borrow_of_a_dead_one_is_refused(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        await process.kill()
        await process.wait()
        with pytest.raises(ChildDeadError, match="SIGKILL"), process.borrow():
            pass


async def test_borrow_while_a_siginfo_is_unread_is_refused(local: Task) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        buffer = await local.malloc(SIGINFO)
        await process.waitid(W.EXITED | W.NOHANG, buffer)
        with pytest.raises(UnreadSiginfoError, match="read_siginfo"), process.borrow():
            pass
        await process.read_siginfo()
        with process.borrow():
            pass
        buffer.free()


@pytest.mark.parametrize("why", ["dead", "unread", "busy"])
@pytest.mark.parametrize(
    "use", ["kill", "killpg", "getpgid", "setpgid", "setpriority", "getpriority", "waitid"]
)
async def test_every_use_is_refused_before_any_call(local: Task, why: str, use: str) -> None:
    async with local.spawn() as child:
        process = thread_of(child)
        uses: dict[str, Callable[[], Awaitable[object]]] = {
            "kill": lambda: process.kill(SIG.TERM),
            "killpg": lambda: process.killpg(SIG.TERM),
            "getpgid": process.getpgid,
            "setpgid": process.setpgid,
            "setpriority": lambda: process.setpriority(3),
            "getpriority": process.getpriority,
            "waitid": lambda: process.waitid(W.EXITED | W.NOHANG),
        }
        buffer = await local.malloc(SIGINFO)
        error: type[Exception] = ChildBusyError
        if why == "dead":
            await process.kill()
            await process.wait()
            error = ChildDeadError
        elif why == "unread":
            await process.waitid(W.EXITED | W.NOHANG, buffer)
            error = UnreadSiginfoError
        counting = Counting(local.sysif)
        local.sysif = counting
        if why == "busy":
            with process.borrow(), pytest.raises(error):
                await uses[use]()
        else:
            with pytest.raises(error):
                await uses[use]()
        assert counting.calls == 0
        local.sysif = counting.inner
        buffer.free()


async def test_calls_of_several_tasks_take_turns_instead_of_refusing_each_other(
    local: Task,
) -> None:
    async with local.spawn() as child, trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(thread_of(child).getpgid)
            nursery.start_soon(thread_of(child).kill, 0)


# signals and groups


async def test_kill_of_a_child_without_a_pidfd_works_too(local: Task) -> None:
    process = plain_child(local)
    await process.kill(SIG.TERM)

    state = await process.waitid(W.EXITED)

    assert state is not None
    assert state.killed_with() == SIG.TERM
    assert process.death_state == state


async def test_killpg_kills_the_group_that_the_child_leads(local: Task) -> None:
    async with local.spawn() as leader, local.spawn() as member:
        await thread_of(leader).setpgid(None)
        await thread_of(member).setpgid(thread_of(leader))
        await thread_of(leader).killpg(SIG.TERM)

        assert (await thread_of(leader).wait()).killed_with() == SIG.TERM
        assert (await thread_of(member).wait()).killed_with() == SIG.TERM


async def test_a_child_begins_in_the_group_of_its_parent(local: Task) -> None:
    async with local.spawn() as child:
        assert (await thread_of(child).getpgid()).id == os.getpgid(0)


async def test_setpgid_none_makes_a_group_of_its_own(local: Task) -> None:
    async with local.spawn() as child:
        await thread_of(child).setpgid(None)

        assert (await thread_of(child).getpgid()).id == child.process.near.id


async def test_setpgid_joins_the_group_of_the_other_child(local: Task) -> None:
    async with local.spawn() as leader, local.spawn() as member:
        await thread_of(leader).setpgid(None)
        await thread_of(member).setpgid(thread_of(leader))

        assert (await thread_of(member).getpgid()).id == leader.process.near.id


async def test_setpgid_of_itself_is_a_group_of_its_own(local: Task) -> None:
    async with local.spawn() as child:
        await thread_of(child).setpgid(thread_of(child))

        assert (await thread_of(child).getpgid()).id == child.process.near.id


async def test_setpgid_borrows_the_leader_too(local: Task) -> None:
    async with local.spawn() as leader, local.spawn() as member:
        await thread_of(leader).setpgid(None)
        with thread_of(leader).borrow(), pytest.raises(ChildBusyError):
            await thread_of(member).setpgid(thread_of(leader))
        assert not thread_of(member).in_use


async def test_setpgid_to_the_group_of_a_dead_child_is_refused(local: Task) -> None:
    async with local.spawn() as leader, local.spawn() as member:
        await thread_of(leader).kill()
        await thread_of(leader).wait()
        with pytest.raises(ChildDeadError):
            await thread_of(member).setpgid(thread_of(leader))
        with thread_of(member).borrow():
            pass


async def test_setpgid_across_pid_namespaces_is_refused_before_any_call(local: Task) -> None:
    async with (
        local.spawn() as ours,
        local.spawn(CLONE.NEWUSER | CLONE.NEWPID) as outer,
        outer.spawn() as theirs,
    ):
        counting = local.sysif = Counting(local.sysif)
        with pytest.raises(PidNamespaceMismatchError):
            await thread_of(ours).setpgid(thread_of(theirs))
        assert counting.calls == 0
        local.sysif = counting.inner


async def test_two_that_join_each_other_at_once_do_not_wait_for_ever(local: Task) -> None:
    async def join(member: ChildProcess, leader: ChildProcess) -> None:
        with suppress(PermissionError):  # the second: the group it wants has just been left
            await member.setpgid(leader)

    async with local.spawn() as one, local.spawn() as two:
        await thread_of(one).setpgid(None)
        await thread_of(two).setpgid(None)
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(join, thread_of(one), thread_of(two))
                nursery.start_soon(join, thread_of(two), thread_of(one))


# what has become of it


async def test_did_exec_remembers_the_command(local: Task) -> None:
    process = plain_child(local)
    process.did_exec(TRUE)
    assert process.command is TRUE
    await process.end()


async def test_mark_dead_remembers_the_death_and_refuses_every_use(local: Task) -> None:
    process = plain_child(local)
    await process.end()
    assert process.death_state is not None

    other = ChildProcess(local, ids.Process(process.near.id))
    other.mark_dead(dead(process.near.id))
    with pytest.raises(ChildDeadError):
        await other.kill(0)
