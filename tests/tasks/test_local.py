"""open_local_task: the interpreter's own task, and what is left of it."""

from __future__ import annotations

import os
import socket
from contextlib import AsyncExitStack

import pytest
import trio

from rsyscall_ns import (
    AF,
    BYTES,
    CLONE,
    SOCK,
    SYS,
    ArenaClosedError,
    InInterpreterError,
    RsyscallError,
    TaskLostError,
    W,
    open_local_task,
)
from tests.support.census import Census, nothing_left
from tests.support.children import FOREVER, is_alive, thread_of


async def test_it_is_this_process() -> None:
    async with open_local_task() as local:
        assert await local.sysif.call(SYS.getpid) == os.getpid()
        assert await local.cred.getuid() == os.getuid()
        assert local.process.near.id == os.getpid()


async def test_leaving_it_closes_handles_unmaps_memory_and_ends_children() -> None:
    with nothing_left():
        async with AsyncExitStack() as scopes:  # left later than the local task's own
            async with open_local_task() as local:
                read, write = await local.fs.pipe2()
                pair = await local.net.socketpair(AF.UNIX, SOCK.STREAM)
                pointer = await local.ptr(b"x" * 3_000_000, BYTES)
                child = await scopes.enter_async_context(local.spawn())
                other = await scopes.enter_async_context(local.spawn())
                process = await other.exec(FOREVER)
                pids = [child.process.near.id, process.near.id]
                assert all(is_alive(pid) for pid in pids)
            assert not any(is_alive(pid) for pid in pids)
            assert not any(fd.valid for fd in (read, write, *pair))
            assert pointer.valid  # nobody freed it: its memory has gone with the arena
            with pytest.raises(RsyscallError):
                pointer.peek()


async def test_leaving_it_by_an_exception_or_a_cancel_releases_the_same() -> None:
    async def fail(scopes: AsyncExitStack) -> None:
        async with open_local_task() as local:
            await local.fs.pipe2()
            await scopes.enter_async_context(local.spawn())
            raise KeyError

    with nothing_left():
        async with AsyncExitStack() as scopes:
            with pytest.raises(KeyError):
                await fail(scopes)
            with trio.CancelScope() as scope:
                async with open_local_task() as local:
                    await local.fs.pipe2()
                    await scopes.enter_async_context(local.spawn())
                    scope.cancel()
                    await trio.lowlevel.checkpoint()


async def test_afterwards_nothing_can_be_done_with_it() -> None:
    async with open_local_task() as local:
        fd = await local.fs.open("/dev/null")
        async with local.spawn() as child:
            pass
    for use in (
        local.cred.getuid,
        lambda: local.fs.open("/dev/null"),
        lambda: AsyncExitStack().enter_async_context(local.spawn()),
        lambda: local.malloc(BYTES, 100),
        child.cred.getuid,
        fd.read,
    ):
        with pytest.raises(RsyscallError):
            await use()
    assert issubclass(TaskLostError, RsyscallError)
    assert issubclass(ArenaClosedError, RsyscallError)


async def test_a_stop_that_somebody_waited_for_leaves_no_thread() -> None:
    with nothing_left():
        async with open_local_task() as local, local.spawn() as child:
            await thread_of(child).kill(19)
            await thread_of(child).waitid(W.STOPPED)


async def test_two_local_tasks_in_one_run_are_independent() -> None:
    with nothing_left():
        async with open_local_task() as one:
            async with open_local_task() as two, two.spawn() as child:
                assert await child.cred.getuid() == os.getuid()
                assert two.arena is not one.arena
            async with one.spawn() as child:
                assert await child.cred.getuid() == os.getuid()


async def test_two_local_tasks_that_end_in_the_other_order() -> None:
    with nothing_left():
        first, second = open_local_task(), open_local_task()
        one, two = await first.__aenter__(), await second.__aenter__()
        async with one.spawn() as child:
            process = await child.exec(FOREVER)
            await process.kill()
            await process.wait()
        await first.__aexit__(None, None, None)
        async with two.spawn() as child:
            assert await child.cred.getuid() == os.getuid()
        await second.__aexit__(None, None, None)


async def test_one_after_the_other_in_one_run() -> None:
    with nothing_left():
        for _ in range(3):
            async with open_local_task() as local, local.spawn() as child:
                process = await child.exec(FOREVER)
                await process.terminate()
                await process.wait()


def test_trio_may_run_several_times() -> None:
    async def main() -> int:
        async with open_local_task() as local, local.spawn() as child:
            process = await child.exec(FOREVER)
            await process.terminate()
            return (await process.wait()).status

    before = Census.take()
    for _ in range(3):
        assert trio.run(main) == 15
    before.assert_same(Census.take())


async def test_an_fd_that_the_program_itself_opened_is_none_of_its_business() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        async with open_local_task() as local, local.spawn():
            pass
        ours.send(b"x")
        assert theirs.recv(1) == b"x"


@pytest.mark.parametrize("flags", [CLONE.NEWUTS, CLONE.NEWUSER, CLONE.FILES])
async def test_the_interpreter_itself_never_leaves_a_namespace(flags: CLONE) -> None:
    async with open_local_task() as local:
        with pytest.raises(InInterpreterError, match="spawn"):
            await local.ns.unshare(flags)


async def test_the_interpreter_itself_never_joins_a_namespace() -> None:
    async with open_local_task() as local:
        own = await local.ns.open("uts")
        with pytest.raises(InInterpreterError):
            await local.ns.setns(own)
