"""Page faults of a child, which this interpreter resolves."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from errno import EEXIST, EINVAL
from signal import SIGBUS

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    MADV,
    MAP,
    UFFD_EVENT,
    UFFD_FEATURE,
    UFFD_PAGEFAULT,
    UFFD_REGISTER,
    FDKindError,
    MemoryMapping,
    MissingCallError,
    Program,
    Task,
    TaskLostError,
    UffdEvent,
    UserfaultFD,
)
from rsyscall_ns.near.abi.userfaultfd_h import UFFD_MSG_SIZE, UffdMsg
from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import Address
from tests.support.census import nothing_left

PAGE = 4096
NO_FEATURES = UFFD_FEATURE.NONE


async def made(task: Task, features: UFFD_FEATURE = NO_FEATURES) -> UserfaultFD:
    try:
        fd = await task.mem.userfaultfd()
    except (MissingCallError, PermissionError) as error:
        pytest.skip(f"userfaultfd can't be had here: {error.strerror}")
    try:
        await fd.api(features)
    except OSError:
        await fd.close()
        pytest.skip(f"the kernel's userfaultfd lacks {features!r}")
    return fd


@pytest.fixture
async def faults(local: Task) -> AsyncIterator[UserfaultFD]:
    async with await made(local) as fd:
        yield fd


@pytest.fixture
async def missing(local: Task, faults: UserfaultFD) -> AsyncIterator[MemoryMapping]:
    """Two pages that are missing, whose faults are told of."""
    async with await local.mem.mmap(2 * PAGE) as mapping:
        await faults.register(mapping)
        yield mapping


async def touched(child: Task, address: Address, seen: list[bytes]) -> None:
    """Have a child read a page with an instruction of its own, as user code does."""
    program = Program()
    ref = program.read(address.value, 4)
    seen.append((await child.sysif.execute(program)).read(ref))


async def test_a_page_that_a_child_misses_is_filled(
    local: Task, faults: UserfaultFD, missing: MemoryMapping
) -> None:
    seen: list[bytes] = []
    async with local.spawn() as child, trio.open_nursery() as nursery:
        nursery.start_soon(touched, child, missing.near + PAGE, seen)
        (event,) = await faults.read_events()
        assert event == UffdEvent(UFFD_EVENT.PAGEFAULT, missing.near + PAGE)
        assert await faults.copy(event.address, b"page".ljust(PAGE, b".")) == PAGE

    assert seen == [b"page"]
    assert await missing.mincore() == [False, True]


async def test_a_page_that_a_child_misses_is_filled_with_zeros(
    local: Task, faults: UserfaultFD, missing: MemoryMapping
) -> None:
    seen: list[bytes] = []
    async with local.spawn() as child, trio.open_nursery() as nursery:
        nursery.start_soon(touched, child, missing.near, seen)
        await faults.read_events()
        assert await faults.zeropage(missing.near, PAGE, wake=False) == PAGE
        await faults.wake(missing.near, PAGE)

    assert seen == [bytes(4)]


async def test_whoever_waits_gets_the_page_when_it_is_no_longer_told_of(
    local: Task, faults: UserfaultFD, missing: MemoryMapping
) -> None:
    seen: list[bytes] = []
    async with local.spawn() as child, trio.open_nursery() as nursery:
        nursery.start_soon(touched, child, missing.near, seen)
        await faults.read_events()
        await faults.unregister(missing)

    assert seen == [bytes(4)]


async def test_data_of_ones_own_memory_fills_a_page(
    local: Task, faults: UserfaultFD, missing: MemoryMapping
) -> None:
    data = await local.ptr(b"mine".ljust(PAGE, b"."))
    assert await faults.copy(missing.near, data) == PAGE
    assert await missing.read(4) == b"mine"
    data.free()


async def test_a_page_that_is_there_is_not_filled_again(
    faults: UserfaultFD, missing: MemoryMapping
) -> None:
    await faults.copy(missing.near, bytes(PAGE))
    with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
        await faults.copy(missing.near, bytes(PAGE))
    assert caught.value.errno == EEXIST
    with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
        await faults.zeropage(missing.near + 1, PAGE)
    assert caught.value.errno == EINVAL


async def test_a_write_to_a_protected_page_is_told(local: Task) -> None:
    async with (
        await made(local, UFFD_FEATURE.PAGEFAULT_FLAG_WP) as faults,
        await local.mem.mmap(PAGE) as mapping,
        local.spawn() as child,
    ):
        await mapping.write(b"old.")
        await faults.register(mapping, UFFD_REGISTER.WP)
        await faults.writeprotect(mapping.near, PAGE)
        program = Program()
        program.write(mapping.near.value, b"new.")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child.sysif.execute, program)
            (event,) = await faults.read_events()
            assert event.flags == UFFD_PAGEFAULT.WP | UFFD_PAGEFAULT.WRITE
            assert await mapping.read(4) == b"old."
            await faults.writeprotect(mapping.near, PAGE, protect=False)
        assert await mapping.read(4) == b"new."


async def test_memory_that_is_given_back_is_told_to_a_child(child: Task, local: Task) -> None:
    async with (
        await made(child, UFFD_FEATURE.EVENT_REMOVE) as faults,
        await local.mem.mmap(2 * PAGE) as theirs,
        await child.mem.mmap(PAGE) as mapping,
    ):
        del theirs
        await faults.register(mapping)
        async with local.spawn() as other, trio.open_nursery() as nursery:
            mine = mapping.for_task(other)
            nursery.start_soon(mine.madvise, MADV.DONTNEED)
            (event,) = await faults.read_events()
            assert event.event == UFFD_EVENT.REMOVE
            assert (event.address, event.end) == (mine.near, mine.near + PAGE)
        await mine.for_task(child).munmap()


async def test_pages_are_moved_to_where_they_are_missed(local: Task) -> None:
    async with (
        await made(local, UFFD_FEATURE.MOVE) as faults,
        await local.mem.mmap(PAGE) as mapping,
        await local.mem.mmap(PAGE) as source,
    ):
        await source.write(b"here")
        await faults.register(mapping)

        assert await faults.move(mapping.near, source.near, PAGE) == PAGE

        assert await mapping.read(4) == b"here"
        assert await source.mincore() == [False]
        with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
            await faults.move(mapping.near, source.near, PAGE)
        assert caught.value.errno == EEXIST


async def test_a_page_that_is_cached_is_mapped_when_it_is_missed(local: Task) -> None:
    seen: list[bytes] = []
    async with (
        await made(local, UFFD_FEATURE.MINOR_SHMEM) as faults,
        await local.fds.memfd_create("shared") as file,
    ):
        await file.write(b"kept".ljust(PAGE, b"."))
        async with await local.mem.mmap(PAGE, flags=MAP.SHARED, fd=file) as mapping:
            await faults.register(mapping, UFFD_REGISTER.MINOR)
            async with local.spawn() as child, trio.open_nursery() as nursery:
                nursery.start_soon(touched, child, mapping.near, seen)
                (event,) = await faults.read_events()
                assert event.flags == UFFD_PAGEFAULT.MINOR
                assert await faults.resume(mapping.near, PAGE) == PAGE

    assert seen == [b"kept"]


async def test_whoever_touches_a_poisoned_page_dies_of_it(local: Task) -> None:
    async with (
        await made(local, UFFD_FEATURE.POISON) as faults,
        await local.mem.mmap(PAGE) as mapping,
        local.spawn() as child,
    ):
        await faults.register(mapping)
        assert await faults.poison(mapping.near, PAGE) == PAGE

        with pytest.raises(TaskLostError):
            await touched(child, mapping.near, [])

        assert (await child.process.wait()).signal == SIGBUS


async def test_the_faults_of_a_fork_come_with_an_fd_of_their_own(local: Task) -> None:
    async def fork(task: Task) -> None:
        async with task.spawn(own_memory=True):
            pass

    with nothing_left(local):
        async with local.spawn(own_memory=True) as child:
            theirs = await made(child, UFFD_FEATURE.EVENT_FORK)
            async with await child.mem.mmap(PAGE) as mapping:
                await theirs.register(mapping)
                async with await theirs.pass_to(local) as faults, trio.open_nursery() as nursery:
                    nursery.start_soon(fork, child)
                    (event,) = await faults.read_events()
                    assert event.event == UFFD_EVENT.FORK
                    assert event.fd is not None
                    async with event.fd as forked:
                        assert await forked.is_cloexec()


async def test_waiting_for_events_can_be_cancelled(task: Task) -> None:
    async with await made(task) as faults:
        with trio.move_on_after(0) as scope:
            await faults.read_events()
        assert scope.cancelled_caught


async def test_an_fd_is_checked_to_be_one(task: Task) -> None:
    with nothing_left(task):
        faults = await (await made(task)).as_kind(UserfaultFD)
        await faults.close()
        async with await task.fs.open("/dev/null") as other:
            with pytest.raises(FDKindError):
                await other.as_kind(UserfaultFD)


@given(st.binary(min_size=UFFD_MSG_SIZE, max_size=UFFD_MSG_SIZE))
def test_any_message_becomes_an_event_or_none(data: bytes) -> None:
    event = UffdMsg.unpack(data)

    assert (event is None) == (data[0] not in set(UFFD_EVENT))


@pytest.mark.parametrize("size", [0, UFFD_MSG_SIZE - 1, UFFD_MSG_SIZE + 1])
def test_a_message_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(SerializerError):
        UffdMsg.unpack(os.urandom(size))
