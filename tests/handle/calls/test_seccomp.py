"""``task.seccomp``: filters of system calls, and who answers for them."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from errno import EBUSY, EDOM, EEXIST, EINVAL, ENOENT, EPERM
from pathlib import Path

import pytest
import trio
import trio.testing

from rsyscall_ns import (
    BYTES,
    SECCOMP_FILTER_FLAG,
    SECCOMP_RET,
    SECCOMP_USER_NOTIF_FD,
    SECCOMP_USER_NOTIF_FLAG,
    SIG,
    SYS,
    FDKindError,
    FileDescriptor,
    FilterError,
    FilterProgram,
    ForGoodError,
    O,
    Program,
    SeccompAnswerError,
    SeccompEndedError,
    SeccompNotif,
    SeccompNotifResp,
    SeccompNotifSizes,
    SeccompNotifyFD,
    SeccompServerError,
    SockFprog,
    Task,
    TaskLostError,
    W,
    filter_calls,
    seccomp_errno,
)
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.seccomp_h import SECCOMP_OP
from tests.support.blocking import until_blocked
from tests.support.children import status_field

NOTIFIED = filter_calls({"getppid": SECCOMP_RET.USER_NOTIF})
HARMLESS = filter_calls({"getppid": seccomp_errno(EPERM)})


@asynccontextmanager
async def listening(local: Task, child: Task) -> AsyncGenerator[SeccompNotifyFD, None]:
    """Filter a child, and give the interpreter the fd that tells of it."""
    async with (
        await child.seccomp.new_listener(NOTIFIED) as there,
        await there.pass_to(local) as here,
    ):
        yield here


async def test_a_denied_call_fails_with_the_errno_of_the_filter(child: Task) -> None:
    await child.seccomp.set_mode_filter(HARMLESS)

    assert await child.sysif.call(SYS.getppid) == -EPERM
    assert await child.sysif.call(SYS.getpid) == child.process.near.id
    assert status_field(child.process.near.id, "Seccomp") == "2"
    assert status_field(child.process.near.id, "NoNewPrivs") == "1"


async def test_a_program_of_the_callers_memory_is_taken(child: Task) -> None:
    steps = await child.ptr(HARMLESS.pack(), BYTES)

    await child.seccomp.set_mode_filter(steps)

    assert await child.sysif.call(SYS.getppid) == -EPERM
    steps.free()


async def test_a_call_that_kills_kills(local: Task) -> None:
    killing = filter_calls({"getppid": SECCOMP_RET.KILL_PROCESS})
    async with local.spawn() as child:
        await child.seccomp.set_mode_filter(killing)
        with pytest.raises(TaskLostError):
            await child.sysif.call(SYS.getppid)
        state = await child.process.waitid(W.EXITED)
        assert state is not None
        assert state.killed_with() == SIG.SYS


async def test_an_allow_list_denies_all_others(child: Task) -> None:
    allowed = ("exit_group", "futex", "getpid", "restart_syscall", "rt_sigreturn", "sched_yield")
    only = {name: int(SECCOMP_RET.ALLOW) for name in (*allowed, "sendto", "close")}
    await child.seccomp.set_mode_filter(filter_calls(only, seccomp_errno(EDOM)))

    assert await child.sysif.call(SYS.getpid) == child.process.near.id
    assert await child.sysif.call(SYS.getppid) == -EDOM


@pytest.mark.parametrize("name", ["futex", "sendto", "rt_sigreturn", "exit_group"])
async def test_a_filter_that_would_cut_off_the_server_is_refused(child: Task, name: str) -> None:
    with pytest.raises(SeccompServerError, match=name):
        await child.seccomp.set_mode_filter(filter_calls({name: seccomp_errno(EPERM)}))
    with pytest.raises(SeccompServerError, match=name):
        await child.seccomp.new_listener(filter_calls({name: SECCOMP_RET.USER_NOTIF}))

    assert status_field(child.process.near.id, "Seccomp") == "0"


async def test_the_interpreter_is_refused(local: Task) -> None:
    with pytest.raises(ForGoodError, match="filter"):
        await local.seccomp.set_mode_filter(HARMLESS)
    with pytest.raises(ForGoodError, match="filter"):
        await local.seccomp.new_listener(HARMLESS)


async def test_a_listener_is_made_by_its_own_method(child: Task) -> None:
    with pytest.raises(FilterError, match="new_listener"):
        await child.seccomp.set_mode_filter(HARMLESS, SECCOMP_FILTER_FLAG.NEW_LISTENER)
    with pytest.raises(FilterError, match="TSYNC_ESRCH"):
        await child.seccomp.new_listener(HARMLESS, SECCOMP_FILTER_FLAG.TSYNC)


async def test_a_program_of_calls_makes_a_listener(child: Task) -> None:
    steps = await child.ptr(NOTIFIED.pack(), BYTES)
    program = Program()
    program.calls.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    what = SockFprog(len(NOTIFIED), steps.near.value).pack()
    made = program.calls.seccomp(
        SECCOMP_OP.SET_MODE_FILTER, int(SECCOMP_FILTER_FLAG.NEW_LISTENER), what
    )
    async with (await child.run(program)).fd(made) as listener:
        assert isinstance(listener, SeccompNotifyFD)
        assert not await listener.id_valid(1)
    steps.free()


async def test_only_one_filter_may_have_a_listener(child: Task) -> None:
    async with await child.seccomp.new_listener(NOTIFIED):
        with pytest.raises(OSError, match="seccomp") as caught:
            await child.seccomp.new_listener(NOTIFIED)
        assert caught.value.errno == EBUSY


async def test_a_program_that_the_kernel_refuses_is_an_error(child: Task) -> None:
    steps = await child.ptr(b"\x15\0\x09\x09\0\0\0\0" + HARMLESS.pack()[-8:], BYTES)
    with pytest.raises(FilterError, match="last instruction"):
        await child.seccomp.set_mode_filter(steps)
    steps.free()


async def test_answers_that_the_kernel_knows(task: Task) -> None:
    assert await task.seccomp.get_action_avail(SECCOMP_RET.USER_NOTIF)
    assert await task.seccomp.get_action_avail(SECCOMP_RET.KILL_PROCESS)
    assert not await task.seccomp.get_action_avail(0x00010000)


async def test_the_sizes_are_ours(task: Task) -> None:
    known = SeccompNotifSizes(80, 24, 64)
    assert await task.seccomp.get_notif_sizes() == known
    there = await task.malloc(struct_of(SeccompNotifSizes))
    assert (await task.seccomp.get_notif_sizes(into=there)).peek() == known
    there.free()


async def test_a_call_is_answered_by_another_process(local: Task, child: Task) -> None:
    results: list[int] = []

    async def call() -> None:
        results.append(await child.sysif.call(SYS.getppid))

    async with listening(local, child) as listener:
        for val, error in ((4711, 0), (0, EDOM)):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call)
                told = await listener.recv()
                assert (told.pid, told.data.nr) == (child.process.near.id, SYS.getppid)
                assert await listener.id_valid(told.id)
                await listener.send(told.id, val, error)
            assert not await listener.id_valid(told.id)
        assert results == [4711, -EDOM]


async def test_a_call_goes_on(local: Task, child: Task) -> None:
    async with listening(local, child) as listener, trio.open_nursery() as nursery:
        results: list[int] = []

        async def call() -> None:
            results.append(await child.sysif.call(SYS.getppid))
            assert results == [os.getpid()]

        nursery.start_soon(call)
        told = await listener.recv()
        await listener.send(told.id, flags=SECCOMP_USER_NOTIF_FLAG.CONTINUE)


async def test_memory_of_the_caller_is_filled_and_read(local: Task, child: Task) -> None:
    async with listening(local, child) as listener, trio.open_nursery() as nursery:
        nursery.start_soon(child.sysif.call, SYS.getppid)
        room = await local.malloc(struct_of(SeccompNotif))
        told = (await listener.recv(into=room)).peek()
        answer = await local.ptr(SeccompNotifResp(told.id))
        await listener.send(answer)
        answer.free()
        room.free()


async def test_an_fd_is_given_to_the_caller(local: Task, child: Task) -> None:
    results: list[int] = []

    async def call() -> None:
        results.append(await child.sysif.call(SYS.getppid))

    async with listening(local, child) as listener, await local.fs.open("/dev/zero") as zero:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            told = await listener.recv()
            placed = await listener.addfd(told.id, zero, 77, cloexec=False)
            made = await listener.addfd(told.id, zero, send=True)
        assert placed == 77
        assert results == [made]
        there = Path(f"/proc/{child.process.near.id}/fd")
        assert [str((there / str(n)).readlink()) for n in (77, made)] == ["/dev/zero"] * 2
        assert await child.sysif.call(SYS.fcntl, 77, 1) == 0
        assert await child.sysif.call(SYS.fcntl, made, 1) == 1


async def test_a_wait_in_a_child_is_cancelled(local: Task, child: Task) -> None:
    async with local.spawn() as supervisor, listening(local, child) as here:
        listener = await here.pass_to(supervisor)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listener.recv)
            await until_blocked(supervisor, SYS.ioctl)
            nursery.cancel_scope.cancel()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child.sysif.call, SYS.getppid)
            told = await listener.recv()
            await listener.send(told.id)


async def test_a_wait_of_the_interpreter_is_cancelled(local: Task, child: Task) -> None:
    async with listening(local, child) as listener:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listener.recv)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child.sysif.call, SYS.getppid)
            await listener.send((await listener.recv()).id)


async def test_copies_in_the_interpreter_take_turns(local: Task, child: Task) -> None:
    async with listening(local, child) as first, await first.dup() as second:
        got: list[int] = []

        async def answer(fd: SeccompNotifyFD) -> None:
            asked = await fd.recv()
            got.append(asked.data.nr)
            await fd.send(asked.id, 7)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, first)
            nursery.start_soon(answer, second)
            await trio.testing.wait_all_tasks_blocked()
            for _ in range(2):
                assert await child.sysif.call(SYS.getppid) == 7
        assert got == [SYS.getppid] * 2


@pytest.mark.parametrize("where", ["direct", "ring"])
async def test_the_end_of_all_callers_is_told(local: Task, where: str) -> None:
    async with local.spawn() as supervisor:
        async with local.spawn() as child:
            first = await child.seccomp.new_listener(NOTIFIED)
            listener = await first.pass_to(local if where == "direct" else supervisor)
        with pytest.raises(SeccompEndedError):
            await listener.recv()
        await listener.close()


async def test_an_answer_to_nobody_is_an_error(local: Task, child: Task) -> None:
    async with listening(local, child) as listener, await local.fs.open("/dev/null") as null:
        assert not await listener.id_valid(1)
        with pytest.raises(FileNotFoundError) as caught:
            await listener.send(1)
        assert caught.value.errno == ENOENT
        with pytest.raises(FileNotFoundError):
            await listener.addfd(1, null)


async def test_an_answer_that_contradicts_itself_is_refused(local: Task, child: Task) -> None:
    async with listening(local, child) as listener:
        with pytest.raises(SeccompAnswerError, match="value and an error"):
            await listener.send(1, 1, EEXIST)
        with pytest.raises(SeccompAnswerError, match="continues"):
            await listener.send(1, 1, flags=SECCOMP_USER_NOTIF_FLAG.CONTINUE)


async def test_flags_of_a_listener_are_set(local: Task, child: Task) -> None:
    async with listening(local, child) as listener:
        await listener.set_flags(SECCOMP_USER_NOTIF_FD.SYNC_WAKE_UP)
        with pytest.raises(OSError, match="ioctl") as caught:
            await listener.set_flags(SECCOMP_USER_NOTIF_FD(0x80))
        assert caught.value.errno == EINVAL


async def test_a_listener_is_known_for_what_it_is(local: Task, child: Task) -> None:
    async with listening(local, child) as listener:
        copy = await listener.dup()
        plain = FileDescriptor(local, copy.near)
        async with await plain.as_kind(SeccompNotifyFD) as again:
            assert await again.is_cloexec()
        await copy.close()
    async with await local.fs.open("/dev/null", O.RDONLY) as null:
        with pytest.raises(FDKindError, match="SeccompNotifyFD: it is"):
            await null.as_kind(SeccompNotifyFD)


def test_a_filter_names_calls_that_exist() -> None:
    with pytest.raises(FilterError, match="'no_such'"):
        filter_calls({"no_such": SECCOMP_RET.ALLOW})
    with pytest.raises(FilterError, match="32 bits"):
        filter_calls({"getpid": -1})
    assert isinstance(filter_calls({}), FilterProgram)
