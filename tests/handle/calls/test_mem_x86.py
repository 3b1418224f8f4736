"""What ``task.mem`` has of the processor's own: descriptor tables, shadow stacks."""

from __future__ import annotations

import os
from errno import EINVAL, EOPNOTSUPP
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    BYTES,
    MAP,
    PROT,
    SHADOW_STACK,
    USER_DESC,
    ArgumentRangeError,
    MemFD,
    MissingCallError,
    SerializerError,
    Task,
    UserDesc,
    one_of,
)

PAGE: Final = 4096
X86: Final = pytest.mark.skipif(os.uname().machine != "x86_64", reason="only x86 has an LDT")
FLAGS: Final = USER_DESC.SEG_32BIT | USER_DESC.LIMIT_IN_PAGES | USER_DESC.USEABLE
ENTRY: Final = UserDesc(3, 0x1000, 0xFF, FLAGS)


async def ldt_of(task: Task) -> bytes:
    try:
        return await task.mem.read_ldt()
    except MissingCallError:
        pytest.skip("the kernel has no modify_ldt(2) (CONFIG_MODIFY_LDT_SYSCALL)")


@X86
async def test_an_entry_of_the_descriptor_table_is_written(local: Task) -> None:
    async with local.spawn(own_memory=True) as child:
        assert await ldt_of(child) == b""
        await child.mem.write_ldt(ENTRY)
        table = await ldt_of(child)
        assert table[: 3 * 8] == bytes(24)
        assert table[3 * 8 :][2:4] == b"\x00\x10"  # the low half of its base
        there = await child.ptr(UserDesc(4, 0x2000, 1, FLAGS), one_of(UserDesc))
        await child.mem.write_ldt(there)
        there.free()
        filled = await child.mem.read_ldt(await child.malloc(BYTES, 4096))
        table = await ldt_of(child)
        assert len(table) == 5 * 8
        assert (await filled.read())[: 5 * 8] == table
        filled.free()
        with pytest.raises(OSError, match="modify_ldt") as caught:
            await child.mem.write_ldt(UserDesc(8192))
        assert caught.value.errno == EINVAL
    assert await ldt_of(local) == b""


@X86
async def test_a_new_process_has_an_empty_descriptor_table(task: Task) -> None:
    await ldt_of(task)
    assert not any(await task.mem.read_ldt(default=True))


@given(st.binary(max_size=20))
def test_any_bytes_are_an_entry_or_a_named_error(data: bytes) -> None:
    try:
        entry = UserDesc.unpack(data)
    except SerializerError:
        assert len(data) != UserDesc.sizeof()
    else:
        assert entry.pack() == data


def test_what_does_not_fit_an_entry_is_refused() -> None:
    most = 2**32
    for entry in (UserDesc(most), UserDesc(0, most), UserDesc(0, 0, most)):
        with pytest.raises(ArgumentRangeError, match=str(most)):
            entry.pack()


async def test_a_shadow_stack_is_mapped_where_the_processor_has_them(task: Task) -> None:
    with pytest.raises(ArgumentRangeError, match="size"):
        await task.mem.map_shadow_stack(0)
    try:
        stack = await task.mem.map_shadow_stack(PAGE, SHADOW_STACK.TOKEN)
    except OSError as error:
        missing = isinstance(error, MissingCallError)
        assert missing or error.errno == EOPNOTSUPP  # noqa: PT017 - what most machines say
        return
    async with stack:
        assert stack.size() == PAGE


async def test_the_pages_of_a_file_are_shown_in_another_order(task: Task) -> None:
    async with (
        await task.fds.memfd_create("pages") as file,
        await task.mem.mmap(2 * PAGE, PROT.READ, MAP.SHARED, await grown(file)) as mapping,
    ):
        assert await mapping.read(1) == b"a"
        await mapping.remap_file_pages(1, 0, PAGE)
        assert await mapping.read(1) == b"b"
        with pytest.raises(OSError, match="remap_file_pages") as caught:
            await mapping.remap_file_pages(0, 0, 0)
        assert caught.value.errno == EINVAL
        with pytest.raises(ArgumentRangeError, match="pgoff"):
            await mapping.remap_file_pages(-1)


async def grown(file: MemFD) -> MemFD:
    await file.write(b"a" * PAGE + b"b" * PAGE)
    return file
