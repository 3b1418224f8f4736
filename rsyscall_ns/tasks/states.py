"""Waiting for stops and continues, which pidfds don't report.

A thread of the waiting process's own thread group, that serves a ring like a child does, blocks
in ``waitid`` (``WNOWAIT``: it only looks). It is started when somebody first awaits a stop or a
continue, shared by all who await the same, and kept for the next. It runs none of our Python.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, final

import trio

from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.memory.serializers import INT32, SIGINFO
from rsyscall_ns.near.abi.sched_h import CLONE, clone_args
from rsyscall_ns.near.abi.signal_h import ALL_SIGNALS
from rsyscall_ns.near.abi.wait_h import IdType, W
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.transport.doorbell import Doorbell, doorbell_pair
from rsyscall_ns.transport.hub import Hub
from rsyscall_ns.transport.ring import RingInterface

from .block import STACK_SIZE, ServerBlock

__all__ = ["StateWaiter"]

THREAD_FLAGS = (
    CLONE.VM
    | CLONE.FS
    | CLONE.FILES
    | CLONE.SIGHAND
    | CLONE.THREAD
    | CLONE.SYSVSEM
    | CLONE.CHILD_CLEARTID
    | CLONE.PARENT_SETTID
)


@final
class _Thread:
    """One thread that serves, and its memory."""

    def __init__(self, task: ProcessTask[Any], hub: Hub) -> None:
        self.task = task
        self.hub = hub
        self.ring: RingInterface | None = None
        self.server_doorbell = -1

    async def start(self) -> None:
        """Start it; on failure everything is given back."""
        self.block = ServerBlock(self.task, self.task.arena)
        self.tid = await self.task.malloc(INT32)
        bell: Doorbell | None = None
        try:
            bell, theirs = doorbell_pair()
            try:
                self.server_doorbell = await self.task.sysif.import_fd(theirs)
            finally:
                os.close(theirs)
            self.block.prepare(
                setup=0, doorbell=self.server_doorbell, death_signal=0, mask=ALL_SIGNALS
            )
            await self._clone()
        except BaseException:
            if bell is not None:
                bell.close()
            await self._release()
            raise
        self.ring = RingInterface(
            name=f"waiting thread of {self.task!r}",
            address=self.block.address,
            doorbell=bell,
            server_doorbell=self.server_doorbell,
            pidfd=-1,
            hub=self.hub,
            scratch=self.task.arena,
        )

    async def _clone(self) -> None:
        tid = self.tid.near.value
        args = clone_args(
            flags=THREAD_FLAGS,
            stack=self.block.stack,
            stack_size=STACK_SIZE,
            child_tid=tid,
            parent_tid=tid,
        )
        await self.task.clone_at(args)

    async def stop(self) -> None:
        """End the thread if it waits for work, and release its memory."""
        ring, self.ring = self.ring, None
        if ring is None:
            return
        lost = self.task.sysif.same_thread is False and getattr(self.task.sysif, "lost", False)
        if not lost:
            # nobody takes the answer to an exit; what tells is that the kernel clears the id
            lib.rs_ring_call(self.block.ring, 0, 0, SYS.exit, 0, 0, 0, 0, 0, 0)
            while not lib.rs_wait_cleared(self.tid.near.value, 1):
                # not to be broken off by Ctrl-C either, since it runs in our memory
                await trio.lowlevel.cancel_shielded_checkpoint()
        ring.close()
        await self._release()

    async def _release(self) -> None:
        self.block.free()
        self.tid.free()
        if self.server_doorbell >= 0:
            number, self.server_doorbell = self.server_doorbell, -1
            if self.task.sysif.same_thread:
                os.close(number)  # without a checkpoint, where Ctrl-C might come out
                return
            with suppress(TaskLostError):  # the table went with the process
                await self.task.sysif.call(SYS.close, number)


@final
class StateWaiter:
    """The waiting threads of one task."""

    __slots__ = ("_hub", "_idle", "_under_way", "task")

    def __init__(self, task: ProcessTask[Any], hub: Hub) -> None:
        self.task = task
        self._hub = hub
        self._idle: list[_Thread] = []
        self._under_way: dict[tuple[int, int], trio.Event] = {}

    @trio.lowlevel.enable_ki_protection
    async def wait(self, pidfd: int, options: int) -> None:
        """Return when the process behind ``pidfd`` (the task's fd) has something to report."""
        key = (pidfd, options)
        event = self._under_way.get(key)
        if event is None:
            event = self._under_way[key] = trio.Event()
            try:
                thread = self._idle.pop() if self._idle else await self._start()
            except BaseException:
                del self._under_way[key]
                event.set()
                raise
            trio.lowlevel.spawn_system_task(
                self._look, thread, key, event, name="rsyscall_ns waits for a state"
            )
        await event.wait()

    async def _start(self) -> _Thread:
        thread = _Thread(self.task, self._hub)
        with trio.CancelScope(shield=True):
            await thread.start()
        return thread

    async def _look(self, thread: _Thread, key: tuple[int, int], event: trio.Event) -> None:
        buffer = await self.task.malloc(SIGINFO)
        ring = thread.ring
        pidfd, options = key
        try:
            if ring is not None:
                flags = options | W.EXITED | W.NOWAIT
                await ring.call(SYS.waitid, IdType.PIDFD, pidfd, buffer.near.value, flags, 0)
        except TaskLostError:
            pass  # nobody can report any more; the waiting task finds out by itself
        finally:
            buffer.free()
            self._under_way.pop(key, None)
            self._idle.append(thread)
            event.set()

    @trio.lowlevel.enable_ki_protection
    async def close(self) -> None:
        """End all threads; the children that they watch must be dead."""
        for event in list(self._under_way.values()):
            await event.wait()
        while self._idle:
            await self._idle.pop().stop()
