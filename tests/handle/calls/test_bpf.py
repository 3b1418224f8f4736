"""``task.bpf``: maps, programs and links."""

from __future__ import annotations

from collections.abc import AsyncIterator
from errno import EINVAL, EPERM
from pathlib import Path

import pytest

from rsyscall_ns import (
    BPF_ATTACH_TYPE,
    BPF_ELEM,
    BPF_F_MAP,
    BPF_LINK_TYPE,
    BPF_MAP_TYPE,
    BPF_PROG_TYPE,
    BYTES,
    CLONE,
    ArgumentRangeError,
    BpfInsn,
    BpfLinkFD,
    BpfLinkInfo,
    BpfMapCreate,
    BpfMapFD,
    BpfMapInfo,
    BpfNotAllowedError,
    BpfProgFD,
    BpfProgInfo,
    BpfProgram,
    BpfVerifierError,
    FDKindError,
    FileDescriptor,
    PathError,
    SerializerError,
    Task,
)
from rsyscall_ns.handle.kinds.bpf_map import possible_cpus
from rsyscall_ns.memory.serializers import struct_of

ONE = BpfProgram.assemble(BpfInsn.alu("r0", "=", 1), BpfInsn.leave())
LOOKUP = 1  # BPF_FUNC_map_lookup_elem


async def checked(task: Task) -> Task:
    """Return the task if it may use BPF, else skip the test."""
    try:
        await (await task.bpf.map_create(BPF_MAP_TYPE.ARRAY, 4, 4, 1)).close()
    except BpfNotAllowedError as error:
        pytest.skip(f"BPF is forbidden here: {error}")
    return task


@pytest.fixture
async def able(task: Task) -> Task:
    return await checked(task)


@pytest.fixture
async def able_local(local: Task) -> Task:
    return await checked(local)


@pytest.fixture
async def hash_map(able: Task) -> AsyncIterator[BpfMapFD]:
    async with await able.bpf.map_create(BPF_MAP_TYPE.HASH, 4, 8, 16, name="tested") as made:
        yield made


async def load(task: Task, program: BpfProgram, *maps: BpfMapFD) -> BpfProgFD:
    return await task.bpf.prog_load(
        BPF_PROG_TYPE.SOCKET_FILTER, program, license="MIT", name="tested", maps=maps
    )


async def test_elements_are_set_found_and_removed(hash_map: BpfMapFD) -> None:
    assert await hash_map.is_cloexec()
    assert await hash_map.lookup(b"key1") is None
    await hash_map.update(b"key1", b"value__1")
    await hash_map.update(b"key2", b"value__2", BPF_ELEM.NOEXIST)
    assert await hash_map.lookup(b"key1") == b"value__1"
    assert sorted(await hash_map.keys()) == [b"key1", b"key2"]
    assert await hash_map.delete(b"key1")
    assert not await hash_map.delete(b"key1")
    assert await hash_map.lookup_and_delete(b"key2") == b"value__2"
    assert await hash_map.lookup_and_delete(b"key2") is None
    assert await hash_map.get_next_key() is None


async def test_an_update_says_what_must_be_there(hash_map: BpfMapFD) -> None:
    with pytest.raises(FileNotFoundError):
        await hash_map.update(b"key1", bytes(8), BPF_ELEM.EXIST)
    await hash_map.update(b"key1", bytes(8))
    with pytest.raises(FileExistsError):
        await hash_map.update(b"key1", bytes(8), BPF_ELEM.NOEXIST)


async def test_memory_of_the_caller_is_taken(hash_map: BpfMapFD, task: Task) -> None:
    key, value = await task.ptr(b"key1"), await task.ptr(b"value__1")
    await hash_map.update(key, value)
    assert await hash_map.lookup(key) == b"value__1"
    larger = await task.ptr(b"\xff" * 512)
    there = larger.as_type(struct_of(BpfMapInfo))
    told = (await hash_map.info(into=there)).peek()
    assert (told.type, told.name, told.max_entries) == (BPF_MAP_TYPE.HASH, "tested", 16)
    assert told == await hash_map.info()
    for pointer in (key, value, there):
        pointer.free()


