"""``task.mem``, and the mappings that it makes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from errno import EFAULT, EINVAL, ENOMEM, EPERM
from pathlib import Path

import pytest

from rsyscall_ns import (
    BYTES,
    MADV,
    MAP,
    MCL,
    MEMBARRIER,
    MLOCK,
    MPOL,
    MPOL_MF,
    MREMAP,
    MSYNC,
    PKEY,
    PROT,
    ArgumentRangeError,
    MappingFlagsError,
    MappingSealedError,
    MemoryMapping,
    MissingCallError,
    NumaPolicy,
    O,
    PointerInUseError,
    Task,
    UseAfterFreeError,
)
from rsyscall_ns.near.ids import Address
from tests.support.census import nothing_left
from tests.support.procview import maps_of

PAGE = 4096
RW = PROT.READ | PROT.WRITE


def line_of(task: Task, address: Address) -> str | None:
    """Return the line of ``/proc/PID/maps`` that an address is in."""
    for line in maps_of(task.process.near.id):
        start, end = (int(word, 16) for word in line.split()[0].split("-"))
        if start <= address.value < end:
            return line
    return None


async def test_memory_is_mapped_and_unmapped(task: Task) -> None:
    mapping = await task.mem.mmap(3 * PAGE, PROT.READ, MAP.PRIVATE | MAP.ANONYMOUS)
    address = mapping.near
    assert address.value % PAGE == 0
    assert mapping.size() == 3 * PAGE
    line = line_of(task, address)
    assert line is not None
    assert "r--p" in line

    await mapping.munmap()

    assert line_of(task, address) is None
    assert not mapping.valid
    for use in (mapping.munmap, mapping.mlock, mapping.read):
        with pytest.raises(UseAfterFreeError):
            await use()


async def test_leaving_its_block_unmaps_a_mapping(task: Task) -> None:
    async with await task.mem.mmap(1) as mapping:
        address = mapping.near
        assert mapping.size() == PAGE
    assert line_of(task, address) is None
    async with await task.mem.mmap(1) as mapping:
        await mapping.munmap()


async def test_what_was_written_is_read(task: Task) -> None:
    with nothing_left(task):
        async with await task.mem.mmap(2 * PAGE) as mapping:
            await mapping.write(b"across", PAGE - 3)
            assert await mapping.read(6, PAGE - 3) == b"across"
            assert await mapping.read() == bytes(PAGE - 3) + b"across" + bytes(PAGE - 3)
            assert await mapping.read(0) == b""


async def test_memory_that_may_not_be_used_is_an_error_and_no_death(task: Task) -> None:
    async with await task.mem.mmap(2 * PAGE) as mapping:
        await mapping.mprotect(PROT.NONE, PAGE)
        for use in (mapping.read(2, PAGE - 1), mapping.write(b"ab", PAGE - 1)):
            with pytest.raises(OSError, match=r"process_vm_\w+\(2\)") as caught:
                await use
            assert caught.value.errno == EFAULT
        await mapping.mprotect(PROT.READ)
        with pytest.raises(OSError, match=r"process_vm_writev\(2\)"):
            await mapping.write(b"a")


async def test_a_part_that_is_not_in_the_mapping_is_refused(task: Task) -> None:
    async with await task.mem.mmap(PAGE) as mapping:
        with pytest.raises(ArgumentRangeError, match="offset"):
            await mapping.mprotect(PROT.READ, 2 * PAGE)
        with pytest.raises(ArgumentRangeError, match="length"):
            await mapping.madvise(MADV.DONTNEED, 0, 2 * PAGE)
        with pytest.raises(ArgumentRangeError, match="length"):
            await mapping.write(b"ab", PAGE - 1)


async def test_a_file_is_mapped_shared(task: Task, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(PAGE) + b"second page".ljust(PAGE, b"."))
    async with await task.fs.open(path, O.RDWR) as file:
        async with await task.mem.mmap(PAGE, RW, MAP.SHARED, file, PAGE) as mapping:
            assert await mapping.read(11) == b"second page"
            await mapping.write(b"changed", 0)
            await mapping.msync(MSYNC.SYNC)
            assert path.read_bytes()[PAGE : PAGE + 7] == b"changed"
        async with await task.mem.mmap(PAGE, fd=file) as private:
            await private.write(b"mine")
            assert path.read_bytes()[:4] == bytes(4)
        with pytest.raises(OSError, match=r"mmap\(2\)") as caught:
            await task.mem.mmap(PAGE, RW, MAP.SHARED, file, 1)
        assert caught.value.errno == EINVAL


async def test_flags_that_contradict_are_refused(task: Task) -> None:
    file = await task.fs.open("/dev/zero", O.RDWR)
    anonymous = MAP.PRIVATE | MAP.ANONYMOUS
    uses: list[Callable[[], Awaitable[object]]] = [
        lambda: task.mem.mmap(PAGE, RW, anonymous | MAP.FIXED, address=Address(PAGE)),
        lambda: task.mem.mmap(PAGE, RW, anonymous | MAP.FIXED_NOREPLACE),
        lambda: task.mem.mmap(PAGE, RW, anonymous, file),
        lambda: task.mem.mmap(PAGE, RW, MAP.PRIVATE),
    ]
    with nothing_left(task):
        for use in uses:
            with pytest.raises(MappingFlagsError, match="mmap"):
                await use()


async def test_a_place_is_taken_only_where_nothing_is(task: Task) -> None:
    flags = MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED_NOREPLACE
    async with await task.mem.mmap(2 * PAGE) as first:
        with pytest.raises(FileExistsError):
            await task.mem.mmap(PAGE, RW, flags, address=first.near)
        address = first.near
        await first.munmap()
        async with await task.mem.mmap(PAGE, RW, flags, address=address) as second:
            assert second.near == address


@pytest.mark.parametrize("length", [0, -1, 2**47 + 1, 2**64 + PAGE])
async def test_a_length_that_does_not_fit_is_refused(task: Task, length: int) -> None:
    with pytest.raises(ArgumentRangeError, match="length"):
        await task.mem.mmap(length)
    with pytest.raises(ArgumentRangeError, match="length"):
        await task.mem.munmap(Address(PAGE), length)


async def test_memory_that_can_not_be_had_is_an_error(task: Task) -> None:
    with pytest.raises(OSError, match=r"mmap\(2\)"):
        await task.mem.mmap(2**47)
    with pytest.raises(OSError, match=r"munmap\(2\)") as caught:
        await task.mem.munmap(Address(1), PAGE)
    assert caught.value.errno == EINVAL


async def test_a_mapping_grows_and_its_old_handle_is_gone(task: Task) -> None:
    mapping = await task.mem.mmap(PAGE)
    await mapping.write(b"kept")
    async with await mapping.mremap(3 * PAGE) as larger:
        assert not mapping.valid
        assert larger.size() == 3 * PAGE
        assert await larger.read(4) == b"kept"
        with pytest.raises(UseAfterFreeError):
            await mapping.mremap(PAGE)
        with pytest.raises(OSError, match=r"mremap\(2\)"):
            await larger.mremap(2**46)
        assert larger.valid


async def test_a_mapping_is_moved_onto_another_one(task: Task) -> None:
    async with await task.mem.mmap(PAGE) as mapping, await task.mem.mmap(3 * PAGE) as place:
        await mapping.write(b"moved")
        address = place.near
        async with await mapping.mremap(PAGE, onto=place) as moved:
            assert moved.near == address
            assert await moved.read(5) == b"moved"
            assert not mapping.valid
            assert not place.valid
            assert line_of(task, address + PAGE) is None
        with pytest.raises(UseAfterFreeError):
            await mapping.mremap(PAGE)


async def test_a_move_that_says_no_place_or_its_own_is_refused(task: Task) -> None:
    async with await task.mem.mmap(PAGE) as mapping, await task.mem.mmap(PAGE) as small:
        with pytest.raises(MappingFlagsError, match="onto which"):
            await mapping.mremap(PAGE, MREMAP.FIXED | MREMAP.MAYMOVE)
        with pytest.raises(MappingFlagsError, match="itself"):
            await mapping.mremap(PAGE, onto=mapping)
        with pytest.raises(ArgumentRangeError, match="size"):
            await mapping.mremap(2 * PAGE, onto=small)
        assert mapping.valid


async def test_what_is_moved_may_leave_its_place_mapped(task: Task) -> None:
    async with await task.mem.mmap(PAGE) as mapping:
        await mapping.write(b"moved")
        async with await mapping.mremap(PAGE, MREMAP.MAYMOVE | MREMAP.DONTUNMAP) as moved:
            assert await moved.read(5) == b"moved"
            assert await mapping.read(5) == bytes(5)


async def test_advice_is_followed(task: Task) -> None:
    async with await task.mem.mmap(2 * PAGE) as mapping:
        assert await mapping.mincore() == [False, False]
        await mapping.madvise(MADV.POPULATE_WRITE, PAGE)
        assert await mapping.mincore() == [False, True]
        await mapping.write(b"gone", PAGE)
        await mapping.madvise(MADV.DONTNEED)
        assert await mapping.read(4, PAGE) == bytes(4)
        with pytest.raises(OSError, match=r"madvise\(2\)") as caught:
            await mapping.madvise(MADV.DONTNEED, 1)
        assert caught.value.errno == EINVAL


async def test_which_pages_are_there_is_told_into_memory_of_ones_own(task: Task) -> None:
    async with await task.mem.mmap(2 * PAGE) as mapping:
        await mapping.write(b"a")
        pointer = await task.malloc(BYTES, 2)
        told = await mapping.mincore(into=pointer)
        assert not isinstance(told, list)
        assert [byte & 1 for byte in told.peek()] == [1, 0]
        told.free()
        small = await task.malloc(BYTES, 1)
        with pytest.raises(ArgumentRangeError, match="buffer"):
            await mapping.mincore(into=small)
        small.free()


async def test_pages_are_locked(task: Task) -> None:
    async with await task.mem.mmap(2 * PAGE) as mapping:
        await mapping.mlock(0, PAGE)
        await mapping.mlock2(MLOCK.ONFAULT, PAGE)
        assert await mapping.mincore() == [True, False]
        await mapping.munlock()


async def test_a_whole_address_space_is_locked_and_released(local: Task) -> None:
    try:
        await local.mem.mlockall(MCL.CURRENT | MCL.ONFAULT)
    except OSError as error:
        if error.errno not in {ENOMEM, EPERM}:  # an ordinary user's limit
            raise
    await local.mem.munlockall()
    with pytest.raises(OSError, match=r"mlockall\(2\)") as caught:
        await local.mem.mlockall(MCL(64))
    assert caught.value.errno == EINVAL


async def test_a_borrowed_mapping_is_not_unmapped(task: Task) -> None:
    async with await task.mem.mmap(PAGE) as mapping:
        with mapping.borrow() as address:
            assert address == mapping.near
            with pytest.raises(PointerInUseError):
                await mapping.munmap()
            with pytest.raises(PointerInUseError):
                await mapping.mremap(2 * PAGE)


async def test_a_mapping_is_used_through_another_task_of_its_memory(local: Task) -> None:
    async with local.spawn() as child:
        mapping = await child.mem.mmap(PAGE)
        mine = mapping.for_task(local)
        assert not mapping.valid
        await mine.write(b"ours")
    assert await mine.read(4) == b"ours"
    await mine.munmap()


async def test_a_sealed_mapping_stays_as_it_is(task: Task) -> None:
    mapping: MemoryMapping = await task.mem.mmap(PAGE, PROT.READ)
    try:
        await mapping.mseal()
    except MissingCallError:
        await mapping.munmap()
        pytest.skip("the kernel has no mseal, which came with Linux 6.10")
    assert mapping.sealed
    for use in (mapping.munmap, lambda: mapping.mremap(2 * PAGE)):
        with pytest.raises(MappingSealedError):
            await use()
    with pytest.raises(PermissionError, match=r"mprotect\(2\)"):
        await mapping.mprotect(RW)
    async with mapping:
        pass
    assert line_of(task, mapping.near) is not None


async def test_a_protection_key_forbids_writing(child: Task) -> None:
    try:
        key = await child.mem.pkey_alloc(PKEY.DISABLE_WRITE)
    except OSError:
        pytest.skip("the processor has no protection keys")
    async with await child.mem.mmap(PAGE) as mapping:
        await mapping.pkey_mprotect(RW, key)
        assert await mapping.read(1) == b"\0"
        with pytest.raises(OSError, match=r"process_vm_writev\(2\)"):
            await mapping.write(b"a")
        await mapping.pkey_mprotect(RW, 0)
        await mapping.write(b"a")
    await child.mem.pkey_free(key)


async def test_a_protection_key_that_there_is_not_is_refused(task: Task) -> None:
    with pytest.raises(ArgumentRangeError, match="protection key"):
        await task.mem.pkey_free(16)
    with pytest.raises(OSError, match=r"pkey_free\(2\)"):
        await task.mem.pkey_free(15)


async def test_the_end_of_the_heap_is_told(task: Task) -> None:
    end = await task.mem.brk()
    assert end.value > 0
    assert await task.mem.brk(Address(1)) == end


async def test_memory_barriers_are_told_and_made(task: Task) -> None:
    known = await task.mem.membarrier(MEMBARRIER.QUERY)
    assert MEMBARRIER.GLOBAL in known
    assert await task.mem.membarrier(MEMBARRIER.REGISTER_PRIVATE_EXPEDITED) == 0
    assert await task.mem.membarrier(MEMBARRIER.PRIVATE_EXPEDITED) == 0
    with pytest.raises(OSError, match=r"membarrier\(2\)") as caught:
        await task.mem.membarrier(MEMBARRIER(1 << 30))
    assert caught.value.errno == EINVAL


async def needs_numa(task: Task) -> None:
    try:
        await task.mem.get_mempolicy()
    except MissingCallError:
        pytest.skip("the kernel was made without NUMA")


async def test_the_numa_policy_is_set_and_told(child: Task) -> None:
    await needs_numa(child)
    allowed = await child.mem.allowed_nodes()
    assert allowed
    wanted = NumaPolicy(MPOL.BIND, allowed)
    await child.mem.set_mempolicy(wanted)
    assert await child.mem.get_mempolicy() == wanted
    await child.mem.set_mempolicy(NumaPolicy())
    assert await child.mem.get_mempolicy() == NumaPolicy()
    with pytest.raises(OSError, match=r"set_mempolicy\(2\)"):
        await child.mem.set_mempolicy(NumaPolicy(MPOL.BIND))


async def test_a_mapping_has_a_numa_policy_of_its_own(task: Task) -> None:
    await needs_numa(task)
    node = min(await task.mem.allowed_nodes())
    async with await task.mem.mmap(PAGE) as mapping:
        await mapping.mbind(NumaPolicy(MPOL.BIND, frozenset({node})), MPOL_MF.STRICT)
        await mapping.write(b"a")
        assert await task.mem.node_of(mapping.near) == node
        await mapping.set_mempolicy_home_node(node)
        with pytest.raises(ArgumentRangeError, match="node"):
            await mapping.mbind(NumaPolicy(MPOL.BIND, frozenset({1024})))
        with pytest.raises(ArgumentRangeError, match="node"):
            await mapping.set_mempolicy_home_node(-1)
