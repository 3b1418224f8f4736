"""Locks and leases: who holds one, who waits, and how waiting ends."""

from __future__ import annotations

import os
from errno import EACCES, EAGAIN, EBADF, EINVAL
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    LOCK,
    SYS,
    ArgumentRangeError,
    FileFD,
    Flock,
    LockType,
    O,
    Task,
)
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left

WRITE = Flock(LockType.WRLCK)
READ = Flock(LockType.RDLCK)
FREE = Flock(LockType.UNLCK)


async def made(task: Task, path: Path) -> FileFD:
    return await task.fs.open(path, O.RDWR | O.CREAT, 0o600)


async def test_a_file_is_locked_for_one_open_file(task: Task, tmp_path: Path) -> None:
    one, other = [await made(task, tmp_path / "file") for _ in range(2)]
    with nothing_left(task):
        await one.flock(LOCK.SH)
        await other.flock(LOCK.SH | LOCK.NB)
        with pytest.raises(BlockingIOError):
            await other.flock(LOCK.EX | LOCK.NB)
        await one.flock(LOCK.UN)
        await other.flock(LOCK.EX)
        with pytest.raises(BlockingIOError):
            await one.flock(LOCK.SH | LOCK.NB)
        with pytest.raises(OSError, match="Invalid argument") as caught:
            await one.flock(LOCK(0))
        assert caught.value.errno == EINVAL
    await other.close()
    await one.flock(LOCK.EX)


async def test_waiting_for_a_file_lock_ends_when_it_is_free(
    task: Task, local: Task, tmp_path: Path
) -> None:
    holder, waiter = await made(local, tmp_path / "file"), await made(task, tmp_path / "file")
    await holder.flock(LOCK.EX)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(waiter.flock, LOCK.EX)
        await has_waited(task, SYS.flock)
        await holder.flock(LOCK.UN)
    with pytest.raises(BlockingIOError):
        await holder.flock(LOCK.SH | LOCK.NB)


async def has_waited(task: Task, number: int) -> None:
    """Return once a task waits: in the kernel, or in trio."""
    if task.sysif.same_thread:
        await wait_all_tasks_blocked()
    else:
        await until_blocked(task, number)


async def test_waiting_for_a_lock_can_be_cancelled(task: Task, local: Task, tmp_path: Path) -> None:
    holder, waiter = await made(local, tmp_path / "file"), await made(task, tmp_path / "file")
    await holder.flock(LOCK.EX)
    await holder.ofd_setlk(WRITE)
    for number in (SYS.flock, SYS.fcntl):
        async with trio.open_nursery() as nursery:
            if number == SYS.flock:
                nursery.start_soon(waiter.flock, LOCK.EX)
            else:
                nursery.start_soon(waiter.ofd_setlkw, WRITE)
            await has_waited(task, number)
            nursery.cancel_scope.cancel()
    await holder.flock(LOCK.UN)
    await holder.ofd_setlk(FREE)
    again = await made(local, tmp_path / "file")
    await again.flock(LOCK.EX | LOCK.NB)  # who was cancelled has not got it
    await again.ofd_setlk(WRITE)


async def test_records_are_locked_for_one_open_file(task: Task, tmp_path: Path) -> None:
    one, other = [await made(task, tmp_path / "file") for _ in range(2)]
    first, second = Flock(LockType.WRLCK, 0, 0, 10), Flock(LockType.WRLCK, 0, 10, 10)
    with nothing_left(task):
        await one.ofd_setlk(first)
        await other.ofd_setlk(second)
        with pytest.raises((BlockingIOError, PermissionError)) as caught:
            await other.ofd_setlk(first)
        assert caught.value.errno in {EAGAIN, EACCES}
        found = await other.ofd_getlk(READ)
        assert found == Flock(LockType.WRLCK, 0, 0, 10, -1)
        assert (await one.ofd_getlk(first)).type == LockType.UNLCK
        await one.ofd_setlk(Flock(LockType.UNLCK, 0, 0, 5))
        await other.ofd_setlkw(Flock(LockType.WRLCK, 0, 0, 5))
        with pytest.raises(OSError, match="Invalid argument") as wrong:
            await one.ofd_setlk(Flock(LockType.WRLCK, pid=1))
        assert wrong.value.errno == EINVAL
        with pytest.raises(ArgumentRangeError, match="start"):
            await one.ofd_setlk(Flock(start=2**63))
    place = await task.ptr(READ)
    filled = await one.ofd_getlk(place)
    assert filled is place
    assert (await place.read()).start == 0
    assert (await place.read()).type == LockType.WRLCK
    place.free()
    free = await task.ptr(FREE)
    await other.ofd_setlk(free)
    free.free()
    await one.ofd_setlkw(WRITE)


async def test_records_are_locked_for_one_process(local: Task, child: Task, tmp_path: Path) -> None:
    ours, theirs = await made(local, tmp_path / "file"), await made(child, tmp_path / "file")
    with nothing_left(child):
        await ours.setlk(WRITE)
        with pytest.raises((BlockingIOError, PermissionError)):
            await theirs.setlk(READ)
        found = await theirs.getlk(READ)
        assert (found.type, found.pid) == (LockType.WRLCK, os.getpid())
        assert (await ours.getlk(READ)).type == LockType.UNLCK  # its own are not in the way
        async with trio.open_nursery() as nursery:
            nursery.start_soon(theirs.setlkw, WRITE)
            await until_blocked(child, SYS.fcntl)
            await ours.setlk(FREE)
        found = await ours.getlk(READ)
        assert (found.type, found.pid) == (LockType.WRLCK, child.process.near.id)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ours.setlkw, WRITE)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert (await ours.getlk(READ)).pid == child.process.near.id
        await theirs.setlk(FREE)
        await ours.setlkw(WRITE)
    place = await local.ptr(WRITE)
    assert await ours.getlk(place) is place
    await ours.setlk(place)
    place.free()
    reading = await child.fs.open(tmp_path / "file")
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        await reading.setlk(WRITE)
    assert caught.value.errno == EBADF


async def test_a_deadlock_is_an_error_in_who_would_close_it(local: Task, tmp_path: Path) -> None:
    first, second = Flock(LockType.WRLCK, 0, 0, 1), Flock(LockType.WRLCK, 0, 1, 1)
    async with local.spawn() as one, local.spawn() as other:
        here, there = await made(one, tmp_path / "file"), await made(other, tmp_path / "file")
        await here.setlk(first)
        await there.setlk(second)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.setlkw, second)
            await until_blocked(one, SYS.fcntl)
            with pytest.raises(OSError, match="deadlock"):
                await there.setlkw(first)
            await there.setlk(FREE)


async def test_a_lease_is_taken_told_and_given_back(task: Task, tmp_path: Path) -> None:
    file = await made(task, tmp_path / "file")
    reading = await task.fs.open(tmp_path / "file")
    with nothing_left(task):
        assert await file.getlease() == LockType.UNLCK
        with pytest.raises(BlockingIOError):
            await file.setlease(LockType.WRLCK)  # it is open twice
    await file.close()
    folder = await task.fs.open(tmp_path, O.DIRECTORY)
    with nothing_left(task):
        await reading.setlease(LockType.RDLCK)
        assert await reading.getlease() == LockType.RDLCK
        await reading.setlease(LockType.UNLCK)
        assert await reading.getlease() == LockType.UNLCK
        with pytest.raises(OSError, match="Invalid argument"):
            await folder.setlease(LockType.WRLCK)
