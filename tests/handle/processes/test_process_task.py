"""ProcessTask: what it knows of its process, and clone on a stack of the caller's."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import trio

from rsyscall_ns import (
    CLD,
    CLONE,
    INT32,
    SIG,
    SYS,
    AddressSpaceMismatchError,
    CloneFlagsError,
    NoParentTaskError,
    Pointer,
    Process,
    ProcessTask,
    RsyscallError,
    StackAlignmentError,
    StackNotAdjacentError,
    Task,
    ThreadProcess,
    UseAfterFreeError,
    W,
)
from rsyscall_ns.near import ids
from tests.support.census import nothing_left
from tests.support.children import end_by_exit, thread_of
from tests.support.seccomp import answer_with_enosys
from tests.support.stacks import ServedBlock, SplitBlock, StackPair, make_stack, parking_child
from tests.support.steps import Counting

SOME = CLONE.VM | CLONE.CLEAR_SIGHAND


@contextmanager
def refused(task: Task, error: type[RsyscallError]) -> Generator[None, None, None]:
    """Assert that the block is refused without any system call."""
    counting = Counting(task.sysif)
    task.sysif = counting
    try:
        with pytest.raises(error):
            yield
        assert counting.calls == 0
    finally:
        task.sysif = counting.inner


@asynccontextmanager
async def stack_of(task: Task, shift: int = 0) -> AsyncGenerator[StackPair, None]:
    """Give a stack that must still be valid afterwards, and is freed then."""
    allocation, data = await make_stack(task, shift=shift)
    yield allocation, data
    assert allocation.valid
    assert data.valid
    allocation.free()
    data.free()


# what it knows


async def test_one_built_from_a_near_id_has_no_parent_task(local: Task) -> None:
    made = ProcessTask(
        local.sysif, ids.Process(os.getpid()), None, CLONE(0), local.arena, local.watcher
    )

    assert made.parent_task is None
    assert type(made.process) is Process
    assert made.process.near.id == os.getpid()
    assert made.process.task is made
    await made.process.kill(0)


async def test_one_built_from_a_process_has_its_task_as_parent(local: Task) -> None:
    async with local.spawn() as child:
        made = ProcessTask(
            child.sysif, thread_of(child), local, CLONE.VM, local.arena, local.watcher
        )

        assert made.process is child.process
        assert made.parent_task is local


async def test_the_interpreter_s_own_task_knows_no_parent(local: Task) -> None:
    assert local.parent_task is None
    assert local.process.near.id == os.getpid()


async def test_a_spawned_task_knows_its_parent_and_its_process(local: Task) -> None:
    async with local.spawn() as child, child.spawn() as grandchild:
        assert child.parent_task is local
        assert grandchild.parent_task is child
        assert isinstance(grandchild.process, ThreadProcess)
        assert await grandchild.sysif.call(SYS.getppid) == child.process.near.id


# what clone refuses, before any system call


@pytest.mark.parametrize("shift", [1, 8, 15])
async def test_clone_refuses_misaligned_stack_data(local: Task, shift: int) -> None:
    async with stack_of(local, shift) as stack:
        with refused(local, StackAlignmentError):
            await local.clone(SOME, stack)


async def test_clone_refuses_a_stack_that_is_not_adjacent_to_its_data(local: Task) -> None:
    async with stack_of(local) as (first, data), stack_of(local) as (second, _):
        assert second.near.value + second.size() != data.near.value
        with refused(local, StackNotAdjacentError):
            await local.clone(SOME, (second, data))
        assert first.valid


@pytest.mark.parametrize("which", ["stack", "data", "ptid", "ctid", "newtls"])
async def test_clone_refuses_a_freed_pointer(local: Task, which: str) -> None:
    allocation, data = await make_stack(local)
    more = {name: await local.malloc(INT32) for name in ("ptid", "ctid", "newtls")}
    everything: dict[str, Pointer[Any]] = {"stack": allocation, "data": data, **more}
    everything[which].free()

    with refused(local, UseAfterFreeError):
        await local.clone(SOME, (allocation, data), more["ptid"], more["ctid"], more["newtls"])

    for name, pointer in everything.items():
        assert pointer.valid == (name != which)
        if pointer.valid:
            pointer.free()


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (CLONE.PARENT_SETTID, "ptid"),
        (CLONE.CHILD_SETTID, "ctid"),
        (CLONE.CHILD_CLEARTID, "ctid"),
        (CLONE.SETTLS, "newtls"),
        (CLONE.THREAD | CLONE.SIGHAND, "thread"),
        (CLONE.VFORK, "VFORK"),
        (CLONE.DETACHED, "DETACHED"),
        (CLONE.SIGHAND, "SIGHAND|handlers"),
        (CLONE.NEWUSER | CLONE.FS, "FS"),
        (CLONE.NEWNS | CLONE.FS, "FS"),
        (CLONE.NEWIPC | CLONE.SYSVSEM, "semaphore"),
    ],
)
async def test_clone_refuses_flags_that_cannot_work(local: Task, flags: CLONE, why: str) -> None:
    wanted = CLONE.VM if CLONE.SIGHAND in flags and CLONE.THREAD in flags else CLONE(0)
    async with stack_of(local) as stack:
        with refused(local, CloneFlagsError):
            await local.clone(flags | wanted, stack)
        with pytest.raises(CloneFlagsError, match=why):
            await local.clone(flags | wanted, stack)


async def test_clone_parent_without_a_known_parent_is_refused(local: Task) -> None:
    async with stack_of(local) as stack:
        with refused(local, NoParentTaskError):
            await local.clone(SOME | CLONE.PARENT, stack)


async def test_clone_refuses_a_stack_of_another_address_space(local: Task) -> None:
    async with local.spawn() as child:
        other = ProcessTask(
            child.sysif, thread_of(child), local, CLONE(0), local.arena, local.watcher
        )
        async with stack_of(local) as stack:
            with pytest.raises(AddressSpaceMismatchError):
                await other.clone(SOME, stack)


async def test_a_clone_that_the_kernel_refuses_leaves_the_pointers_valid(local: Task) -> None:
    with nothing_left(local):
        async with stack_of(local) as stack:
            with pytest.raises(OSError, match="clone3"):
                # a directory that is no cgroup
                async with await local.fs.open("/") as root:
                    await local.clone(CLONE.INTO_CGROUP, stack, cgroup=root)
        assert local.children == set()


# what clone makes


async def test_the_child_calls_the_function_that_the_stack_names(local: Task) -> None:
    async with ServedBlock.spawned(local) as served:
        assert await served.ring.call(SYS.getpid) == served.process.near.id
        assert await served.ring.call(SYS.getppid) == os.getpid()


async def test_a_child_whose_function_is_at_address_0_dies_of_it(local: Task) -> None:
    async with parking_child(local, stack=await make_stack(local)) as process:
        state = await process.wait()

    assert state.code in {CLD.KILLED, CLD.DUMPED}
    assert state.killed_with() == SIG.SEGV


async def test_the_stack_pointers_are_consumed_and_merged_by_the_child(local: Task) -> None:
    block = await SplitBlock.make(local)
    bottom, size = block.stack.near.value, block.stack.size() + block.data.size()
    process = await local.clone(SOME, (block.stack, block.data))

    assert not block.stack.valid
    assert not block.data.valid
    assert (process.used_stack.near.value, process.used_stack.size()) == (bottom, size)
    assert process.stack_data == block.data.value

    await process.end()
    block.free()


async def test_ptid_is_written_in_the_parent(local: Task) -> None:
    ptid = await local.malloc(INT32)
    async with parking_child(local, CLONE.PARENT_SETTID, ptid=ptid) as process:
        assert ptid.peek() == process.near.id
    assert ptid.valid
    ptid.free()


async def test_all_signals_are_let_through_again_after_clone(local: Task) -> None:
    before = await local.signals.sigprocmask()
    async with parking_child(local):
        assert await local.signals.sigprocmask() == before


async def test_clone_parent_makes_a_child_of_the_parent_task(local: Task) -> None:
    async with local.spawn() as child:
        block = await SplitBlock.make(child)
        process = await child.clone(SOME | CLONE.PARENT, (block.stack, block.data))

        assert process.task is local
        assert process in local.children
        assert process not in child.children
        await thread_of(child).kill()
        await thread_of(child).wait()
        await process.kill(SIG.STOP)
        stopped = await process.waitid(W.STOPPED)
        assert stopped is not None
        assert stopped.signal == SIG.STOP
        await process.kill(SIG.CONT)
        await process.kill(SIG.TERM)
        assert (await process.wait()).killed_with() == SIG.TERM
        block.free()


async def test_a_child_that_nobody_ends_is_ended_with_its_task(local: Task) -> None:
    async with local.spawn() as child:
        block = await SplitBlock.make(child)
        process = await child.clone(SOME, (block.stack, block.data))
        await process.kill(0)

    assert process.death_state is not None
    assert child.children == set()
    block.free()


async def test_where_clone3_is_not_to_be_had_clone_is_used(local: Task) -> None:
    async with local.spawn() as child:
        await answer_with_enosys(child, SYS.clone3)
        ctid = await child.malloc(INT32)
        async with ServedBlock.spawned(
            child, CLONE.CHILD_SETTID, ctid=ctid, clear=CLONE(0)
        ) as served:
            assert await served.ring.call(SYS.getppid) == child.process.near.id
            assert ctid.peek() == served.process.near.id
            await end_and_check(served)


async def end_and_check(served: ServedBlock) -> None:
    await served.process.kill(SIG.TERM)
    assert (await served.process.wait()).killed_with() == SIG.TERM


async def test_where_clone3_is_not_to_be_had_spawn_works_all_the_same(local: Task) -> None:
    async with local.spawn() as child:
        await answer_with_enosys(child, SYS.clone3)
        async with child.spawn(CLONE.NEWUSER | CLONE.NEWPID) as grandchild:
            assert await grandchild.sysif.call(SYS.getpid) == 1
            assert await grandchild.signals.sigaction(SIG.INT) == 0  # reset, as clone3 would
            await end_by_exit(grandchild, 9)
            assert (await thread_of(grandchild).wait()).exit_status == 9


async def test_many_clones_at_once_do_not_mix(local: Task) -> None:
    seen: set[int] = set()

    async def one() -> None:
        async with ServedBlock.spawned(local) as served:
            seen.add(await served.ring.call(SYS.getpid))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(one)

    assert len(seen) == 10
