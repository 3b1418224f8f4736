"""Many trio tasks use one child at once; each gets its own answer, or is told of the end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from signal import SIGKILL

import pytest
import trio
from attrs import frozen
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    CLONE,
    SYS,
    FileDescriptor,
    Program,
    RsyscallError,
    Task,
    TaskLostError,
)
from rsyscall_ns.near.ffi import ENTRIES
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left

MANY = 3 * ENTRIES


@frozen
class Blocked:
    """A child, and a pipe of it: reading blocks it until ``release``."""

    child: Task
    reader: FileDescriptor
    writer: FileDescriptor

    async def read_byte(self) -> None:
        assert await self.reader.read(1) == b"x"

    async def release(self) -> None:
        await self.writer.write(b"x")


@pytest.fixture
async def blocked(local: Task) -> AsyncIterator[Blocked]:
    async with local.spawn() as child:
        reader, theirs = await child.fs.pipe2()
        writer = await theirs.pass_to(local)
        yield Blocked(child, reader, writer)


async def test_more_tasks_than_the_ring_has_entries_all_get_their_answers(blocked: Blocked) -> None:
    child = blocked.child
    answers: list[int] = []

    async def ask(value: int) -> None:
        program = Program()
        with child.transient(value.to_bytes(8, "little")) as room:
            got = program.read(room.address.value, 8)
            program.call(SYS.getpid)
            results = await child.sysif.execute(program)
        answers.append(int.from_bytes(results.read(got), "little"))

    with nothing_left(child):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(blocked.read_byte)
            await until_blocked(child)
            for value in range(MANY):
                nursery.start_soon(ask, value)
            await wait_all_tasks_blocked()
            assert answers == []  # the child makes one call after the other
            await blocked.release()
        assert sorted(answers) == list(range(MANY))


async def test_calls_are_made_in_the_order_in_which_they_were_asked_for(blocked: Blocked) -> None:
    reader, writer = await blocked.child.fs.pipe2()

    async def put(value: int) -> None:
        await writer.write(bytes([value]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(blocked.read_byte)
        await until_blocked(blocked.child)
        for value in range(ENTRIES - 1):
            nursery.start_soon(put, value)
            await wait_all_tasks_blocked()
        await blocked.release()

    assert await reader.read(100) == bytes(range(ENTRIES - 1))


async def test_many_tasks_share_one_child_and_mix_up_nothing(child: Task) -> None:
    async def work(name: int) -> None:
        reader, writer = await child.fs.pipe2()
        for turn in range(15):
            text = f"{name}:{turn}".encode()
            await writer.write(text)
            assert await reader.read(100) == text
        await reader.close()
        await writer.close()

    with nothing_left(child):
        async with trio.open_nursery() as nursery:
            for name in range(MANY):
                nursery.start_soon(work, name)


async def test_a_blocked_call_is_cancelled_and_the_child_stays_usable(blocked: Blocked) -> None:
    child = blocked.child
    for _ in range(20):
        with nothing_left(child):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(blocked.reader.read, 10)
                await until_blocked(child)
                nursery.cancel_scope.cancel()
            assert await child.sysif.call(SYS.getpid) == child.process.near.id

    await blocked.release()
    await blocked.read_byte()


async def test_a_blocked_program_is_cancelled_in_the_middle(blocked: Blocked) -> None:
    child, reader = blocked.child, blocked.reader
    with nothing_left(child), child.transient(8) as room:
        program = Program()
        first = program.call(SYS.getpid)
        program.call(SYS.read, reader.near.number, room.address.value, 8)
        program.call(SYS.close, reader.near.number)  # never reached
        seen: list[tuple[int, ...]] = []

        async def execute() -> None:
            results = await child.sysif.execute(program)
            assert results.interrupted
            assert results.value(first) == child.process.near.id
            seen.append(results.values)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(execute)
            await until_blocked(child)
            nursery.cancel_scope.cancel()

        assert [len(values) for values in seen] == [2]
    await blocked.release()
    await blocked.read_byte()


async def test_a_call_is_cancelled_while_it_waits_behind_another(blocked: Blocked) -> None:
    child = blocked.child
    finished: list[int] = []
    scopes: list[trio.CancelScope] = []

    async def ask(number: int, scope: trio.CancelScope) -> None:
        with scope:
            await child.sysif.call(SYS.getpid)
            finished.append(number)

    with nothing_left(child):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(blocked.read_byte)
            await until_blocked(child)
            for number in range(MANY):  # some in the ring, the others before it
                scopes.append(trio.CancelScope())
                nursery.start_soon(ask, number, scopes[-1])
            await wait_all_tasks_blocked()
            for scope in scopes[::2]:
                scope.cancel()
            await wait_all_tasks_blocked()
            await blocked.release()
        assert sorted(finished) == list(range(1, MANY, 2))
        assert all(scope.cancelled_caught for scope in scopes[::2])


async def test_everyone_who_waits_is_told_when_the_child_is_killed(blocked: Blocked) -> None:
    child = blocked.child
    told: list[RsyscallError] = []
    program = Program()
    program.call(SYS.getpid)

    async def ask(number: int) -> None:
        try:
            if number % 2:
                await child.sysif.call(SYS.getpid)
            else:
                await child.sysif.execute(program)
        except TaskLostError as error:
            told.append(error)

    async def read() -> None:
        with pytest.raises(TaskLostError, match="died"):
            await blocked.reader.read(1)

    with nothing_left():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await until_blocked(child)
            for number in range(MANY):
                nursery.start_soon(ask, number)
            await wait_all_tasks_blocked()
            os.kill(child.process.near.id, SIGKILL)
    assert len(told) == MANY
    with pytest.raises(TaskLostError):
        await child.sysif.call(SYS.getpid)


async def test_the_death_of_a_child_that_shares_our_fds_is_seen_too(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    async with local.spawn(CLONE.FILES) as child:
        theirs = reader.for_task(child)

        async def read() -> None:
            with pytest.raises(TaskLostError):
                await theirs.read(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await until_blocked(child)
            os.kill(child.process.near.id, SIGKILL)
    await writer.close()


async def test_the_memory_of_calls_that_were_cut_short_is_given_back(local: Task) -> None:
    used = local.arena.used
    async with local.spawn() as child:
        reader, _ = await child.fs.pipe2()

        async def read() -> None:
            with pytest.raises(TaskLostError):
                await reader.read(10_000)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await until_blocked(child)
            os.kill(child.process.near.id, SIGKILL)
    assert local.arena.used == used


async def test_a_call_that_ends_the_child_is_answered_by_the_named_error(local: Task) -> None:
    async with local.spawn() as child:
        with pytest.raises(TaskLostError, match=f"child {child.process.near.id}"):
            await child.sysif.call(SYS.exit_group, 3)
