"""Many elements of a BPF map in one call, as values or in memory of the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from errno import ENOENT
from typing import Final

from rsyscall_ns.handle.bpf_call import bpf_filled
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.bpf_attr import BpfBatch
from rsyscall_ns.near.abi.bpf_h import BPF_CMD, BPF_ELEM
from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import fit

__all__ = ["Elements", "ElementsThere", "Keys", "KeysAndValues", "Place", "Sizes"]
__all__ += ["check_size", "delete_many", "look_up", "update_many"]

Sizes = tuple[int, int]  # bytes of a key and of a value
Place = bytes | Pointer[bytes] | None  # None: the beginning
Keys = Sequence[bytes] | Pointer[bytes]
KeysAndValues = tuple[Pointer[bytes], Pointer[bytes]]
Elements = tuple[dict[bytes, bytes], bytes | None]
ElementsThere = tuple[KeysAndValues, bytes | None]
LEAST_PLACE: Final = 4  # bytes: of a hash map it is a number
MOST_BYTES: Final = 1 << 28


async def look_up(
    fd: FileDescriptor,
    sizes: Sizes,
    command: BPF_CMD,
    count: int,
    place: Place,
    into: KeysAndValues | None,
) -> Elements | ElementsThere:
    """Return up to ``count`` elements, and the place where to go on."""
    task = fd.task
    key, value = sizes
    where = max(key, LEAST_PLACE)
    fit("count", count, 1, MOST_BYTES // max(key, value))
    if place is not None:
        check_size("a place in the map", place, where)
    for pointer, size in zip(into or (), sizes, strict=False):
        check_size("what the map has", pointer, count * size)
    keys_there, values_there = into or (None, None)
    with (
        fd.borrow() as near_id,
        given(task, place) as from_,
        task.transient(where) as next_,
        room(task, BYTES, keys_there, count * key) as keys,
        room(task, BYTES, values_there, count * value) as values,
    ):
        attr = BpfBatch(
            in_batch=0 if from_.address is None else from_.address.value,
            out_batch=next_.address.value,
            keys=keys.address.value,
            values=values.address.value,
            count=count,
            map_fd=near_id.number,
        )
        result, told = await bpf_filled(task, command, attr, ends=ENOENT)
        after = next_.read() if result >= 0 else None
        names, data = keys.result(told.count * key), values.result(told.count * value)
    if isinstance(names, Pointer) or isinstance(data, Pointer):
        assert isinstance(names, Pointer), "either both are pointers, or none is"
        assert isinstance(data, Pointer), "either both are pointers, or none is"
        return (names, data), after
    return dict(zip(pieces(names, key), pieces(data, value), strict=True)), after


async def update_many(
    fd: FileDescriptor,
    sizes: Sizes,
    elements: Mapping[bytes, bytes] | KeysAndValues,
    flags: BPF_ELEM,
) -> int:
    """Set values; returns how many."""
    task = fd.task
    what: tuple[bytes | Pointer[bytes], bytes | Pointer[bytes]]
    if isinstance(elements, Mapping):
        for pair in elements.items():
            for name, size, one in zip(("key", "value"), sizes, pair, strict=True):
                check_size(f"a {name} of the map", one, size)
        what, count = (b"".join(elements), b"".join(elements.values())), len(elements)
    else:
        what, count = elements, elements[0].size() // max(sizes[0], 1)
        check_size("the values of the map", elements[1], count * sizes[1])
    with fd.borrow() as near_id, given(task, what[0]) as keys, given(task, what[1]) as values:
        assert keys.address is not None, "keys are never None"
        assert values.address is not None, "values are never None"
        attr = BpfBatch(
            keys=keys.address.value,
            values=values.address.value,
            count=count,
            map_fd=near_id.number,
            elem_flags=flags,
        )
        return (await bpf_filled(task, BPF_CMD.MAP_UPDATE_BATCH, attr))[1].count


async def delete_many(fd: FileDescriptor, size: int, keys: Keys) -> int:
    """Remove keys, of so many bytes each; returns how many."""
    task = fd.task
    if isinstance(keys, Pointer):
        what: bytes | Pointer[bytes] = keys
        count = keys.size() // max(size, 1)
    else:
        for key in keys:
            check_size("a key of the map", key, size)
        what, count = b"".join(keys), len(keys)
    with fd.borrow() as near_id, given(task, what) as there:
        assert there.address is not None, "keys are never None"
        attr = BpfBatch(keys=there.address.value, count=count, map_fd=near_id.number)
        command = BPF_CMD.MAP_DELETE_BATCH
        return (await bpf_filled(task, command, attr, ends=ENOENT))[1].count


def check_size(what: str, given: bytes | Pointer[bytes], size: int) -> None:
    """Refuse a key or value of another size, and memory that is smaller."""
    got = given.size() if isinstance(given, Pointer) else len(given)
    if got < size or (got > size and not isinstance(given, Pointer)):
        raise SerializerError(what, size, got, least=isinstance(given, Pointer))


def pieces(data: bytes, size: int) -> list[bytes]:
    """Return what lies there one behind the other."""
    return [data[at : at + size] for at in range(0, len(data), size)]