async def test_keys_and_values_of_other_sizes_are_refused(hash_map: BpfMapFD) -> None:
    for key, value in ((b"key", bytes(8)), (b"key1", bytes(7))):
        with pytest.raises(SerializerError, match="of the map"):
            await hash_map.update(key, value)
        with pytest.raises(SerializerError, match="of the map"):
            await hash_map.update_batch({key: value})


async def test_many_elements_are_set_at_once(hash_map: BpfMapFD) -> None:
    elements = {bytes([n] * 4): bytes([n] * 8) for n in range(9)}
    assert await hash_map.update_batch(elements) == 9
    assert {key: await hash_map.lookup(key) for key in await hash_map.keys()} == elements
    assert await hash_map.lookup_batch(16) == (elements, None)
    assert await hash_map.delete_batch([bytes(4), bytes([1] * 4), b"none", bytes([2] * 4)]) == 2
    left = dict(list(elements.items())[2:])
    assert await hash_map.lookup_and_delete_batch(16) == (left, None)
    assert await hash_map.lookup_batch(16) == ({}, None)


@pytest.mark.parametrize("name", ["x" * 16, "a b", "\xe9", "a\0", "a\n"])
async def test_names_that_no_object_can_have_are_refused(task: Task, name: str) -> None:
    with pytest.raises(PathError, match="BPF"):
        await task.bpf.map_create(BPF_MAP_TYPE.ARRAY, 4, 4, 1, name=name)
    with pytest.raises(PathError, match="BPF"):
        await task.bpf.prog_load(BPF_PROG_TYPE.SOCKET_FILTER, ONE, name=name)


async def test_an_error_names_the_command(able: Task) -> None:
    with pytest.raises(OSError, match="bpf") as caught:
        await able.bpf.map_create(BPF_MAP_TYPE.ARRAY, 3, 4, 1)
    assert caught.value.errno == EINVAL
    assert "[bpf(2) MAP_CREATE in " in str(caught.value)


async def test_elements_are_found_some_at_a_time(able: Task) -> None:
    async with await able.bpf.map_create(BPF_MAP_TYPE.ARRAY, 4, 4, 5) as array:
        found: dict[bytes, bytes] = {}
        sizes: list[int] = []
        place: bytes | None = None
        while not sizes or place is not None:
            some, place = await array.lookup_batch(2, place)
            sizes.append(len(some))
            found |= some
        assert list(found) == [n.to_bytes(4, "little") for n in range(5)]
        assert sizes == [2, 2, 1]
        for count in (0, -1, 2**31):
            with pytest.raises(ArgumentRangeError, match="count"):
                await array.lookup_batch(count)
        with pytest.raises(SerializerError, match="place"):
            await array.lookup_batch(1, b"")
        with pytest.raises(SerializerError, match="key"):
            await array.delete_batch([b"long!"])


async def test_memory_that_is_less_than_a_key_or_a_value_is_refused(
    hash_map: BpfMapFD, task: Task
) -> None:
    key, value = await task.ptr(b"key"), await task.ptr(bytes(8))
    small = await task.ptr(bytes(7))
    for call in (
        lambda: hash_map.lookup(key),
        lambda: hash_map.delete(key),
        lambda: hash_map.get_next_key(key),
        lambda: hash_map.update(key, value),
        lambda: hash_map.update(value, small),
    ):
        with pytest.raises(SerializerError, match="at least"):
            await call()
    for pointer in (key, value, small):
        pointer.free()


async def test_a_frozen_map_is_not_changed(hash_map: BpfMapFD) -> None:
    await hash_map.freeze()
    with pytest.raises(BpfNotAllowedError) as caught:
        await hash_map.update(b"key1", bytes(8))
    assert caught.value.errno == EPERM


