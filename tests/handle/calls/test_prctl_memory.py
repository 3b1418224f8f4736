"""``task.prctl``: the address space."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    AUXV,
    BYTES,
    CLONE,
    MAP,
    PR_MDWE,
    PR_SET_MM,
    PR_THP_DISABLE,
    PROT,
    SYS,
    ArgumentRangeError,
    FileDescriptor,
    ForGoodError,
    PrctlMmMap,
    SerializerError,
    Task,
)
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.auxvec_h import pack_auxv, unpack_auxv
from rsyscall_ns.near.ids import Address
from tests.support.children import stat_field
from tests.support.kernels import needs, proc_file

PAGE = 4096


@pytest.fixture
async def own(local: Task) -> AsyncGenerator[Task, None]:
    """Make a child that is root in a user namespace, with memory of its own."""
    async with local.spawn(CLONE.NEWUSER, own_memory=True) as child:
        yield child


async def test_huge_pages_are_had_or_not(own: Task) -> None:
    assert (await own.prctl.get_thp_disable())[0] in {False, True}

    await own.prctl.set_thp_disable(True)
    assert await own.prctl.get_thp_disable() == (True, PR_THP_DISABLE.NONE)
    await own.prctl.set_thp_disable(False)

    assert await own.prctl.get_thp_disable() == (False, PR_THP_DISABLE.NONE)


async def test_huge_pages_are_had_where_they_are_asked_for(own: Task) -> None:
    needs(6, 18)

    await own.prctl.set_thp_disable(True, PR_THP_DISABLE.EXCEPT_ADVISED)

    assert await own.prctl.get_thp_disable() == (True, PR_THP_DISABLE.EXCEPT_ADVISED)


async def test_an_exception_from_nothing_is_an_error(own: Task) -> None:
    with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):
        await own.prctl.set_thp_disable(False, PR_THP_DISABLE.EXCEPT_ADVISED)


async def test_memory_that_was_written_is_not_carried_out(own: Task) -> None:
    needs(6, 3)
    assert await own.prctl.get_mdwe() == PR_MDWE(0)

    await own.prctl.set_mdwe(PR_MDWE.REFUSE_EXEC_GAIN)

    assert await own.prctl.get_mdwe() == PR_MDWE.REFUSE_EXEC_GAIN
    async with await own.mem.mmap(PAGE, PROT.READ | PROT.WRITE) as mapping:
        with pytest.raises(PermissionError, match="mprotect"):
            await mapping.mprotect(PROT.READ | PROT.EXEC)
    with pytest.raises(PermissionError, match="prctl"):
        await own.prctl.set_mdwe(PR_MDWE(0))


async def test_flags_that_do_not_go_together_are_an_error(own: Task) -> None:
    needs(6, 6)
    with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):
        await own.prctl.set_mdwe(PR_MDWE.NO_INHERIT)


async def test_memory_that_is_the_interpreter_s_is_not_restricted_for_good(
    local: Task, child: Task
) -> None:
    for task in (local, child):
        with pytest.raises(ForGoodError, match=r"set_mdwe .* own_memory=True"):
            await task.prctl.set_mdwe(PR_MDWE.REFUSE_EXEC_GAIN)


async def test_equal_pages_are_merged_or_not(own: Task) -> None:
    needs(6, 4)
    try:
        before = await own.prctl.get_memory_merge()
    except OSError as error:
        pytest.skip(f"the kernel merges no pages: {error}")
    assert not before

    await own.prctl.set_memory_merge(True)
    assert await own.prctl.get_memory_merge()
    await own.prctl.set_memory_merge(False)

    assert not await own.prctl.get_memory_merge()


async def test_anonymous_memory_is_named(task: Task) -> None:
    async with await task.mem.mmap(
        2 * PAGE, PROT.READ | PROT.WRITE, MAP.PRIVATE | MAP.ANONYMOUS
    ) as mapping:
        for bad in ("a[b", "a" * 80):
            with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):
                await task.prctl.set_vma_anon_name(mapping, bad)
        with pytest.raises(ArgumentRangeError, match="length"):
            await task.prctl.set_vma_anon_name(mapping, "mine", 0, 3 * PAGE)
        try:
            await task.prctl.set_vma_anon_name(mapping, "mine", PAGE)
        except OSError as error:
            pytest.skip(f"the kernel was made without names of memory: {error}")
        pid = task.process.near.id
        assert proc_file(pid, "maps").count(b"[anon:mine]") == 1
        await task.prctl.set_vma_anon_name(mapping, None)
        assert b"[anon:mine]" not in proc_file(pid, "maps")


async def test_what_the_kernel_remembers_is_for_the_privileged(own: Task) -> None:
    somewhere, vector = Address(PAGE), await own.ptr(pack_auxv({AUXV.UID: 0}))
    number = await own.sysif.import_fd(1)
    async with FileDescriptor(own, ids.FileDescriptor(number)) as program:
        for refused in (
            own.prctl.set_mm(PR_SET_MM.ARG_START, somewhere),
            own.prctl.set_mm(PR_SET_MM.ARG_END, somewhere),
            own.prctl.set_mm(PR_SET_MM.BRK, somewhere),
            own.prctl.set_mm_auxv({AUXV.UID: 0}),
            own.prctl.set_mm_auxv(vector),
            own.prctl.set_mm_exe_file(program),
        ):
            with pytest.raises(PermissionError, match=r"\[prctl\(2\)"):
                await refused
    vector.free()


async def test_what_is_no_address_is_not_set_as_one(own: Task) -> None:
    for field in (PR_SET_MM.AUXV, PR_SET_MM.EXE_FILE, PR_SET_MM.MAP, PR_SET_MM.MAP_SIZE):
        with pytest.raises(ArgumentRangeError, match="field"):
            await own.prctl.set_mm(field, Address(PAGE))


async def test_the_map_is_as_large_as_we_know_it(task: Task) -> None:
    assert await task.prctl.set_mm_map_size() == PrctlMmMap.sizeof()


async def test_a_map_of_nothing_is_an_error(own: Task) -> None:
    with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):
        await own.prctl.set_mm_map(PrctlMmMap(exe_fd=2**32 - 1))


async def test_the_arguments_that_proc_shows_are_where_they_are_said_to_be(own: Task) -> None:
    pid = own.process.near.id
    start_code, end_code, stack = (int(stat_field(pid, index)) for index in (26, 27, 28))
    start_data, end_data, start_brk = (int(stat_field(pid, index)) for index in (45, 46, 47))
    env_start, env_end = (int(stat_field(pid, index)) for index in (50, 51))
    shown = b"renamed\0by us\0"
    private = MAP.PRIVATE | MAP.ANONYMOUS
    async with await own.mem.mmap(PAGE, PROT.READ | PROT.WRITE, private) as memory:
        await memory.write(shown)
        new = PrctlMmMap(
            start_code,
            end_code,
            start_data,
            end_data,
            start_brk,
            await own.sysif.call(SYS.brk, 0),
            stack,
            memory.near.value,
            memory.near.value + len(shown),
            env_start,
            env_end,
            exe_fd=2**32 - 1,
        )

        await own.prctl.set_mm_map(new)

        assert int(stat_field(pid, 48)) == memory.near.value
        assert proc_file(pid, "cmdline") == shown


async def test_the_auxiliary_vector_is_that_of_the_program(task: Task) -> None:
    needs(6, 4)

    found = await task.prctl.get_auxv()

    with suppress(PermissionError):  # files of what is not dumpable, as a stub, are root's
        assert found == unpack_auxv(await task.fs.read_bytes("/proc/self/auxv"))
    assert found[AUXV.PAGESZ] == PAGE
    filled = await task.prctl.get_auxv(into=await task.malloc(BYTES, 1024))
    assert unpack_auxv(filled.peek()) == found
    filled.free()
    start = await task.prctl.get_auxv(into=await task.malloc(BYTES, 16))
    assert start.peek() == pack_auxv(found)[:16]
    start.free()


async def test_the_place_of_a_thread_s_id_is_told(local: Task, child: Task) -> None:
    assert await local.prctl.get_tid_address() is not None
    assert await child.prctl.get_tid_address() is None


async def test_a_table_of_futexes_has_as_many_slots_as_are_asked_for(own: Task) -> None:
    needs(6, 16)
    try:
        assert await own.prctl.futex_hash_get_slots() == 0
    except OSError as error:
        pytest.skip(f"the kernel has a common table of futexes only: {error}")

    await own.prctl.futex_hash_set_slots(16)

    assert await own.prctl.futex_hash_get_slots() == 16
    with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):
        await own.prctl.futex_hash_set_slots(3)
    with pytest.raises(ArgumentRangeError, match="slots"):
        await own.prctl.futex_hash_set_slots(-1)


@given(entries=st.dictionaries(st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1), max_size=40))
def test_entries_become_a_vector_and_the_same_entries_again(entries: dict[int, int]) -> None:
    assert unpack_auxv(pack_auxv(entries) + b"what is behind") == entries


@given(data=st.binary(max_size=200))
def test_bytes_are_a_vector_or_refused_by_a_named_error(data: bytes) -> None:
    try:
        entries = unpack_auxv(data)
    except SerializerError as error:
        assert "has no end" in str(error)  # noqa: PT017 - the other way is right too
    else:
        assert unpack_auxv(pack_auxv(entries)) == entries
