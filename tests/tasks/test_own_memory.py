"""A child with memory of its own: a copy of ours when it is made, and a part that both see."""

from __future__ import annotations

import ctypes
from errno import EUSERS

import pytest

from rsyscall_ns import (
    BYTES,
    CLONE,
    AddressSpaceMismatchError,
    ArenaFullError,
    NamespaceFD,
    O,
    Read,
    Results,
    Task,
    TaskLostError,
)
from rsyscall_ns.near.program import Program
from tests.support.census import nothing_left
from tests.support.children import TRUE

TIME = CLONE.NEWUSER | CLONE.NEWTIME
LARGEST = 1 << 30


async def bytes_at(task: Task, address: int, length: int) -> bytes:
    """Return what the process has in its memory there."""
    program = Program((Read(address, length),))
    results: Results = await task.sysif.execute(program)
    return results.data[0]


@pytest.mark.parametrize("kind", ["shared", "own"])
async def test_what_we_change_later_is_seen_only_in_common_memory(local: Task, kind: str) -> None:
    ours = ctypes.create_string_buffer(b"before")
    async with local.spawn(own_memory=kind == "own") as child:
        ours.value = b"after!"

        there = await bytes_at(child, ctypes.addressof(ours), 6)

    assert there == (b"before" if kind == "own" else b"after!")


async def test_pointers_of_its_memory_are_its_alone(local: Task) -> None:
    async with (
        local.spawn(own_memory=True) as child,
        await child.fs.open("/dev/null", O.WRONLY) as there,
    ):
        mine, theirs = await local.ptr(b"mine", BYTES), await child.ptr(b"theirs", BYTES)

        with pytest.raises(AddressSpaceMismatchError):
            await there.write(mine)

        assert await there.write(theirs) == 6
        assert theirs.peek() == b"theirs"
        mine.free()


async def test_memory_that_is_mapped_later_in_this_interpreter_does_not_matter(
    local: Task,
) -> None:
    async with local.spawn(own_memory=True) as child:
        large = await local.malloc(BYTES, 1 << 21)  # more than the arena had: it grows
        async with await child.fs.open("/dev/zero") as zero:
            assert await zero.read(1 << 21) == bytes(1 << 21)
        large.free()


async def test_what_it_shares_with_us_can_be_used_up(local: Task) -> None:
    async with local.spawn(own_memory=True) as child:
        with pytest.raises(ArenaFullError, match="free some"):
            await child.malloc(BYTES, LARGEST)

        assert await child.cred.getuid() == await local.cred.getuid()


@pytest.mark.parametrize("kind", ["shared", "own"])
async def test_only_with_memory_of_its_own_it_can_join_a_time_namespace(
    local: Task, kind: str
) -> None:
    async with local.spawn(CLONE.NEWUSER, own_memory=kind == "own") as child:
        await child.ns.unshare(CLONE.NEWTIME)
        path = "/proc/self/ns/time_for_children"
        before = await child.fs.readlink("/proc/self/ns/time")
        async with await (await child.fs.open(path)).as_kind(NamespaceFD) as namespace:
            if kind == "own":
                await child.ns.setns(namespace, CLONE.NEWTIME)
                assert await child.fs.readlink("/proc/self/ns/time") != before
            else:
                with pytest.raises(OSError, match="memory of its own") as caught:
                    await child.ns.setns(namespace, CLONE.NEWTIME)
                assert caught.value.errno == EUSERS


@pytest.mark.parametrize("kind", ["shared", "own"])
async def test_it_has_children_of_both_kinds(local: Task, kind: str) -> None:
    with nothing_left(local):
        async with (
            local.spawn(own_memory=True) as child,
            child.spawn(own_memory=kind == "own") as grandchild,
        ):
            assert await grandchild.cred.getuid() == await local.cred.getuid()
            async with await grandchild.fs.open("/dev/zero") as zero:
                assert await zero.read(3) == bytes(3)


async def test_it_launches_and_execs(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn(own_memory=True) as child:
            async with child.launch(TRUE) as program:
                await program.check()
            await (await child.exec(TRUE)).check()


async def test_its_shared_memory_goes_with_it(local: Task) -> None:
    async with local.spawn(own_memory=True) as child:
        assert child.arena.mapped > 0

    assert child.arena.mapped == 0
    with pytest.raises(TaskLostError):
        await child.cred.getuid()
