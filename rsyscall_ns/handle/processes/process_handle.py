"""ProcessHandle: what is done to a process by its id, whoever it is."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, final, overload

import trio

from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.arrays import one_of
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.capability_block import capability_header
from rsyscall_ns.near.abi.kcmp_h import KCMP, KcmpEpollSlot
from rsyscall_ns.near.abi.pidfd_h import PIDFD
from rsyscall_ns.near.abi.siginfo_h import SI, ValueSiginfo
from rsyscall_ns.near.abi.signal_h import check_signal
from rsyscall_ns.near.abi.wait_h import ChildState
from rsyscall_ns.near.calls import cred as near_cred
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.calls import signals as near_signals
from rsyscall_ns.near.calls.base import checked
from rsyscall_ns.near.ids import Address

if TYPE_CHECKING:  # the names of all capabilities are imported when somebody asks for some
    from rsyscall_ns.memory.serializers import Serializer
    from rsyscall_ns.near.abi.capability_h import Capabilities

__all__ = ["ProcessHandle"]

PLAIN = PIDFD(0)
FD_WORD = 2**63 - 1


@final
class Known:
    """``async with``: gives a process's id. Nothing protects it."""

    __slots__ = ("_process",)

    def __init__(self, process: ProcessHandle) -> None:
        self._process = process

    async def __aenter__(self) -> ids.Process:
        return self._process.checked_id()

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        pass


class ProcessHandle:
    """The base of ``Process``: a process id and the task that uses it."""

    __slots__ = ("__weakref__", "near", "pid_namespace", "task")

    def __init__(self, task: MemoryTask, near_id: ids.Process) -> None:
        self.task = task
        self.near = near_id
        self.pid_namespace = task.pid_namespace

    def checked_id(self) -> ids.Process:
        """Return the id, if the task is in the pid namespace where it means the process."""
        self.task.check_pid_namespace(self, self.pid_namespace)
        return self.near

    def turn(self) -> AbstractAsyncContextManager[ids.Process, None]:
        """``async with`` it to use the id; a child's is its own until the end of the block."""
        return Known(self)

    def another(self, near_id: ids.Process) -> ProcessHandle:
        """Return another process, seen from the same task."""
        return ProcessHandle(self.task, near_id)

    async def _by_id(self, number: int, *args: int) -> int:
        """Make a call that names the process, within its turn."""
        return await checked(self.task.sysif, number, *args)

    def noticed(self, state: ChildState) -> None:
        """Take note of what was seen of the process by other ways than its own waits."""

    @trio.lowlevel.enable_ki_protection
    async def pidfd_open(self, flags: PIDFD = PLAIN) -> PidFD:
        """Make an fd that refers to the process, close-on-exec. ``pidfd_open(2)``.

        ``PIDFD.THREAD``: to the thread of that id.
        """
        task = self.task
        await task.sweep()
        async with self.turn() as near_id:
            made = await near_process.pidfd_open(task.sysif, near_id, flags)
        return PidFD(task, made)

    async def tgkill(self, tid: int, sig: int) -> None:
        """Signal one thread of the process. ``tgkill(2)``."""
        thread = ids.Process(tid)
        async with self.turn() as near_id:
            await near_process.tgkill(self.task.sysif, near_id, thread, check_signal(sig))

    async def sigqueue(self, sig: int, value: int = 0) -> None:
        """Signal the process; ``value``, an int or an address, comes along. ``sigqueue(3)``."""
        sysif = self.task.sysif
        pid, uid = await near_process.getpid(sysif), await near_cred.getuid(sysif)
        info = ValueSiginfo(check_signal(sig), 0, SI.QUEUE, pid.id, uid, value)
        await self.rt_sigqueueinfo(sig, info)

    async def rt_sigqueueinfo(self, sig: int, info: ValueSiginfo | Pointer[ValueSiginfo]) -> None:
        """Signal the process, with all that comes along. ``rt_sigqueueinfo(2)``.

        The code must be negative, and not ``SI.TKILL``, unless the task signals itself.
        """
        async with self.turn() as near_id:
            with given(self.task, info) as there:
                await near_signals.rt_sigqueueinfo(
                    self.task.sysif, near_id, check_signal(sig), there.address
                )

    async def rt_tgsigqueueinfo(
        self, tid: int, sig: int, info: ValueSiginfo | Pointer[ValueSiginfo]
    ) -> None:
        """Signal one thread of the process, with all that comes along. ``rt_sigqueueinfo(2)``."""
        thread = ids.Process(tid)
        async with self.turn() as near_id:
            with given(self.task, info) as there:
                await near_signals.rt_tgsigqueueinfo(
                    self.task.sysif, near_id, thread, check_signal(sig), there.address
                )

    @overload
    async def capget(self) -> Capabilities: ...

    @overload
    async def capget(self, *, into: Pointer[Capabilities]) -> Pointer[Capabilities]: ...

    async def capget(
        self, *, into: Pointer[Capabilities] | None = None
    ) -> Capabilities | Pointer[Capabilities]:
        """Return the capability sets of the process. ``capget(2)``."""
        async with self.turn() as near_id:
            wanted = capability_header(near_id.id)
            with given(self.task, wanted) as header, room(self.task, sets(), into) as there:
                await near_cred.capget(self.task.sysif, header.address, there.address)
                return there.result()

    async def kcmp(
        self,
        other: ProcessHandle,
        what: KCMP,
        idx1: int = 0,
        idx2: int | KcmpEpollSlot | Pointer[KcmpEpollSlot] = 0,
    ) -> int:
        """Compare something of two processes: 0, they share it; 1 or 2 tell an order; 3 none.

        ``idx1`` and ``idx2``: fd numbers in the first and in the second process, for
        ``KCMP.FILE``; for ``KCMP.EPOLL_TFD`` the second is a slot of an epoll. ``kcmp(2)``.
        """
        if other.near == self.near:
            async with self.turn() as one:
                return await self._kcmp(one, one, what, idx1, idx2)
        low, high = sorted((self, other), key=lambda process: process.near.id)
        async with low.turn(), high.turn():  # always in the same order: nobody waits in a ring
            ours, theirs = self.near, other.near
            return await self._kcmp(ours, theirs, what, idx1, idx2)

    async def _kcmp(
        self,
        one: ids.Process,
        two: ids.Process,
        what: KCMP,
        idx1: int,
        idx2: int | KcmpEpollSlot | Pointer[KcmpEpollSlot],
    ) -> int:
        sysif = self.task.sysif
        with given(self.task, None if isinstance(idx2, int) else idx2) as slot:
            second = word(slot.address, idx2)
            return await near_fd.kcmp(sysif, one, two, what, idx1, second)


def word(place: Address | None, index: int | KcmpEpollSlot | Pointer[KcmpEpollSlot]) -> int:
    """Return the last argument of kcmp: a number, or where a slot lies."""
    if place is not None:
        return place.value
    assert isinstance(index, int), "a slot lies somewhere"
    return index


def sets() -> Serializer[Capabilities]:
    """Return what turns capability sets into bytes and back."""
    kind: type[Capabilities] = import_module("rsyscall_ns.near.abi.capability_h").Capabilities
    return one_of(kind)
