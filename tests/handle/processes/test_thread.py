"""ThreadProcess: a child that still runs on a stack of ours, and owns it."""

from __future__ import annotations

import pytest

from rsyscall_ns import (
    BYTES,
    CLONE,
    INT32,
    SIG,
    SYS,
    ChildProcess,
    Pointer,
    PointerInUseError,
    Stack,
    Task,
    ThreadProcess,
    UseAfterFreeError,
    W,
)
from tests.support.children import FOREVER, TRUE, same_state, thread_of
from tests.support.stacks import ServedBlock, make_stack, parking_child


async def test_it_owns_the_whole_stack_and_what_was_written_on_it(local: Task) -> None:
    async with parking_child(local) as process:
        assert isinstance(process.used_stack, Pointer)
        assert process.used_stack.valid
        assert isinstance(process.stack_data, Stack)
        assert process.ctid is None
        assert process.tls is None


async def test_it_owns_ctid_and_tls(local: Task) -> None:
    ctid, tls = await local.malloc(INT32), await local.malloc(BYTES, 64)
    async with parking_child(local, CLONE.CHILD_SETTID, ctid=ctid, newtls=tls) as process:
        assert process.ctid is ctid
        assert process.tls is tls
        with pytest.raises(PointerInUseError, match="alive"):
            ctid.free()
        with pytest.raises(PointerInUseError, match="alive"):
            tls.free()
        await process.kill()
        await process.wait()
        assert not ctid.valid
        assert not tls.valid


async def test_its_stack_cannot_be_freed_or_consumed_while_it_lives(local: Task) -> None:
    async with parking_child(local) as process:
        stack = process.used_stack
        with pytest.raises(PointerInUseError, match="alive"):
            stack.free()
        with pytest.raises(PointerInUseError):
            stack.split(16)
        with pytest.raises(PointerInUseError):
            stack.as_type(BYTES)
        assert stack.valid


async def test_death_frees_everything(local: Task) -> None:
    used = local.arena.used
    async with parking_child(local) as process:
        await process.kill()
        valid = [process.used_stack.valid]  # nobody has seen the death yet
        await process.wait()
        valid.append(process.used_stack.valid)
        assert valid == [True, False]
    assert local.arena.used == used


async def test_exec_frees_everything(local: Task) -> None:
    async with local.spawn() as child:
        stack = thread_of(child).used_stack
        process = await child.exec(FOREVER)
        assert not stack.valid
        with pytest.raises(UseAfterFreeError):
            stack.free()
        await process.kill()


async def test_free_everything_frees_those_that_are_still_valid(local: Task) -> None:
    used = local.arena.used
    ctid, tls = await local.malloc(INT32), await local.malloc(BYTES, 64)
    async with parking_child(local, CLONE.CHILD_SETTID, ctid=ctid, newtls=tls) as process:
        await process.kill()
        await process.waitid(W.EXITED | W.NOWAIT)  # dead, and not yet seen so by the object
        ctid.let_go(process)
        ctid.free()

        process.free_everything()

        assert not process.used_stack.valid
        assert not tls.valid
        process.free_everything()
        await process.wait()
    assert local.arena.used == used


async def test_a_stop_frees_nothing(local: Task) -> None:
    async with parking_child(local) as process:
        await process.kill(SIG.STOP)
        await same_state(process, W.STOPPED)
        assert process.used_stack.valid
        assert repr(process).startswith("ThreadProcess(")


async def test_repr_says_child_process_once_it_has_died(local: Task) -> None:
    async with parking_child(local) as process:
        assert repr(process).startswith(f"ThreadProcess({process.near.id}, ")
        assert repr(local) in repr(process)
        await process.kill()
        await process.wait()
        assert repr(process).startswith(f"ChildProcess({process.near.id}, ")


async def test_repr_says_child_process_once_it_has_execed(local: Task) -> None:
    async with local.spawn() as child:
        assert repr(child.process).startswith("ThreadProcess(")
        process = await child.exec(TRUE)
        assert repr(process).startswith("ChildProcess(")
        assert process.command is TRUE


async def test_it_is_a_child_process_by_type(local: Task) -> None:
    async with local.spawn() as child:
        assert isinstance(child.process, ThreadProcess)
        assert isinstance(child.process, ChildProcess)


async def test_the_kernel_writes_the_thread_id_to_ctid_in_the_child(local: Task) -> None:
    ctid = await local.malloc(INT32)
    async with ServedBlock.spawned(local, CLONE.CHILD_SETTID, ctid=ctid) as served:
        assert await served.ring.call(SYS.gettid) == served.process.near.id
        assert ctid.peek() == served.process.near.id


async def test_child_cleartid_clears_ctid_when_it_exits(local: Task) -> None:
    ctid = await local.malloc(INT32)
    ctid.poke(77)
    async with ServedBlock.spawned(local, CLONE.CHILD_CLEARTID, ctid=ctid) as served:
        assert ctid.peek() == 77
        await served.process.kill()
        await served.process.waitid(W.EXITED | W.NOWAIT)
        assert ctid.peek() == 0


async def test_newtls_becomes_the_thread_register_of_the_child(local: Task) -> None:
    tls = await local.malloc(BYTES, 64)
    where = await local.malloc(BYTES, 8)
    async with ServedBlock.spawned(local, CLONE.SETTLS, newtls=tls) as served:
        if hasattr(SYS, "arch_prctl"):  # x86_64 only; aarch64 has no call that tells
            get_fs = 0x1003
            assert await served.ring.call(SYS.arch_prctl, get_fs, where.near.value) == 0
            assert int.from_bytes(await where.read(), "little") == tls.near.value
    where.free()


async def test_a_stack_of_our_own_making_is_merged(local: Task) -> None:
    allocation, data = await make_stack(local)
    start, end = allocation.near.value, data.near.value + data.size()
    async with parking_child(local, stack=(allocation, data)) as process:
        assert process.used_stack.near.value == start
        assert process.used_stack.size() == end - start
        assert not allocation.valid
        assert not data.valid
