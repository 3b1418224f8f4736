"""BpfMapFD: a map of BPF, which programs and processes share."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from errno import ENOENT
from pathlib import Path
from typing import ClassVar, Final, final, overload

from rsyscall_ns.handle.bpf_call import bpf, object_info
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import PathLike, given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.bpf_attr import BpfElem, BpfMapInfo
from rsyscall_ns.near.abi.bpf_h import BPF_CMD, BPF_ELEM, BPF_MAP_TYPE

from .bpf_batch import (
    Elements,
    ElementsThere,
    Keys,
    KeysAndValues,
    Place,
    check_size,
    delete_many,
    look_up,
    update_many,
)
from .bpf_object import pin

__all__ = ["BpfMapFD"]

ANY: Final = BPF_ELEM.ANY
PER_CPU: Final = {
    BPF_MAP_TYPE.PERCPU_ARRAY,
    BPF_MAP_TYPE.PERCPU_HASH,
    BPF_MAP_TYPE.LRU_PERCPU_HASH,
    BPF_MAP_TYPE.PERCPU_CGROUP_STORAGE,
}
CPUS: Final = Path("/sys/devices/system/cpu/possible")


@final
class BpfMapFD(FileDescriptor):
    """What ``task.bpf.map_create`` gives. Keys and values are bytes of the map's sizes.

    A value of a map of the ``PERCPU`` types is one after the other for each possible processor,
    each filled up to a multiple of 8 bytes.
    """

    __slots__ = ("_sizes",)
    kind: ClassVar[str] = "BPF map"

    def __init__(self, task: MemoryTask, near_id: ids.FileDescriptor) -> None:
        """Take over the fd."""
        super().__init__(task, near_id)
        self._sizes: tuple[int, int] | None = None

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a map, as ``/proc`` shows it."""
        await check_link(fd, cls.__name__, "anon_inode:bpf-map")

    @overload
    async def info(self) -> BpfMapInfo: ...

    @overload
    async def info(self, *, into: Pointer[BpfMapInfo]) -> Pointer[BpfMapInfo]: ...

    async def info(
        self, *, into: Pointer[BpfMapInfo] | None = None
    ) -> BpfMapInfo | Pointer[BpfMapInfo]:
        """Return what the map is. BPF_OBJ_GET_INFO_BY_FD."""
        return await object_info(self, BpfMapInfo, into)

    async def sizes(self) -> tuple[int, int]:
        """Return how many bytes a key and a value take, as calls pass them."""
        if self._sizes is None:
            told = await self.info()
            value = told.value_size
            if told.type in PER_CPU:
                value = -(-value // 8) * 8 * possible_cpus(CPUS.read_text(encoding="ascii"))
            self._sizes = told.key_size, value
        return self._sizes

    @overload
    async def lookup(self, key: bytes | Pointer[bytes], flags: BPF_ELEM = ...) -> bytes | None: ...

    @overload
    async def lookup(
        self, key: bytes | Pointer[bytes], flags: BPF_ELEM = ..., *, into: Pointer[bytes]
    ) -> Pointer[bytes] | None: ...

    async def lookup(
        self,
        key: bytes | Pointer[bytes],
        flags: BPF_ELEM = ANY,
        *,
        into: Pointer[bytes] | None = None,
    ) -> bytes | Pointer[bytes] | None:
        """Return the value of a key, None if it has none. BPF_MAP_LOOKUP_ELEM.

        ``into``: memory of the caller, which is returned filled.
        """
        return await self._value(BPF_CMD.MAP_LOOKUP_ELEM, key, flags, into)

    @overload
    async def lookup_and_delete(
        self, key: bytes | Pointer[bytes] = ..., flags: BPF_ELEM = ...
    ) -> bytes | None: ...

    @overload
    async def lookup_and_delete(
        self, key: bytes | Pointer[bytes] = ..., flags: BPF_ELEM = ..., *, into: Pointer[bytes]
    ) -> Pointer[bytes] | None: ...

    async def lookup_and_delete(
        self,
        key: bytes | Pointer[bytes] = b"",
        flags: BPF_ELEM = ANY,
        *,
        into: Pointer[bytes] | None = None,
    ) -> bytes | Pointer[bytes] | None:
        """Remove a key; returns its value, None if it had none. A queue or stack has no keys.

        ``into`` is as with ``lookup``. BPF_MAP_LOOKUP_AND_DELETE_ELEM.
        """
        command = BPF_CMD.MAP_LOOKUP_AND_DELETE_ELEM
        return await self._value(command, key, flags, into)

    @overload
    async def get_next_key(self, key: bytes | Pointer[bytes] | None = ...) -> bytes | None: ...

    @overload
    async def get_next_key(
        self, key: bytes | Pointer[bytes] | None = ..., *, into: Pointer[bytes]
    ) -> Pointer[bytes] | None: ...

    async def get_next_key(
        self, key: bytes | Pointer[bytes] | None = None, *, into: Pointer[bytes] | None = None
    ) -> bytes | Pointer[bytes] | None:
        """Return the key after one, or the first; None after the last. BPF_MAP_GET_NEXT_KEY.

        ``into`` is as with ``lookup``.
        """
        size, _ = await self.sizes()
        with room(self.task, BYTES, into, size) as there:
            check_room(into, size)
            if not await self._element(BPF_CMD.MAP_GET_NEXT_KEY, key, there.address.value):
                return None
            return there.result()

    async def keys(self) -> list[bytes]:
        """Return all keys; one that is added or removed meanwhile may be missed, or found twice."""
        found: list[bytes] = []
        key = await self.get_next_key()
        while key is not None:
            found.append(key)
            key = await self.get_next_key(key)
        return found

    async def update(
        self,
        key: bytes | Pointer[bytes],
        value: bytes | Pointer[bytes],
        flags: BPF_ELEM = ANY,
    ) -> None:
        """Set the value of a key. ``NOEXIST``: FileExistsError if it has one. ``EXIST``: if not.

        BPF_MAP_UPDATE_ELEM.
        """
        _, size = await self.sizes()
        check_size("a value of the map", value, size)
        with given(self.task, value) as there:
            assert there.address is not None, "a value is never None"
            number = there.address.value
            if not await self._element(BPF_CMD.MAP_UPDATE_ELEM, key, number, flags):
                raise FileNotFoundError(ENOENT, f"no such key in {self}")

    async def delete(self, key: bytes | Pointer[bytes]) -> bool:
        """Remove a key; returns whether it was there. BPF_MAP_DELETE_ELEM."""
        return await self._element(BPF_CMD.MAP_DELETE_ELEM, key, 0)

    async def freeze(self) -> None:
        """Refuse changes by processes from now on, not by programs. BPF_MAP_FREEZE."""
        with self.borrow() as near_id:
            await bpf(self.task, BPF_CMD.MAP_FREEZE, BpfElem(near_id.number))

    @overload
    async def lookup_batch(self, count: int, place: Place = ...) -> Elements: ...

    @overload
    async def lookup_batch(
        self, count: int, place: Place = ..., *, into: KeysAndValues
    ) -> ElementsThere: ...

    async def lookup_batch(
        self, count: int, place: Place = None, *, into: KeysAndValues | None = None
    ) -> Elements | ElementsThere:
        """Return up to ``count`` keys with their values, and the place where to go on.

        ``place``: such a one, None the beginning; None is returned at the end. ``into``: memory
        for the keys, and for the values; is consumed, and the filled parts are returned. OSError
        of ENOSPC: ``count`` is less than what a hash map keeps together. BPF_MAP_LOOKUP_BATCH.
        """
        return await look_up(self, await self.sizes(), BPF_CMD.MAP_LOOKUP_BATCH, count, place, into)

    @overload
    async def lookup_and_delete_batch(self, count: int, place: Place = ...) -> Elements: ...

    @overload
    async def lookup_and_delete_batch(
        self, count: int, place: Place = ..., *, into: KeysAndValues
    ) -> ElementsThere: ...

    async def lookup_and_delete_batch(
        self, count: int, place: Place = None, *, into: KeysAndValues | None = None
    ) -> Elements | ElementsThere:
        """Do the same, and remove those keys. BPF_MAP_LOOKUP_AND_DELETE_BATCH."""
        command = BPF_CMD.MAP_LOOKUP_AND_DELETE_BATCH
        return await look_up(self, await self.sizes(), command, count, place, into)

    async def update_batch(
        self, elements: Mapping[bytes, bytes] | KeysAndValues, flags: BPF_ELEM = ANY
    ) -> int:
        """Set many values in one call; returns how many.

        Two pointers: to the keys one behind the other, and to the values. BPF_MAP_UPDATE_BATCH.
        """
        return await update_many(self, await self.sizes(), elements, flags)

    async def delete_batch(self, keys: Keys) -> int:
        """Remove many keys in one call; returns how many, up to the first that is not there.

        A pointer: to the keys one behind the other. BPF_MAP_DELETE_BATCH.
        """
        size, _ = await self.sizes()
        return await delete_many(self, size, keys)

    async def pin(self, path: PathLike) -> None:
        """Give the map a name in a BPF file system, which keeps it. BPF_OBJ_PIN."""
        await pin(self, path)

    async def _value(
        self,
        command: BPF_CMD,
        key: bytes | Pointer[bytes],
        flags: BPF_ELEM,
        into: Pointer[bytes] | None,
    ) -> bytes | Pointer[bytes] | None:
        _, size = await self.sizes()
        with room(self.task, BYTES, into, size) as there:
            check_room(into, size)
            if not await self._element(command, key, there.address.value, flags):
                return None
            return there.result()

    async def _element(
        self,
        command: BPF_CMD,
        key: bytes | Pointer[bytes] | None,
        value: int,
        flags: BPF_ELEM = ANY,
    ) -> bool:
        size, _ = await self.sizes()
        if key is not None:
            check_size("a key of the map", key, size)
        with ExitStack() as stack:
            near_id = stack.enter_context(self.borrow())
            there = stack.enter_context(given(self.task, key or None))
            at = 0 if there.address is None else there.address.value
            try:
                await bpf(self.task, command, BpfElem(near_id.number, at, value, flags))
            except OSError as error:
                if error.errno != ENOENT:
                    raise
                return False
            return True


def possible_cpus(text: str) -> int:
    """Return how many processors a list such as ``0-3,8`` has."""
    parts = [part.split("-") for part in text.strip().split(",")]
    return sum(int(part[-1]) - int(part[0]) + 1 for part in parts)


def check_room(into: Pointer[bytes] | None, size: int) -> None:
    """Refuse memory that is smaller than what is to be put into it."""
    if into is not None:
        check_size("what the map has", into, size)
