"""Many elements of a BPF map are taken from memory of the caller's, and put there."""

from __future__ import annotations

import pytest

from rsyscall_ns import BPF_MAP_TYPE, BYTES, SerializerError, Task
from tests.handle.calls.test_bpf import able

__all__ = ["able"]

KEYS = [bytes([n] * 4) for n in range(5)]
VALUES = [bytes([n] * 8) for n in range(5)]


async def test_elements_are_set_found_and_removed_in_memory(able: Task) -> None:
    async with await able.bpf.map_create(BPF_MAP_TYPE.HASH, 4, 8, 8) as made:
        names = await able.ptr(b"".join(KEYS))
        data = await able.ptr(b"".join(VALUES))

        assert await made.update_batch((names, data)) == 5
        assert (await made.lookup_batch(16))[0] == dict(zip(KEYS, VALUES, strict=True))

        places = await able.malloc(BYTES, 64), await able.malloc(BYTES, 128)
        (some, theirs), after = await made.lookup_batch(16, into=places)
        assert after is None
        assert not any(pointer.valid for pointer in places)
        assert (some.size(), theirs.size()) == (20, 40)
        found = [some.peek()[at : at + 4] for at in range(0, 20, 4)]
        assert sorted(found) == KEYS
        assert theirs.peek() == b"".join(key * 2 for key in found)

        assert await made.delete_batch(some) == 5
        assert await made.keys() == []
        assert await made.update_batch((some, theirs)) == 5
        rest = await able.malloc(BYTES, 20), await able.malloc(BYTES, 40)
        taken, after = await made.lookup_and_delete_batch(5, into=rest)
        assert [pointer.size() for pointer in taken] == [20, 40]
        for pointer in (names, data, some, theirs, *taken):
            pointer.free()


async def test_a_place_to_go_on_lies_in_memory(able: Task) -> None:
    async with await able.bpf.map_create(BPF_MAP_TYPE.ARRAY, 4, 4, 3) as array:
        _, place = await array.lookup_batch(2)
        assert place is not None
        there = await able.ptr(place)
        assert await array.lookup_batch(2, there) == await array.lookup_batch(2, place)
        there.free()


async def test_memory_that_is_too_small_for_so_many_is_refused(able: Task) -> None:
    async with await able.bpf.map_create(BPF_MAP_TYPE.HASH, 4, 8, 8) as made:
        keys, values = await able.malloc(BYTES, 8), await able.malloc(BYTES, 15)
        with pytest.raises(SerializerError, match="at least 16"):
            await made.update_batch((keys, values))
        with pytest.raises(SerializerError, match="at least 16"):
            await made.lookup_batch(2, into=(keys, values))
        with pytest.raises(SerializerError, match="at least 12"):
            await made.lookup_batch(3, into=(keys, values))
        assert keys.valid
        for pointer in (keys, values):
            pointer.free()
