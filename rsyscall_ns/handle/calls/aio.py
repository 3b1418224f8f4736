"""``task.aio``: the old asynchronous I/O. ``task.io_uring`` can do more."""

from __future__ import annotations

from typing import Final, final

import trio

from rsyscall_ns.handle.kinds.eventfd import EventFD
from rsyscall_ns.handle.objects.aio_context import AioContext
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.near.abi.eventfd_h import EFD
from rsyscall_ns.near.calls import events as near_events
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.nr import SYS

__all__ = ["Aio"]

ID: Final = 8  # bytes
MOST: Final = 2**23  # more don't fit the kernel's arithmetic


@final
class Aio:
    """The system call that makes a context for asynchronous I/O."""

    __slots__ = ("_forgotten", "_task")

    def __init__(self, task: MemoryTask) -> None:
        self._task = task
        self._forgotten: list[int] = []  # contexts whose handles are gone

    @trio.lowlevel.enable_ki_protection
    async def io_setup(self, nr_events: int) -> AioContext:
        """Make a context for so many operations at once; ``async with`` it. ``io_setup(2)``.

        BlockingIOError: the machine has as many as the sysctl ``fs.aio-max-nr`` allows.
        """
        task = self._task
        count = fit("nr_events", nr_events, 1, MOST)
        while self._forgotten:
            number = self._forgotten.pop()
            with trio.CancelScope(shield=True):
                await task.sysif.call(SYS.io_destroy, number)
        bell: EventFD | None = None
        if task.sysif.same_thread:  # it waits for events together with its event loop
            flags = EFD.NONBLOCK | EFD.CLOEXEC
            bell = EventFD(task, await near_events.eventfd2(task.sysif, 0, flags))
        try:
            with task.transient(ID) as made:
                await near_ipc.io_setup(task.sysif, count, made.address)
                return AioContext(
                    task, int.from_bytes(made.read(), "little"), bell, self._forgotten
                )
        except BaseException:
            if bell is not None:
                await bell.close()
            raise
