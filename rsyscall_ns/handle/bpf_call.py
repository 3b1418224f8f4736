"""How ``bpf(2)`` is called: a command, and its part of ``union bpf_attr``."""

from __future__ import annotations

import os
from errno import EPERM
from typing import TypeVar

from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.bpf_attr import BpfInfo
from rsyscall_ns.near.abi.bpf_h import BPF_CMD
from rsyscall_ns.near.abi.layout import CStruct
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.errors import RsyscallError

from .fds.fd import FileDescriptor
from .pointers.context import MemoryTask
from .pointers.passing import room
from .pointers.pointer import Pointer

__all__ = ["BpfNotAllowedError", "bpf", "bpf_filled", "object_info"]

Attr = TypeVar("Attr", bound=CStruct)


class BpfNotAllowedError(RsyscallError, PermissionError):
    """The task may not use BPF, or not so."""

    def __init__(self, command: BPF_CMD, task: object) -> None:
        PermissionError.__init__(
            self,
            EPERM,
            f"{os.strerror(EPERM)} [bpf(2), {command.name}, in {task}]: it takes CAP_BPF, and for "
            "some programs CAP_NET_ADMIN or CAP_PERFMON, in the first user namespace; the sysctl "
            "kernel.unprivileged_bpf_disabled says whether anything can be done without",
        )


async def bpf(task: MemoryTask, command: BPF_CMD, attr: CStruct) -> int:
    """Make one call; returns its result."""
    return (await bpf_filled(task, command, attr))[0]


async def bpf_filled(
    task: MemoryTask, command: BPF_CMD, attr: Attr, *, ends: int = 0
) -> tuple[int, Attr]:
    """Make one call; returns its result, and what the kernel has written into the struct.

    ``ends``: an errno that only says that there is no more; its negative is the result then.
    """
    with task.transient(attr.pack()) as there:
        try:
            result = await near_host.bpf(task.sysif, command, there.address, there.size)
        except OSError as error:
            if error.errno == EPERM:
                raise BpfNotAllowedError(command, task) from error
            if not ends or error.errno != ends:
                raise
            result = -ends
        return result, type(attr).unpack(there.read())


async def object_info(
    fd: FileDescriptor, kind: type[Attr], into: Pointer[Attr] | None
) -> Attr | Pointer[Attr]:
    """Return what an object says about itself. BPF_OBJ_GET_INFO_BY_FD."""
    task = fd.task
    with fd.borrow() as near_id, room(task, struct_of(kind), into) as there:
        if into is not None:
            into.poke(kind())  # zeros: other things are taken for buffers
        request = BpfInfo(near_id.number, kind.sizeof(), there.address.value)
        await bpf(task, BPF_CMD.OBJ_GET_INFO_BY_FD, request)
        return there.result()
