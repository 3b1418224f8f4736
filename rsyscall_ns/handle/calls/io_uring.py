"""``task.io_uring``: queues of operations, which the kernel carries out by itself."""

from __future__ import annotations

import os
from typing import final, overload

import trio

from rsyscall_ns.handle.kinds.io_uring import IoUringFD
from rsyscall_ns.handle.objects.ring import USABLE, Ring
from rsyscall_ns.handle.objects.ring_errors import RingFlagsError
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.io_uring_h import IORING_SETUP
from rsyscall_ns.near.abi.io_uring_structs import IoUringParams
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.ids import fit

__all__ = ["IoUring"]

MOST = 32768  # entries
NO_FLAG = IORING_SETUP.NONE


@final
class IoUring:
    """System calls that make an io_uring."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @overload
    async def setup(
        self, entries: int, params: IoUringParams = ...
    ) -> tuple[IoUringFD, IoUringParams]: ...

    @overload
    async def setup(
        self, entries: int, params: Pointer[IoUringParams]
    ) -> tuple[IoUringFD, Pointer[IoUringParams]]: ...

    @trio.lowlevel.enable_ki_protection
    async def setup(
        self, entries: int, params: IoUringParams | Pointer[IoUringParams] | None = None
    ) -> tuple[IoUringFD, IoUringParams | Pointer[IoUringParams]]:
        """Make an io_uring of up to 32768 entries; returns its fd, and what there is.

        Its queues are nobody's business then: ``ring`` makes one that can be used at once.
        PermissionError: the sysctl ``kernel.io_uring_disabled``. ``io_uring_setup(2)``.
        """
        fit("entries", entries, 1, MOST)
        task = self._task
        wanted = IoUringParams() if params is None else params
        flags = wanted.peek().flags if isinstance(wanted, Pointer) else wanted.flags
        if flags & IORING_SETUP.REGISTERED_FD_ONLY:
            raise RingFlagsError(IORING_SETUP.REGISTERED_FD_ONLY)  # it would make no fd
        await task.sweep()
        if isinstance(wanted, Pointer):
            with given(task, wanted) as there:
                made = await near_ipc.io_uring_setup(task.sysif, entries, there.address)
                return IoUringFD(task, made), wanted
        with task.transient(wanted.pack()) as memory:
            made = await near_ipc.io_uring_setup(task.sysif, entries, memory.address)
            fd = IoUringFD(task, made)
            return fd, struct_of(IoUringParams).from_bytes(memory.read())

    @trio.lowlevel.enable_ki_protection
    async def ring(
        self, entries: int, flags: IORING_SETUP = NO_FLAG, *, cq_entries: int = 0
    ) -> Ring:
        """Make an io_uring whose queues this interpreter sees, also where the task is a child.

        ``async with`` it. ``cq_entries``: room for so many completions, with ``CQSIZE``. Flags
        that change the form of the queues raise RingFlagsError. ``io_uring_setup(2)``.
        """
        if flags & ~USABLE:
            raise RingFlagsError(flags & ~USABLE)
        fd, params = await self.setup(entries, IoUringParams(flags=flags, cq_entries=cq_entries))
        try:
            here = await self._task.sysif.export_fd(fd.near.number)
            try:
                return Ring(self._task, fd, params, here)
            except BaseException:
                os.close(here)
                raise
        except BaseException:
            await fd.close()
            raise
