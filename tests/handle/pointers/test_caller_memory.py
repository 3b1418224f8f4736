"""Calls that are seldom given memory of the caller's take that as well."""

from __future__ import annotations

import termios
from errno import EOPNOTSUPP

import pytest

from rsyscall_ns import (
    BPF_MAP_TYPE,
    BYTES,
    CLONE,
    EPOLL,
    KCMP,
    LSM_ATTR,
    POLL,
    SIG,
    FileDescriptor,
    IoUringProbeOp,
    KcmpEpollSlot,
    MissingCallError,
    O,
    PollFD,
    Process,
    SerializerError,
    SigaltStack,
    Task,
    Timespec,
    UffdioApi,
    struct_of,
    unpack_probe,
)
from rsyscall_ns.near.abi.lsm_h import unpack_contexts
from tests.handle.calls.test_bpf import able

__all__ = ["able"]


async def test_a_wait_ends_by_a_time_in_memory(task: Task) -> None:
    time = Timespec.of_ns(1_000_000)
    soon = await task.ptr(time)
    reader, writer = await task.fs.pipe2()

    assert await task.fds.ppoll([PollFD(reader, POLL.IN)], soon) == []
    soon.poke(time)  # a child's kernel has put there what was left
    assert await task.fds.pselect([reader], timeout=soon) == ([], [], [])
    soon.poke(time)
    async with await task.fds.epoll_create1() as epoll:
        await epoll.add(reader, EPOLL.IN)
        assert list(await epoll.epoll_pwait2(8, soon)) == []
    with pytest.raises(BlockingIOError):
        await task.signals.sigtimedwait([SIG.USR2], soon)
    async with await task.aio.io_setup(1) as context:
        assert await context.io_getevents(0, 1, soon) == []

    soon.free()
    for fd in (reader, writer):
        await fd.close()


async def test_a_deadline_of_a_queue_can_lie_in_memory(task: Task) -> None:
    past = await task.ptr(Timespec())
    name = "/rsyscall_ns.deadline"
    async with await task.mq.mq_open(name, O.RDWR | O.CREAT | O.EXCL, 0o600) as queue:
        await task.mq.mq_unlink(name)
        with pytest.raises(TimeoutError):
            await queue.mq_timedreceive(deadline=past)
    past.free()


async def test_where_handlers_have_their_stack_is_filled_in(task: Task) -> None:
    place = await task.malloc(struct_of(SigaltStack))

    filled = await task.signals.sigaltstack(into=place)

    assert filled.peek() == await task.signals.sigaltstack()
    filled.free()


async def test_a_buffer_of_an_ioctl_can_lie_in_memory(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    await writer.write(b"seven..")
    place = await task.ptr(bytes(4), BYTES)

    filled = await FileDescriptor.ioctl_bytes(reader, termios.FIONREAD, place)

    assert int.from_bytes(filled.peek(), "little") == 7
    filled.free()
    for fd in (reader, writer):
        await fd.close()


async def test_what_an_io_uring_can_do_is_filled_in(task: Task) -> None:
    fd, _ = await task.io_uring.setup(2)
    some = await task.malloc(BYTES, 16 + 3 * IoUringProbeOp.sizeof())

    filled = await fd.register_probe(into=some)

    assert unpack_probe(filled.peek()) == (await fd.register_probe())[:3]
    filled.free()
    await fd.close()


async def test_values_of_a_map_are_filled_in(able: Task) -> None:
    async with await able.bpf.map_create(BPF_MAP_TYPE.HASH, 4, 8, 4) as made:
        key, value = b"key.", b"a value."
        await made.update(key, value)
        room = await able.malloc(BYTES, 8)

        found = await made.lookup(key, into=room)
        assert found is room
        assert room.peek() == value
        assert await made.lookup(b"none", into=room) is None

        after = await able.malloc(BYTES, 4)
        assert await made.get_next_key(into=after) is after
        assert after.peek() == key
        with pytest.raises(SerializerError):
            await made.lookup(key, into=after)
        assert await made.lookup_and_delete(key, into=room) is room
        assert await made.lookup(key) is None
        for pointer in (room, after):
            pointer.free()


async def test_what_a_userfaultfd_can_do_is_filled_in(task: Task) -> None:
    async with await task.mem.userfaultfd() as one, await task.mem.userfaultfd() as two:
        asked = await task.ptr(UffdioApi())

        assert await one.api(asked) is asked
        assert asked.peek() == await two.api()
        asked.free()


async def test_a_slot_of_an_epoll_can_lie_in_memory(local: Task) -> None:
    own = Process(local, local.process.near)
    reader, writer = await local.fs.pipe2()
    async with await local.fds.epoll_create1() as epoll:
        await epoll.add(reader, EPOLL.IN)
        slot = await local.ptr(KcmpEpollSlot(epoll.near.number, reader.near.number))

        assert await own.kcmp(own, KCMP.EPOLL_TFD, reader.near.number, slot) == 0

        slot.free()
    for fd in (reader, writer):
        await fd.close()


async def test_what_modules_and_keys_there_are_is_filled_in(task: Task) -> None:
    there = await task.malloc(BYTES, 4)
    filled = await task.keys.capabilities(into=there)
    have = int.from_bytes(filled.peek(), "little")
    assert have == await task.keys.capabilities() & 0xFFFFFFFF
    filled.free()

    listed = await task.malloc(BYTES, 256)
    try:
        modules = await task.lsm.list_modules(into=listed)
    except MissingCallError as error:
        listed.free()
        pytest.skip(f"no lsm_list_modules here: {error}")
    numbers = modules.peek()
    words = [int.from_bytes(numbers[at : at + 8], "little") for at in range(0, len(numbers), 8)]
    assert words == await task.lsm.list_modules()
    modules.free()


async def test_an_attribute_of_a_module_is_filled_in(task: Task) -> None:
    there = await task.malloc(BYTES, 4096)
    try:
        filled = await task.lsm.get_self_attr(LSM_ATTR.CURRENT, into=there)
    except MissingCallError as error:
        there.free()
        pytest.skip(f"no lsm_get_self_attr here: {error}")
    except OSError as error:
        assert error.errno == EOPNOTSUPP  # noqa: PT017 - where no module has the attribute
        assert there.valid
        there.free()
        return
    assert unpack_contexts(filled.peek()) == await task.lsm.get_self_attr(LSM_ATTR.CURRENT)
    filled.free()


async def test_names_can_lie_in_memory(task: Task) -> None:
    flags = CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWUTS
    async with task.spawn(flags, uid_map=True, gid_map=True) as child:
        kind = await child.ptr(b"tmpfs\0", BYTES)
        flag = await child.ptr(b"ro\0", BYTES)
        context = await child.mount.fsopen(kind)
        await context.set_flag(flag)
        await context.close()
        name = await child.ptr(b"inmemory\0", BYTES)
        await child.ns.sethostname(name)
        assert await child.ns.gethostname() == "inmemory"
        for pointer in (kind, flag, name):
            pointer.free()
