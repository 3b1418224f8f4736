"""Ioctls that take or fill memory, and what tells an fd's kind: for kinds to use."""

from __future__ import annotations

from typing import Any, TypeVar

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import Serializer, struct_of
from rsyscall_ns.near.abi.fcntl_h import AT
from rsyscall_ns.near.abi.layout import CStruct
from rsyscall_ns.near.abi.stat_h import STATX, Statx
from rsyscall_ns.near.calls import attr as near_attr
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.errors import SerializerError

__all__ = [
    "device_of",
    "ioctl_fill",
    "ioctl_give",
    "ioctl_int",
    "ioctl_number",
]

T = TypeVar("T")
SIZE_SHIFT, SIZE_MASK, DIRECTION_SHIFT = 16, 0x3FFF, 30  # of an operation, ``ioctl(2)``


async def ioctl_number(fd: FileDescriptor, op: int, arg: int = 0) -> int:
    """Make an ioctl whose argument is a number; returns its result. ``ioctl(2)``."""
    with fd.borrow() as near_id:
        return await near_fd.ioctl(fd.task.sysif, near_id, op, arg)


async def ioctl_fill(
    fd: FileDescriptor, op: int, serializer: Serializer[T], into: Pointer[T] | None = None
) -> T | Pointer[T]:
    """Make an ioctl that fills memory; returns the value, or ``into``. ``ioctl(2)``."""
    with fd.borrow() as near_id, room(fd.task, serializer, into) as there:
        await near_fd.ioctl(fd.task.sysif, near_id, op, there.address.value)
        return there.result()


async def ioctl_give(fd: FileDescriptor, op: int, what: bytes | CStruct | Pointer[Any]) -> int:
    """Make an ioctl that reads memory; returns its result. ``ioctl(2)``."""
    with fd.borrow() as near_id, given(fd.task, what) as there:
        least = op >> SIZE_SHIFT & SIZE_MASK if op >> DIRECTION_SHIFT else 0  # 0: it does not say
        if there.size < least:
            raise SerializerError("the argument of the ioctl", least, there.size, least=True)
        assert there.address is not None, "there is always something to give"
        return await near_fd.ioctl(fd.task.sysif, near_id, op, there.address.value)


async def ioctl_int(
    fd: FileDescriptor, op: int, before: int = 0, size: int = 4, *, signed: bool = False
) -> int:
    """Make an ioctl that changes the integer which its argument points at; returns it then."""
    data = before.to_bytes(size, "little", signed=signed)
    with fd.borrow() as near_id, fd.task.transient(data) as there:
        await near_fd.ioctl(fd.task.sysif, near_id, op, there.address.value)
        return int.from_bytes(there.read(), "little", signed=signed)


async def device_of(fd: FileDescriptor) -> Statx:
    """Return what is known of a device."""
    task = fd.task
    with (
        fd.borrow() as near_id,
        task.transient(1) as empty,
        room(task, struct_of(Statx)) as there,
    ):
        await near_attr.statx(
            task.sysif, near_id, empty.address, AT.EMPTY_PATH, STATX.TYPE, there.address
        )
        found = there.result()
    assert isinstance(found, Statx)
    return found