async def test_a_map_of_each_processor_has_many_values(able: Task) -> None:
    async with await able.bpf.map_create(BPF_MAP_TYPE.PERCPU_ARRAY, 4, 3, 1) as array:
        key, value = await array.sizes()
        assert (key, value % 8) == (4, 0)
        content = b"abc".ljust(8, b"\0") * (value // 8)
        await array.update(bytes(4), content)
        assert await array.lookup(bytes(4)) == content


async def test_a_queue_has_no_keys(able: Task) -> None:
    async with await able.bpf.map_create(BPF_MAP_TYPE.QUEUE, 0, 4, 4) as queue:
        await queue.update(b"", b"1234")
        assert await queue.lookup_and_delete() == b"1234"
        assert await queue.lookup_and_delete() is None


async def test_a_map_is_made_of_a_struct(able: Task) -> None:
    attr = await able.ptr(BpfMapCreate(BPF_MAP_TYPE.HASH, 1, 1, 1, BPF_F_MAP.NO_PREALLOC))
    async with await able.bpf.map_create(attr) as made:
        assert (await made.info()).map_flags == BPF_F_MAP.NO_PREALLOC
    attr.free()
    with pytest.raises(OSError, match="bpf") as caught:
        await able.bpf.map_create(BPF_MAP_TYPE.HASH)
    assert caught.value.errno == EINVAL


async def test_a_program_is_loaded_and_run(able: Task) -> None:
    async with await load(able, ONE) as program:
        ran = await program.test_run(bytes(14), repeat=3)
        assert (ran.retval, ran.data) == (1, bytes(14))
        packet = await able.ptr(bytes(range(20)), BYTES)
        out = await able.malloc(BYTES, 64)
        filled = (await program.test_run(packet, into=out)).data
        assert (filled.peek()[14:], out.valid) == (bytes(range(14, 20)), False)  # no Ethernet head
        for pointer in (packet, filled):
            pointer.free()
        told = await program.info()
        assert (told.type, told.name) == (BPF_PROG_TYPE.SOCKET_FILTER, "tested")
        there = await able.malloc(struct_of(BpfProgInfo))
        assert (await program.info(into=there)).peek().id == told.id
        there.free()
    steps = await able.ptr(ONE.pack(), BYTES)
    async with await able.bpf.prog_load(BPF_PROG_TYPE.SOCKET_FILTER, steps) as program:
        assert (await program.test_run(bytes(14))).retval == 1
    steps.free()


async def test_a_program_reads_a_map(hash_map: BpfMapFD, task: Task) -> None:
    program = BpfProgram.assemble(
        BpfInsn.store(4, "r10", -4, 7),
        BpfInsn.alu("r2", "=", "r10"),
        BpfInsn.alu("r2", "+", -4),
        BpfInsn.load_map("r1", 0),
        BpfInsn.call(LOOKUP),
        BpfInsn.jump("r0", "==", 0, "end"),
        BpfInsn.load(8, "r0", "r0"),
        "end",
        BpfInsn.leave(),
    )
    async with await load(task, program, hash_map) as loaded:
        assert (await loaded.test_run(bytes(14))).retval == 0
        await hash_map.update(b"\7\0\0\0", (4711).to_bytes(8, "little"))
        assert (await loaded.test_run(bytes(14))).retval == 4711


async def test_why_a_program_is_refused_is_told(able: Task) -> None:
    with pytest.raises(BpfVerifierError) as caught:
        await load(able, BpfProgram((BpfInsn.leave(),)))
    assert "R0 !read_ok" in caught.value.log
    assert caught.value.__notes__ == [caught.value.log]


async def test_objects_are_found_by_their_ids(hash_map: BpfMapFD, task: Task) -> None:
    number = (await hash_map.info()).id
    assert await task.bpf.get_next_id(BpfMapFD, number - 1) == number
    assert await task.bpf.get_next_id(BpfMapFD, 2**31 - 2) is None
    async with await task.bpf.get_fd_by_id(BpfMapFD, number) as again:
        assert (await again.info()).id == number
    with pytest.raises(FileNotFoundError):
        await task.bpf.get_fd_by_id(BpfProgFD, 2**31 - 2)


async def lookup_program(child: Task) -> BpfProgFD:
    return await child.bpf.prog_load(
        BPF_PROG_TYPE.SK_LOOKUP, ONE, attach_type=BPF_ATTACH_TYPE.SK_LOOKUP
    )


async def test_a_link_keeps_a_program_attached(able_local: Task) -> None:
    lookup = BPF_ATTACH_TYPE.SK_LOOKUP
    async with (
        able_local.spawn(CLONE.NEWNET) as child,
        await child.bpf.prog_load(BPF_PROG_TYPE.SK_LOOKUP, ONE, attach_type=lookup) as program,
        await child.ns.open("net") as net,
        await program.link_create(net, lookup) as link,
    ):
        told = await link.info()
        assert told.type == BPF_LINK_TYPE.NETNS
        assert told.prog_id == (await program.info()).id
        there = await child.malloc(struct_of(BpfLinkInfo))
        assert (await link.info(into=there)).peek() == told
        there.free()
        assert await child.bpf.get_next_id(BpfLinkFD, told.id - 1) == told.id
        async with await lookup_program(child) as other:
            await link.update(other, program)
            assert (await link.info()).prog_id == (await other.info()).id
            with pytest.raises(PermissionError):
                await link.update(other, program)
        await link.detach()
        async with await program.link_create(net, lookup):
            pass


async def test_a_program_is_attached_until_it_is_detached(able_local: Task) -> None:
    place = BPF_ATTACH_TYPE.FLOW_DISSECTOR
    zero = BpfProgram.assemble(BpfInsn.alu("r0", "=", 0), BpfInsn.leave())
    async with (
        able_local.spawn(CLONE.NEWNET) as child,
        await child.bpf.prog_load(BPF_PROG_TYPE.FLOW_DISSECTOR, zero, attach_type=place) as program,
    ):
        await program.attach(None, place)
        await program.detach(None, place)
        with pytest.raises(FileNotFoundError):
            await program.detach(None, place)


async def test_a_pinned_object_is_opened_by_its_name(able_local: Task, tmp_path: Path) -> None:
    async with able_local.spawn(CLONE.NEWNS) as child:
        await child.mount.mount("bpf", tmp_path, "bpf")
        path = tmp_path / "map"
        async with await child.bpf.map_create(BPF_MAP_TYPE.ARRAY, 4, 4, 1) as made:
            await made.pin(path)
            await made.update(bytes(4), b"kept")
        async with await child.bpf.obj_get(path, BpfMapFD) as again:
            assert await again.lookup(bytes(4)) == b"kept"
        with pytest.raises(FDKindError, match="BpfProgFD"):
            await child.bpf.obj_get(path, BpfProgFD)
        with pytest.raises(FileNotFoundError) as caught:
            await child.bpf.obj_get(tmp_path / "none", BpfMapFD)
        assert caught.value.filename == str(tmp_path / "none")
        async with await load(child, ONE) as program:
            await program.pin(tmp_path / "program")
        async with await child.bpf.obj_get(tmp_path / "program", BpfProgFD) as program:
            assert (await program.test_run(bytes(14))).retval == 1


async def test_without_the_right_it_is_denied_by_name(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        with pytest.raises(BpfNotAllowedError, match="CAP_BPF"):
            await child.bpf.prog_load(BPF_PROG_TYPE.XDP, ONE)


async def test_objects_are_known_for_what_they_are(hash_map: BpfMapFD) -> None:
    copy = await hash_map.dup()
    plain = FileDescriptor(hash_map.task, copy.near)
    async with await plain.as_kind(BpfMapFD) as again:
        for kind in (BpfProgFD, BpfLinkFD):
            with pytest.raises(FDKindError, match="Bpf"):
                await again.as_kind(kind)
        await copy.close()


async def test_a_program_is_known_for_what_it_is(able: Task) -> None:
    async with await load(able, ONE) as program:
        copy = await program.dup()
        plain = FileDescriptor(able, copy.near)
        async with await plain.as_kind(BpfProgFD) as again:
            assert await again.info() == await program.info()
            with pytest.raises(FDKindError, match="BpfLinkFD"):
                await again.as_kind(BpfLinkFD)
        await copy.close()


async def test_a_link_is_known_for_what_it_is(able_local: Task) -> None:
    lookup = BPF_ATTACH_TYPE.SK_LOOKUP
    async with (
        able_local.spawn(CLONE.NEWNET) as child,
        await lookup_program(child) as program,
        await child.ns.open("net") as net,
        await program.link_create(net, lookup) as link,
    ):
        copy = await link.dup()
        plain = FileDescriptor(child, copy.near)
        async with await plain.as_kind(BpfLinkFD) as again:
            assert await again.info() == await link.info()
            with pytest.raises(FDKindError, match="BpfProgFD"):
                await again.as_kind(BpfProgFD)
        await copy.close()


def test_the_processors_of_a_list_are_counted() -> None:
    assert possible_cpus("0\n") == 1
    assert possible_cpus("0-3,8\n") == 5
