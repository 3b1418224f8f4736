"""``task.cred``."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    CAP,
    CLONE,
    ArgumentRangeError,
    Capabilities,
    Process,
    SerializerError,
    Task,
    ThreadCredentialsError,
    one_of,
)
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.capability_block import capability_header
from rsyscall_ns.near.abi.capability_h import CapUserData, CapUserHeader
from tests.support.children import IS_ROOT, status_field


async def test_ids_are_those_of_the_process(task: Task) -> None:
    assert await task.cred.getuid() == os.getuid()
    assert await task.cred.geteuid() == os.geteuid()
    assert await task.cred.getgid() == os.getgid()
    assert await task.cred.getegid() == os.getegid()


async def test_ids_are_those_of_the_new_user_namespace(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as child:
        assert await child.cred.getuid() == await child.cred.geteuid() == 0
        assert await child.cred.getgid() == await child.cred.getegid() == 0
        assert await child.cred.effective_capabilities() & 1 << 21


async def test_capabilities_are_what_the_kernel_shows(task: Task) -> None:
    shown = int(status_field(task.process.near.id, "CapEff"), 16)
    assert await task.cred.effective_capabilities() == shown
    assert bool(shown) == IS_ROOT


def shown(pid: int) -> Capabilities:
    """Return the sets as the kernel shows them in /proc."""
    fields = ("CapEff", "CapPrm", "CapInh")
    return Capabilities(*(CAP(int(status_field(pid, name), 16)) for name in fields))


async def test_capget_tells_all_three_sets(task: Task) -> None:
    assert await task.cred.capget() == shown(task.process.near.id)


async def test_capabilities_are_filled_in_where_they_are_asked_to_be(task: Task) -> None:
    room = await task.malloc(one_of(Capabilities))

    assert (await task.cred.capget(into=room)).peek() == shown(task.process.near.id)

    room.free()
    room = await task.process.task.malloc(one_of(Capabilities))
    assert (await task.process.capget(into=room)).peek() == shown(task.process.near.id)
    room.free()


async def test_capabilities_do_not_go_into_less_memory_than_they_take(task: Task) -> None:
    room = await task.malloc(one_of(Capabilities), 12)
    with pytest.raises(SerializerError):
        await task.cred.capget(into=room)
    room.free()

    room = await task.process.task.malloc(one_of(Capabilities), 12)
    with pytest.raises(SerializerError):
        await task.process.capget(into=room)
    room.free()


async def test_capabilities_of_another_process_are_told(task: Task, local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER) as other:
        there = Process(task, other.process.near)

        assert await there.capget() == shown(other.process.near.id)
        assert await other.process.capget() == await other.cred.capget()


async def test_capabilities_of_a_process_that_there_is_not_are_an_error(task: Task) -> None:
    with pytest.raises(ProcessLookupError, match="capget"):
        await Process(task, ids.Process(2**22 + 1)).capget()


@pytest.mark.parametrize("own_memory", [False, True])
async def test_capabilities_that_are_given_up_are_gone(local: Task, *, own_memory: bool) -> None:
    async with local.spawn(CLONE.NEWUSER, own_memory=own_memory) as child:
        before = await child.cred.capget()
        few = Capabilities(CAP.CHOWN, CAP.CHOWN | CAP.SYS_ADMIN, CAP.KILL)

        await child.cred.capset(few)

        assert await child.cred.capget() == few == shown(child.process.near.id)
        with pytest.raises(PermissionError, match="capset"):
            await child.cred.capset(before)
        with pytest.raises(PermissionError, match="capset"):  # effective, but not permitted
            await child.cred.capset(Capabilities(CAP.KILL))
        nothing = await child.ptr(Capabilities(), one_of(Capabilities))
        await child.cred.capset(nothing)
        assert await child.cred.capget() == nothing.peek() == Capabilities()
        nothing.free()


async def test_capabilities_are_not_set_out_of_half_the_memory(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        half = await child.malloc(one_of(Capabilities), 12)
        with pytest.raises(SerializerError):
            await child.cred.capset(half)
        half.free()


async def test_one_thread_of_the_interpreter_keeps_its_capabilities(local: Task) -> None:
    with pytest.raises(ThreadCredentialsError, match="capset would change one thread"):
        await local.cred.capset(await local.cred.capget())


def test_a_capability_has_the_number_that_c_gives_it() -> None:
    assert CAP.CHECKPOINT_RESTORE.number == 40
    with pytest.raises(ArgumentRangeError):
        _ = (CAP.CHOWN | CAP.KILL).number
    with pytest.raises(ArgumentRangeError):
        _ = CAP.NONE.number


@given(data=st.binary(min_size=24, max_size=24))
def test_bytes_become_capabilities_and_the_same_bytes_again(data: bytes) -> None:
    assert Capabilities.unpack(data).pack() == data


@given(data=st.binary(max_size=48).filter(lambda data: len(data) != 24))
def test_bytes_of_another_size_are_no_capabilities(data: bytes) -> None:
    with pytest.raises(SerializerError, match="24 bytes"):
        Capabilities.unpack(data)


def test_sets_lie_in_memory_as_the_structs_of_c_do() -> None:
    many = Capabilities(CAP.CHOWN | CAP.BPF, CAP.KILL, CAP.SYSLOG)
    low = CapUserData(CAP.CHOWN, CAP.KILL, 0)
    high = CapUserData(CAP.BPF >> 32, 0, CAP.SYSLOG >> 32)

    assert many.pack() == low.pack() + high.pack()
    assert capability_header(7)[:8] == CapUserHeader(0x20080522, 7).pack()


def test_a_set_that_is_none_is_refused() -> None:
    with pytest.raises(ArgumentRangeError, match="set of capabilities"):
        Capabilities(effective=CAP(2**64))
