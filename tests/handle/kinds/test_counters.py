"""Event counters, timers and memory files."""

from __future__ import annotations

import mmap
from errno import EBUSY, EPERM

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    CLOCK,
    EFD,
    F_SEAL,
    MFD,
    TFD,
    ArgumentRangeError,
    EventFD,
    FDKindError,
    FileFD,
    Itimerspec,
    MemFD,
    PathError,
    Task,
    TimerFD,
    Timespec,
    struct_of,
)
from tests.support.census import nothing_left

SOON = Itimerspec(value=Timespec(0, 1))
LATER = Itimerspec(Timespec(7), Timespec(1000))


async def test_a_counter_is_added_up_and_reset_by_reading(task: Task) -> None:
    async with await task.fds.eventfd(2) as counter:
        assert await counter.is_cloexec()
        await counter.eventfd_write(40)
        await counter.eventfd_write(0)
        assert await counter.eventfd_read() == 42


async def test_a_semaphore_gives_one_at_a_time(task: Task) -> None:
    async with await task.fds.eventfd(2, EFD.SEMAPHORE | EFD.NONBLOCK) as counter:
        assert [await counter.eventfd_read() for _ in range(2)] == [1, 1]
        if task.sysif.same_thread:
            return  # there a read waits, as every read of the interpreter's own does
        with pytest.raises(BlockingIOError):
            await counter.eventfd_read()


async def test_a_read_of_an_empty_counter_waits_and_can_be_cancelled(task: Task) -> None:
    async with await task.fds.eventfd() as counter:
        with nothing_left(task):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(counter.eventfd_read)
                await wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
        await counter.eventfd_write()
        assert await counter.eventfd_read() == 1


async def test_a_full_counter_is_waited_for(task: Task) -> None:
    async with await task.fds.eventfd() as counter:
        await counter.eventfd_write(2**64 - 2)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(counter.eventfd_write)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert await counter.eventfd_read() == 2**64 - 2


@pytest.mark.parametrize("value", [-1, 2**64 - 1])
async def test_what_no_counter_holds_is_refused(task: Task, value: int) -> None:
    async with await task.fds.eventfd() as counter:
        with pytest.raises(ArgumentRangeError, match="value"):
            await counter.eventfd_write(value)
    with pytest.raises(ArgumentRangeError, match="initval"):
        await task.fds.eventfd(2**32)


async def test_a_timer_expires(task: Task) -> None:
    async with await task.fds.timerfd_create() as timer:
        assert await timer.is_cloexec()
        assert await timer.timerfd_settime(SOON) == Itimerspec()
        assert await timer.expirations() == 1
        assert await timer.timerfd_gettime() == Itimerspec()


async def test_setting_a_timer_returns_what_was_left(task: Task) -> None:
    async with await task.fds.timerfd_create() as timer:
        await timer.timerfd_settime(LATER)
        left = await timer.timerfd_gettime()
        assert left.interval == Timespec(7)
        assert 900 < left.value.seconds <= 1000
        old = await timer.timerfd_settime(Itimerspec())
        assert old.interval == Timespec(7)
        assert await timer.timerfd_gettime() == Itimerspec()


async def test_a_time_that_is_over_expires_at_once(task: Task) -> None:
    async with await task.fds.timerfd_create(CLOCK.REALTIME) as timer:
        await timer.timerfd_settime(Itimerspec(value=Timespec(1)), TFD.TIMER_ABSTIME)
        assert await timer.expirations() == 1


async def test_timers_take_and_fill_the_callers_memory(task: Task) -> None:
    async with await task.fds.timerfd_create() as timer:
        new, old = await task.ptr(LATER), await task.malloc(struct_of(Itimerspec))
        old = await timer.timerfd_settime(new, into=old)
        assert await old.read() == Itimerspec()
        old = await timer.timerfd_gettime(old)
        assert (await old.read()).interval == Timespec(7)
        new.free()
        old.free()


async def test_the_ticks_of_a_timer_can_be_set(task: Task) -> None:
    async with await task.fds.timerfd_create() as timer:
        await timer.timerfd_settime(LATER)
        try:
            await timer.set_ticks(5)
        except OSError:
            pytest.skip("this kernel can't restore checkpoints")
        assert await timer.expirations() == 5
        with pytest.raises(ArgumentRangeError):
            await timer.set_ticks(0)


