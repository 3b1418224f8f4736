"""What ``task.mount`` asks about mounts by their ids: the requests, and the memory for answers.

The calls themselves are those of the group, which gives them.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from errno import EOVERFLOW
from typing import final

import trio
from attrs import evolve

from rsyscall_ns.handle.kinds.mount import MountFlagsError
from rsyscall_ns.handle.kinds.namespace import NamespaceFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import borrowed, given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.mount_h import LISTMOUNT, STATMOUNT, MntIdReq
from rsyscall_ns.near.abi.statmount_h import RawStatMount, StatMount
from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.interface import SyscallInterface

__all__ = ["listmount", "listmount_into", "statmount", "statmount_into"]

FIRST_ROOM = 4096
LAST_ROOM = 1 << 20  # bytes; the options of an overlay can be long
IDS = 512  # of one page
ID_SIZE = 8
Where = NamespaceFD | int | None
Ask = Callable[[SyscallInterface, Address, Address, int, int], Awaitable[None]]
List = Callable[[SyscallInterface, Address, Address, int, int], Awaitable[int]]


@final
class Request:
    """Which mount a call is asked about, in memory; the namespace's fd is borrowed meanwhile."""

    __slots__ = ("_fd", "_given", "_req", "_task")

    def __init__(self, task: MemoryTask, mnt_id: int, param: int, ns: Where) -> None:
        self._task = task
        self._fd = ns if isinstance(ns, NamespaceFD) else None
        mnt_ns_id = ns if isinstance(ns, int) else 0
        self._req = MntIdReq(mnt_id=mnt_id, param=param, mnt_ns_id=mnt_ns_id)

    @trio.lowlevel.enable_ki_protection
    def __enter__(self) -> Address:
        with borrowed(self._task, self._fd) as near_id:
            number = 0 if near_id is None else near_id.number
            if near_id is not None and not number:
                raise MountFlagsError(self._fd, "fd 0 would mean the task's own: use a dup() of it")
        self._given = given(self._task, evolve(self._req, mnt_ns_fd=number)).__enter__()
        assert self._given.address is not None
        return self._given.address

    @trio.lowlevel.enable_ki_protection
    def __exit__(self, *_: object) -> None:
        self._given.__exit__()


async def statmount(
    call: Ask, task: MemoryTask, mnt_id: int, mask: STATMOUNT, ns: Where, first: int = FIRST_ROOM
) -> StatMount:
    """Ask with more and more room."""
    size = first
    while True:
        with task.transient(size) as there:
            try:
                await _ask(call, task, mnt_id, mask, ns, there.address, size)
            except OSError as error:
                if error.errno != EOVERFLOW or size >= LAST_ROOM:
                    raise
                size *= 4
                continue
            return StatMount.unpack(there.read())


async def statmount_into(
    call: Ask, task: MemoryTask, mnt_id: int, mask: STATMOUNT, ns: Where, into: Pointer[bytes]
) -> Pointer[bytes]:
    """Ask with the caller's memory; returns its part that was filled, and frees the rest."""
    least = RawStatMount.sizeof()
    if into.size() < least:
        raise SerializerError("the memory for struct statmount", least, into.size(), least=True)
    with room(task, BYTES, into) as there:
        await _ask(call, task, mnt_id, mask, ns, there.address, there.size)
        got = int.from_bytes(into.peek()[:4], "little")
        filled = there.result(got)
        assert isinstance(filled, Pointer)
        return filled


async def _ask(
    call: Ask,
    task: MemoryTask,
    mnt_id: int,
    mask: STATMOUNT,
    ns: Where,
    address: Address,
    size: int,
) -> None:
    with Request(task, mnt_id, int(mask), ns) as request:
        await call(task.sysif, request, address, size, 0)


async def listmount(
    call: List,
    task: MemoryTask,
    mnt_id: int,
    after: int,
    ns: Where,
    *,
    reverse: bool,
    page: int = IDS,
) -> list[int]:
    """Ask for one page after the other."""
    found: list[int] = []
    with task.transient(page * ID_SIZE) as there:
        while True:
            with Request(task, mnt_id, after, ns) as request:
                got = await call(task.sysif, request, there.address, page, _flags(reverse=reverse))
            found += struct.unpack(f"<{got}Q", there.read(0, got * ID_SIZE))
            if got < page:
                return found
            after = found[-1]


async def listmount_into(
    call: List,
    task: MemoryTask,
    mnt_id: int,
    after: int,
    ns: Where,
    into: Pointer[bytes],
    *,
    reverse: bool,
) -> Pointer[bytes]:
    """Ask for one page, with the caller's memory."""
    with room(task, BYTES, into) as there, Request(task, mnt_id, after, ns) as request:
        count = there.size // ID_SIZE
        got = await call(task.sysif, request, there.address, count, _flags(reverse=reverse))
        filled = there.result(got * ID_SIZE)
        assert isinstance(filled, Pointer)
        return filled


def _flags(*, reverse: bool) -> int:
    return LISTMOUNT.REVERSE if reverse else LISTMOUNT.NONE
