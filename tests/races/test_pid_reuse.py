"""Reuse of process ids, forced: no signal ever reaches a stranger through a ChildProcess.

In a pid namespace of our own we may choose the next id, also as an ordinary user.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import trio

from rsyscall_ns import (
    SIG,
    ChildDeadError,
    ExitStatusLostError,
    O,
    Task,
    TaskLostError,
    ThreadProcess,
    W,
)
from tests.support.children import end_by_exit, shell, thread_of
from tests.support.reuse import next_pid, pid_namespace, take_status

Use = Callable[[ThreadProcess], Awaitable[object]]


async def test_the_id_of_a_zombie_is_given_to_nobody(local: Task) -> None:
    async with pid_namespace(local) as first, first.spawn() as child:
        pid = child.process.near.id
        await end_by_exit(child, 0)
        await thread_of(child).waitid(W.EXITED | W.NOWAIT)
        await next_pid(first, pid)
        async with first.spawn() as other:
            assert other.process.near.id != pid
            await thread_of(child).kill(SIG.KILL)
            assert await other.cred.getuid() == 0


async def test_after_the_death_was_seen_every_use_is_refused(local: Task) -> None:
    async with pid_namespace(local) as first, first.spawn() as child:
        process = thread_of(child)
        await end_by_exit(child, 0)
        await process.wait()
        await next_pid(first, process.near.id)
        async with first.spawn() as stranger:
            assert stranger.process.near.id == process.near.id
            await thread_of(stranger).setpgid()
            for use in USES.values():
                with pytest.raises(ChildDeadError):
                    await use(process)
            assert await stranger.cred.getuid() == 0


USES: dict[str, Use] = {
    "kill": lambda process: process.kill(SIG.KILL),
    "terminate": lambda process: process.terminate(),
    "send_signal": lambda process: process.send_signal(SIG.USR1),
    "killpg": lambda process: process.killpg(SIG.KILL),
    "setpriority": lambda process: process.setpriority(5),
}


@pytest.mark.parametrize("use", USES)
async def test_after_somebody_else_took_the_status_no_stranger_is_hit(
    local: Task, use: str
) -> None:
    async with pid_namespace(local) as first, first.spawn() as child:
        process = thread_of(child)
        await end_by_exit(child, 0)
        await process.waitid(W.EXITED | W.NOWAIT)
        await take_status(first)
        await next_pid(first, process.near.id)
        async with first.spawn() as stranger:
            assert stranger.process.near.id == process.near.id
            await thread_of(stranger).setpgid()
            with suppress(ProcessLookupError, ChildDeadError, ExitStatusLostError):
                await USES[use](process)
            assert await stranger.cred.getuid() == 0
            assert await thread_of(stranger).getpriority() == await process_priority(local)


async def process_priority(local: Task) -> int:
    return await local.process.getpriority()


async def test_leaving_the_scope_of_one_that_somebody_else_reaped_hits_no_stranger(
    local: Task,
) -> None:
    async with pid_namespace(local) as first:
        async with first.spawn() as child:
            process = thread_of(child)
            await end_by_exit(child, 0)
            await process.waitid(W.EXITED | W.NOWAIT)
            await take_status(first)
            await next_pid(first, process.near.id)
            stranger_scope = first.spawn()
            stranger = await stranger_scope.__aenter__()
            assert stranger.process.near.id == process.near.id
        assert await stranger.cred.getuid() == 0
        await stranger_scope.__aexit__(None, None, None)


async def test_a_reused_id_can_be_signalled_through_its_own_handle(local: Task) -> None:
    async with pid_namespace(local) as first:
        pids: set[int] = set()
        for _ in range(10):
            async with first.spawn() as child:
                pids.add(child.process.near.id)
                await thread_of(child).kill(SIG.TERM)
                assert (await thread_of(child).wait()).killed_with() == SIG.TERM
                await next_pid(first, child.process.near.id)
        assert len(pids) == 1


STORM = """
i=0
while [ $i -lt 1500 ]; do (exit 0) || echo hit $?; i=$((i+1)); done
echo done
"""


async def test_beside_a_fork_storm_with_few_ids_nobody_else_is_hit(local: Task) -> None:
    async with pid_namespace(local) as first:
        with suppress(FileNotFoundError, PermissionError):  # before Linux 6.14: all ids
            async with await first.fs.open("/proc/sys/kernel/pid_max", O.WRONLY) as file:
                await file.write_all(b"400")  # the first 300 are given only once
        read, write = await local.fs.pipe2()
        async with first.spawn() as storm:
            out = await write.pass_to(storm)
            await write.close()
            process = await storm.exec(shell(STORM), stdout=out)
            said: list[bytes] = []
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read_all, read.read, said)
                nursery.start_soon(short_lives, first)
                nursery.start_soon(short_lives, first)
            assert b"".join(said) == b"done\n"
            assert (await process.wait()).clean()
        await read.close()


async def read_all(read: Callable[[], Awaitable[object]], parts: list[bytes]) -> None:
    while part := await read():
        assert isinstance(part, bytes)
        parts.append(part)


async def short_lives(first: Task) -> None:
    """Make children that die while they are signalled."""
    for turn in range(60):
        async with first.spawn() as child:
            process = thread_of(child)
            with suppress(TaskLostError):
                await child.exec(shell("exit 0"))
            for sig in (SIG.TERM, SIG.USR1, SIG.KILL):
                with suppress(ProcessLookupError, ChildDeadError):
                    await process.kill(sig)
                if turn % 2:
                    with suppress(ChildDeadError):
                        await process.waitid(W.EXITED | W.NOHANG)