async def test_a_timer_that_is_waited_for_can_be_cancelled(task: Task) -> None:
    async with await task.fds.timerfd_create() as timer:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timer.expirations)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        with pytest.raises(OSError, match="timerfd_settime"):
            await timer.timerfd_settime(Itimerspec(value=Timespec(0, 10**9)))


async def test_a_memory_file_is_sealed(task: Task) -> None:
    async with await task.fds.memfd_create("näme", MFD.ALLOW_SEALING) as file:
        assert await file.is_cloexec()
        assert await file.get_seals() in {F_SEAL(0), F_SEAL.EXEC}
        await file.write(b"abc")
        assert (await file.statx()).size == 3
        await file.add_seals(F_SEAL.WRITE | F_SEAL.SHRINK | F_SEAL.GROW)
        with pytest.raises(PermissionError) as refused:
            await file.write(b"d")
        assert refused.value.errno == EPERM
        await file.add_seals(F_SEAL.SEAL)
        with pytest.raises(PermissionError):
            await file.add_seals(F_SEAL.FUTURE_WRITE)
        assert F_SEAL.SEAL in await file.get_seals()


async def test_a_memory_file_that_is_mapped_can_t_be_sealed_against_writing(local: Task) -> None:
    async with await local.fds.memfd_create("a", MFD.ALLOW_SEALING) as file:
        await file.write(bytes(4096))
        with file.borrow() as near_id, mmap.mmap(near_id.number, 4096):
            with pytest.raises(OSError, match="fcntl") as busy:
                await file.add_seals(F_SEAL.WRITE)
            assert busy.value.errno == EBUSY


async def test_a_memory_file_is_not_sealable_by_default_and_has_a_name(task: Task) -> None:
    async with await task.fds.memfd_create("a") as file:
        with pytest.raises(PermissionError):
            await file.add_seals(F_SEAL.WRITE)
    with pytest.raises(PathError):
        await task.fds.memfd_create("a\0b")
    with pytest.raises(OSError, match="memfd_create") as long:
        await task.fds.memfd_create("a" * 250)
    assert long.value.filename == "a" * 250
    name = await task.ptr(b"mine\0")
    async with await task.fds.memfd_create(name) as file:
        assert await file.get_seals() & F_SEAL.SEAL
    name.free()


async def test_secret_memory_is_a_file(task: Task) -> None:
    try:
        secret = await task.fds.memfd_secret()
    except OSError:
        pytest.skip("this kernel has no secret memory, or it is switched off")
    async with secret:
        assert await secret.is_cloexec()
        assert type(secret) is FileFD
        with pytest.raises(FDKindError):
            await (await secret.dup()).as_kind(MemFD)


async def test_kinds_are_told_apart(task: Task) -> None:
    async with (
        await task.fds.eventfd() as counter,
        await task.fds.timerfd_create() as timer,
        await task.fds.memfd_create("a") as memory,
        await task.fs.open("/proc/self/status") as file,
    ):
        kinds = (EventFD, TimerFD, MemFD)
        for fd, own in ((counter, EventFD), (timer, TimerFD), (memory, MemFD), (file, None)):
            for kind in kinds:
                copy = await fd.dup()
                if kind is own:
                    copy = await copy.as_kind(kind)
                else:
                    with pytest.raises(FDKindError):
                        await copy.as_kind(kind)
                await copy.close()


async def test_a_write_that_would_make_the_counter_too_large_does_not_keep_the_loop_busy(
    local: Task,
) -> None:
    async with await local.fds.eventfd() as counter, trio.open_nursery() as nursery:
        await counter.eventfd_write(2**64 - 3)
        nursery.start_soon(counter.eventfd_write, 2)
        with trio.fail_after(5):
            await wait_all_tasks_blocked()
        assert await counter.eventfd_read() == 2**64 - 3


async def test_select_does_not_keep_the_loop_busy_with_an_end_that_nobody_asked_for(
    local: Task,
) -> None:
    reader, writer = await local.fs.pipe2()
    async with reader, trio.open_nursery() as nursery:
        await writer.close()
        nursery.start_soon(local.fds.pselect, (), (), [reader])
        with trio.fail_after(5):
            await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
