"""``task.prctl``: how the process is treated; ``personality``."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from errno import EINVAL, ENODEV

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    BYTES,
    CLONE,
    INT32,
    PER,
    PERSONALITY,
    PR_SYS_DISPATCH,
    PR_TIMING,
    SYSCALL_DISPATCH_FILTER,
    UINT64,
    ArgumentRangeError,
    PathError,
    Personality,
    PidNamespaceMismatchError,
    PointerInUseError,
    Process,
    SerializerError,
    Task,
    TaskNeedsError,
)
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.wait_h import IdType, W
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.ids import Address
from tests.support.children import shell
from tests.support.kernels import needs, proc_file
from tests.support.procview import descendants

ALLOW = bytes([SYSCALL_DISPATCH_FILTER.ALLOW])
BLOCK = bytes([SYSCALL_DISPATCH_FILTER.BLOCK])


@pytest.fixture(params=["our memory", "own memory"])
async def made(request: pytest.FixtureRequest, local: Task) -> AsyncGenerator[Task, None]:
    async with local.spawn(own_memory=request.param == "own memory") as child:
        yield child


def comm(task: Task) -> str:
    return proc_file(task.process.near.id, "comm").decode().rstrip("\n")


async def test_a_thread_is_named(task: Task) -> None:
    before = await task.prctl.get_name()
    assert before == comm(task)

    for name in ("fifteen letters", "", "ü"):
        await task.prctl.set_name(name)
        assert await task.prctl.get_name() == comm(task) == name
    await task.prctl.set_name(before)


async def test_a_name_is_taken_from_memory_and_filled_in_there(task: Task) -> None:
    before, room = await task.ptr(b"sixteen letters?\0"), await task.malloc(BYTES, 16)

    await task.prctl.get_name(into=room)
    await task.prctl.set_name(before)
    assert await task.prctl.get_name() == "sixteen letters"
    await task.prctl.set_name(room)

    assert room.peek().rstrip(b"\0").decode() == comm(task)
    before.free()
    room.free()


async def test_a_name_that_does_not_fit_is_refused(task: Task) -> None:
    with pytest.raises(ArgumentRangeError, match="length of the name"):
        await task.prctl.set_name("sixteen letters?")
    with pytest.raises(PathError, match="NUL"):
        await task.prctl.set_name("a\0b")
    room = await task.malloc(BYTES, 15)
    with pytest.raises(ArgumentRangeError, match="buffer"):
        await task.prctl.get_name(into=room)
    room.free()


async def test_numbers_are_filled_in_where_they_are_asked_to_be(task: Task) -> None:
    number, word = await task.malloc(INT32), await task.malloc(UINT64)
    prctl = task.prctl

    assert (await prctl.get_pdeathsig(into=number)).peek() == await prctl.get_pdeathsig()
    assert (await prctl.get_child_subreaper(into=number)).peek() == 0
    assert (await prctl.set_mm_map_size(into=number)).peek() == await prctl.set_mm_map_size()
    place = await prctl.get_tid_address()
    assert (await prctl.get_tid_address(into=word)).peek() == (place.value if place else 0)
    number.free()
    word.free()


async def test_a_number_does_not_go_into_less_memory_than_it_takes(task: Task) -> None:
    number, word = await task.malloc(INT32, 2), await task.malloc(UINT64, 4)
    for refused in (
        task.prctl.get_pdeathsig(into=number),
        task.prctl.get_tsc(into=number),
        task.prctl.get_tid_address(into=word),
        task.prctl.get_shadow_stack_status(into=word),
        task.prctl.sched_core_get(into=word),
        task.arch_prctl.get_fs(into=word),
    ):
        with pytest.raises(SerializerError):
            await refused
    number.free()
    word.free()


async def test_orphans_are_given_to_who_asks_for_them(made: Task) -> None:
    assert not await made.prctl.get_child_subreaper()

    await made.prctl.set_child_subreaper(True)

    assert await made.prctl.get_child_subreaper()
    reader, writer = await made.fs.pipe2()
    script = shell("exec 3<&0; cat <&3 & exec sleep 1000000 </dev/null 3<&-")
    async with made.launch(script, stdin=reader) as process:
        while not (born := descendants(process.near.id)):
            await trio.lowlevel.checkpoint()
        await process.kill()
        await process.wait()
    (orphan,) = born
    assert orphan in descendants(made.process.near.id)
    for fd in (reader, writer):
        await fd.close()  # which ends it
    await near_process.waitid(made.sysif, IdType.PID, orphan, None, W.EXITED, None)
    await made.prctl.set_child_subreaper(False)
    assert not await made.prctl.get_child_subreaper()


async def test_timers_may_be_late_by_what_was_set(made: Task) -> None:
    before = await made.prctl.get_timerslack()

    await made.prctl.set_timerslack(7)
    assert await made.prctl.get_timerslack() == 7
    await made.prctl.set_timerslack(0)

    assert await made.prctl.get_timerslack() == before
    with pytest.raises(ArgumentRangeError, match="slack"):
        await made.prctl.set_timerslack(-1)


async def test_processor_time_is_counted_in_the_one_way_that_there_is(task: Task) -> None:
    assert await task.prctl.get_timing() == PR_TIMING.STATISTICAL
    await task.prctl.set_timing(PR_TIMING.STATISTICAL)
    with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):
        await task.prctl.set_timing(PR_TIMING.TIMESTAMP)


async def test_who_is_root_inside_only_serves_nobody_s_input(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        for refused in (child.prctl.get_io_flusher(), child.prctl.set_io_flusher(True)):
            with pytest.raises(PermissionError, match=r"\[prctl\(2\)"):
                await refused


async def test_who_serves_input_says_so(made: Task) -> None:
    try:
        assert not await made.prctl.get_io_flusher()
    except PermissionError as error:
        pytest.skip(f"it needs CAP_SYS_RESOURCE: {error}")

    await made.prctl.set_io_flusher(True)
    assert await made.prctl.get_io_flusher()
    await made.prctl.set_io_flusher(False)

    assert not await made.prctl.get_io_flusher()


async def test_counters_are_stopped_and_go_on(task: Task) -> None:
    await task.prctl.task_perf_events_disable()
    await task.prctl.task_perf_events_enable()


async def test_cookies_are_shared_where_there_are_any(local: Task, made: Task) -> None:
    prctl, other = made.prctl, Process(made, local.process.near)
    try:
        await prctl.sched_core_create()
    except OSError as error:
        assert error.errno in {EINVAL, ENODEV}  # noqa: PT017 - of a kernel that has none
        for refused in (
            prctl.sched_core_get(),
            prctl.sched_core_get(other),
            prctl.sched_core_share_to(other),
            prctl.sched_core_share_from(other),
        ):
            with pytest.raises(OSError, match=r"\[prctl\(2\)"):
                await refused
        return
    assert await prctl.sched_core_get() != 0
    assert await prctl.sched_core_get(other) == 0
    await prctl.sched_core_share_from(other)
    assert await prctl.sched_core_get() == 0


async def test_a_process_of_elsewhere_shares_no_cookie(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWPID) as child:
        ours = Process(local, ids.Process(os.getpid()))
        for refused in (
            child.prctl.sched_core_share_to(ours),
            child.prctl.set_ptracer(ours),
        ):
            with pytest.raises(PidNamespaceMismatchError):
                await refused


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="aarch64 has no such dispatch")
async def test_calls_are_let_through_while_the_selector_says_so(made: Task) -> None:
    selector = await made.ptr(ALLOW)
    await made.prctl.set_syscall_user_dispatch_on(selector, Address(4096), 4096)

    assert await made.cred.getuid() == os.getuid()
    with pytest.raises(PointerInUseError):
        selector.free()
    second = await made.ptr(ALLOW)
    await made.prctl.set_syscall_user_dispatch_on(second)
    selector.free()
    await made.prctl.set_syscall_user_dispatch_off()

    second.free()
    await made.prctl.set_syscall_user_dispatch_off()


async def test_a_selector_that_would_end_the_task_is_refused(local: Task, made: Task) -> None:
    blocks, allows = await made.ptr(BLOCK), await made.ptr(ALLOW)
    with pytest.raises(TaskNeedsError, match="a selector that blocks"):
        await made.prctl.set_syscall_user_dispatch_on(blocks)
    with pytest.raises(TaskNeedsError, match=r"PR_SYS_DISPATCH\.OFF"):
        await made.prctl.set_syscall_user_dispatch_on(allows, mode=PR_SYS_DISPATCH.OFF)
    blocks.free()
    with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):  # it ends before it begins
        await made.prctl.set_syscall_user_dispatch_on(allows, Address(2**64 - 1), 2)
    allows.free()

    ours = await local.ptr(ALLOW)
    with pytest.raises(TaskNeedsError, match="this interpreter"):
        await local.prctl.set_syscall_user_dispatch_on(ours)
    ours.free()


async def test_ids_of_timers_are_restored_on_demand(made: Task) -> None:
    needs(6, 15)
    assert not await made.prctl.timer_create_restore_ids_get()

    await made.prctl.timer_create_restore_ids_on()
    assert await made.prctl.timer_create_restore_ids_get()
    await made.prctl.timer_create_restore_ids_off()

    assert not await made.prctl.timer_create_restore_ids_get()


async def test_a_personality_is_inherited(made: Task) -> None:
    before = await made.prctl.personality()
    fixed = Personality(PER.LINUX, PERSONALITY.ADDR_NO_RANDOMIZE)

    assert await made.prctl.personality(fixed) == before

    assert await made.prctl.personality() == fixed
    assert int(proc_file(made.process.near.id, "personality"), 16) == PERSONALITY.ADDR_NO_RANDOMIZE
    script = "grep -q ^00040000 /proc/self/personality"
    async with made.launch(shell(script)) as process:
        assert str(await process.wait()) == "exited with status 0"
    await made.prctl.personality(before)


async def test_the_interpreter_s_personality_is_told(local: Task) -> None:
    word = int(proc_file(os.getpid(), "personality"), 16)

    assert await local.prctl.personality() == Personality.from_word(word)


@given(word=st.integers(0, 2**32 - 2))
def test_a_word_becomes_a_personality_and_the_same_word_again(word: int) -> None:
    assert Personality.from_word(word).word() == word


def test_a_personality_that_is_none_is_refused() -> None:
    for bad in (Personality(256), Personality(255, PERSONALITY(0xFFFFFF00))):
        with pytest.raises(ArgumentRangeError):
            bad.word()
