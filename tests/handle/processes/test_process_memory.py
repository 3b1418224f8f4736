"""Another process's memory, and where its pages are."""

from __future__ import annotations

import mmap
from collections.abc import AsyncIterator
from errno import EAGAIN, EFAULT, ENODEV, ENOENT, ENOSYS

import pytest

from rsyscall_ns import (
    BYTES,
    MPOL_MF,
    PROT,
    ArgumentRangeError,
    ChildProcess,
    MemoryMapping,
    Process,
    Task,
)
from rsyscall_ns.near.ids import Address
from tests.support.children import FOREVER

PAGE = mmap.PAGESIZE
NOWHERE = Address(PAGE)
ROBUST_LIST_HEAD = 24  # bytes


@pytest.fixture
async def mapping(task: Task) -> AsyncIterator[MemoryMapping]:
    async with await task.mem.mmap(2 * PAGE) as made:
        yield made


@pytest.fixture
async def itself(task: Task) -> Process:
    """Return the task's own process, as it sees itself."""
    return Process(task, await task.proc.gettid())


@pytest.fixture
async def program(task: Task) -> AsyncIterator[ChildProcess]:
    async with task.launch(FOREVER) as process:
        yield process


def place(mapping: MemoryMapping) -> Address:
    with mapping.borrow() as address:
        return address


async def test_memory_is_read_and_written(itself: Process, mapping: MemoryMapping) -> None:
    start = place(mapping)

    assert await itself.process_vm_writev([b"abc", b"defg"], [(start, 2), (start + PAGE, 5)]) == 7

    assert await itself.process_vm_readv([(start, 2), (start + PAGE, 5)]) == [b"ab", b"cdefg"]
    assert await itself.process_vm_readv([(start, 2), (start + PAGE, 5)], [7]) == [b"abcdefg"]
    assert await mapping.read(2) == b"ab"


async def test_memory_is_read_into_and_written_from_memory_of_the_caller(
    task: Task, itself: Process, mapping: MemoryMapping
) -> None:
    start = place(mapping)
    ours = await task.ptr(b"hello", BYTES)
    await itself.process_vm_writev([ours], [(start, 5)])

    (found,) = await itself.process_vm_readv([(start, 4)], [ours])

    assert await found.read() == b"hell"
    assert not ours.valid
    found.free()


async def test_memory_of_a_child_is_read_by_its_parent(task: Task) -> None:
    async with task.spawn(own_memory=True) as child, await child.mem.mmap(PAGE) as theirs:
        await theirs.write(b"only in the child")

        found = await child.process.process_vm_readv([(place(theirs), 17)])

        assert found == [b"only in the child"]


async def test_reading_ends_where_nothing_may_be_read(
    itself: Process, mapping: MemoryMapping
) -> None:
    start = place(mapping)
    await mapping.write(b"x" * 2 * PAGE)
    await mapping.mprotect(PROT.NONE, offset=PAGE)

    found = await itself.process_vm_readv([(start + (PAGE - 4), 8)])

    assert found == [b"xxxx"]
    assert await itself.process_vm_writev([b"12345678"], [(start + (PAGE - 4), 8)]) == 4


async def test_nothing_at_all_is_an_error(itself: Process) -> None:
    with pytest.raises(OSError, match="process_vm_readv") as caught:
        await itself.process_vm_readv([(NOWHERE, 1)])
    assert caught.value.errno == EFAULT


async def test_more_ranges_than_linux_takes_are_refused(itself: Process) -> None:
    with pytest.raises(ArgumentRangeError):
        await itself.process_vm_readv([(NOWHERE, 1)] * 1025)


# NUMA


async def test_where_pages_are_is_told(task: Task, itself: Process, mapping: MemoryMapping) -> None:
    start = place(mapping)
    await mapping.write(b"x")
    await allowed(task)

    found = await itself.move_pages([start, start + PAGE, NOWHERE])

    assert found[0] >= 0
    assert found[1] in {-ENOENT, -EFAULT}  # never used: the one, or the page of zeros
    assert found[2] == -EFAULT


async def test_a_page_is_moved_to_its_node(
    task: Task, itself: Process, mapping: MemoryMapping
) -> None:
    start = place(mapping)
    await mapping.write(b"x")
    node = min(await allowed(task))

    assert await itself.move_pages([start], [node]) == [node]

    pages = await task.ptr(start.value.to_bytes(8, "little"), BYTES)
    nodes = await task.ptr(node.to_bytes(4, "little"), BYTES)
    into = await task.ptr(EAGAIN.to_bytes(4, "little"), BYTES)
    assert await itself.move_pages(pages, nodes, into=into) is into
    assert int.from_bytes(await into.read(), "little") == node
    for pointer in (pages, nodes, into):
        pointer.free()


async def test_a_node_that_is_not_there_is_an_error(
    task: Task, itself: Process, mapping: MemoryMapping
) -> None:
    await allowed(task)
    with pytest.raises(OSError, match="move_pages") as caught:
        await itself.move_pages([place(mapping)], [1023])
    assert caught.value.errno == ENODEV


@pytest.mark.parametrize("flags", [MPOL_MF.NONE, MPOL_MF.STRICT])
async def test_move_pages_refuses_what_is_no_flag_of_it(itself: Process, flags: MPOL_MF) -> None:
    with pytest.raises(ArgumentRangeError):
        await itself.move_pages([NOWHERE], flags=flags)


async def test_move_pages_refuses_fewer_nodes_than_pages(task: Task, itself: Process) -> None:
    small = await task.malloc(BYTES, 4)
    with pytest.raises(ArgumentRangeError, match="nodes"):
        await itself.move_pages([NOWHERE, NOWHERE], [0])
    with pytest.raises(ArgumentRangeError, match="statuses"):
        await itself.move_pages([NOWHERE, NOWHERE], into=small)
    small.free()


async def test_all_pages_are_migrated(task: Task, program: ChildProcess) -> None:
    node = min(await allowed(task))

    assert await program.migrate_pages({node}, {node}) == 0

    mask = await task.ptr((1 << node).to_bytes(128, "little"), BYTES)
    assert await program.migrate_pages(mask, mask) == 0
    mask.free()


async def test_migrating_to_a_node_that_is_not_there_is_an_error(
    task: Task, program: ChildProcess
) -> None:
    node = min(await allowed(task))
    with pytest.raises(OSError, match="migrate_pages"):
        await program.migrate_pages({node}, {1023})


async def allowed(task: Task) -> frozenset[int]:
    try:
        return await task.mem.allowed_nodes()
    except OSError as error:
        if error.errno == ENOSYS:
            pytest.skip("the kernel was made without NUMA")
        raise


# robust futexes


async def test_a_thread_s_robust_list_is_told(local: Task) -> None:
    itself = Process(local, await local.proc.gettid())
    into = await local.malloc(BYTES, 16)

    head, size = await itself.get_robust_list()
    assert await itself.get_robust_list(into=into) is into

    assert size == ROBUST_LIST_HEAD
    assert head is not None  # the C library has registered one
    words = await into.read()
    assert words == head.value.to_bytes(8, "little") + size.to_bytes(8, "little")
    into.free()


async def test_a_thread_that_has_registered_none_has_no_robust_list(task: Task) -> None:
    async with task.spawn() as child:
        found, _ = await child.process.get_robust_list()

    assert found is None
