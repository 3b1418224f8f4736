"""``task.prctl``: how the task's process is treated."""

from __future__ import annotations

from typing import Final, final, overload

from rsyscall_ns.handle.confining import TaskNeedsError
from rsyscall_ns.handle.pointers.context import LARGEST, MemoryTask
from rsyscall_ns.handle.pointers.passing import Text, room, text_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.processes.process_handle import ProcessHandle
from rsyscall_ns.memory.arrays import UINT64
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.personality_h import Personality
from rsyscall_ns.near.abi.prctl_args import (
    PR_SCHED_CORE,
    PR_SCHED_CORE_SCOPE,
    PR_SYS_DISPATCH,
    PR_TIMER_CREATE_RESTORE_IDS,
    PR_TIMING,
    SYSCALL_DISPATCH_FILTER,
    TASK_COMM_LEN,
)
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.transport.pace import pace

from .prctl_machine import MachineCalls

__all__ = ["Prctl"]

ASK: Final = 2**32 - 1
THREAD: Final = PR_SCHED_CORE_SCOPE.THREAD
SELF: Final = None  # the process of the task
NOWHERE: Final = Address(0)


@final
class Prctl(MachineCalls):
    """The options of ``prctl(2)``, each a method of its name in small letters; ``personality(2)``.

    The interpreter's own task sets what belongs to a thread for one thread only, the event
    loop's.
    """

    __slots__ = ("_selector",)

    def __init__(self, task: MemoryTask) -> None:
        super().__init__(task)
        self._selector: Pointer[bytes] | None = None

    @overload
    async def get_name(self) -> str: ...

    @overload
    async def get_name(self, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def get_name(self, *, into: Pointer[bytes] | None = None) -> str | Pointer[bytes]:
        """Return the name of the thread. ``prctl(2)``. ``into``: 16 bytes or more."""
        with room(self._task, BYTES, into, TASK_COMM_LEN) as there:
            fit("size of the buffer", there.size, TASK_COMM_LEN, LARGEST)
            await self._prctl(PR.GET_NAME, there.address)
            found = there.result()
        if isinstance(found, Pointer):
            return found
        return found.split(b"\0", 1)[0].decode(errors="surrogateescape")

    async def set_name(self, name: Text) -> None:
        """Set the name of the thread, at most 15 bytes. ``prctl(2)``.

        What a pointer has more than that is left out.
        """
        with text_given(self._task, name) as there:
            if not isinstance(name, Pointer):
                fit("length of the name", there.size - 1, 0, TASK_COMM_LEN - 1)
            assert there.address is not None, "a name lies somewhere"
            await self._prctl(PR.SET_NAME, there.address)

    @overload
    async def get_child_subreaper(self) -> bool: ...

    @overload
    async def get_child_subreaper(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_child_subreaper(self, *, into: Pointer[int] | None = None) -> bool | Pointer[int]:
        """Return whether orphaned descendants become children of this process. ``prctl(2)``."""
        found = await self._int(PR.GET_CHILD_SUBREAPER, into)
        return found if isinstance(found, Pointer) else bool(found)

    async def set_child_subreaper(self, subreaper: bool) -> None:  # noqa: FBT001 - as there
        """Set whether orphaned descendants become children of this process. ``prctl(2)``.

        Then somebody has to wait for them, and this library never waits for any child.
        """
        await self._prctl(PR.SET_CHILD_SUBREAPER, subreaper)

    async def get_timerslack(self) -> int:
        """Return by how many nanoseconds a timer of the thread may be late. ``prctl(2)``."""
        return await self._prctl(PR.GET_TIMERSLACK)

    async def set_timerslack(self, nanoseconds: int) -> None:
        """Set by how many nanoseconds timers may be late; 0: the default. ``prctl(2)``."""
        await self._prctl(PR.SET_TIMERSLACK, fit("slack", nanoseconds, 0, 2**63 - 1))

    async def get_timing(self) -> PR_TIMING:
        """Return how processor time is counted. ``prctl(2)``."""
        return PR_TIMING(await self._prctl(PR.GET_TIMING))

    async def set_timing(self, timing: PR_TIMING) -> None:
        """Set how processor time is counted; Linux has ``STATISTICAL`` alone. ``prctl(2)``."""
        await self._prctl(PR.SET_TIMING, timing)

    async def get_io_flusher(self) -> bool:
        """Return whether the process serves others' input and output. ``prctl(2)``.

        Needs ``CAP.SYS_RESOURCE``.
        """
        return bool(await self._prctl(PR.GET_IO_FLUSHER))

    async def set_io_flusher(self, flusher: bool) -> None:  # noqa: FBT001 - as the manual page
        """Set whether the process serves others' input and output. ``prctl(2)``.

        Then the kernel does not wait for its disks when it wants memory. Needs
        ``CAP.SYS_RESOURCE``.
        """
        await self._prctl(PR.SET_IO_FLUSHER, flusher)

    async def task_perf_events_enable(self) -> None:
        """Have all performance counters that the task has opened count. ``prctl(2)``."""
        await self._prctl(PR.TASK_PERF_EVENTS_ENABLE)

    async def task_perf_events_disable(self) -> None:
        """Have none of them count. ``prctl(2)``."""
        await self._prctl(PR.TASK_PERF_EVENTS_DISABLE)

    @overload
    async def sched_core_get(self, process: ProcessHandle | None = SELF) -> int: ...

    @overload
    async def sched_core_get(
        self, process: ProcessHandle | None = SELF, *, into: Pointer[int]
    ) -> Pointer[int]: ...

    async def sched_core_get(
        self, process: ProcessHandle | None = SELF, *, into: Pointer[int] | None = None
    ) -> int | Pointer[int]:
        """Return the cookie of a process: it shares a core only with those that have the same.

        ``prctl(2)``. An OSError of EINVAL or ENODEV: the kernel or the machine has no such thing.
        """
        with room(self._task, UINT64, into) as there:
            await self._sched_core(PR_SCHED_CORE.GET, process, THREAD, there.address)
            return there.result()

    async def sched_core_create(
        self, process: ProcessHandle | None = SELF, scope: PR_SCHED_CORE_SCOPE = THREAD
    ) -> None:
        """Give a process a cookie that nobody else has. ``prctl(2)``."""
        await self._sched_core(PR_SCHED_CORE.CREATE, process, scope)

    async def sched_core_share_to(
        self, process: ProcessHandle, scope: PR_SCHED_CORE_SCOPE = THREAD
    ) -> None:
        """Give a process the cookie of this thread. ``prctl(2)``."""
        await self._sched_core(PR_SCHED_CORE.SHARE_TO, process, scope)

    async def sched_core_share_from(self, process: ProcessHandle) -> None:
        """Give this thread the cookie of a process. ``prctl(2)``."""
        await self._sched_core(PR_SCHED_CORE.SHARE_FROM, process, THREAD)

    async def _sched_core(
        self,
        what: PR_SCHED_CORE,
        process: ProcessHandle | None,
        scope: PR_SCHED_CORE_SCOPE,
        place: Address = NOWHERE,
    ) -> None:
        if process is None:
            await self._prctl(PR.SCHED_CORE, what, 0, scope, place)
            return
        self._task.check_pid_namespace(process, process.pid_namespace)
        async with process.turn() as near_id:
            await self._prctl(PR.SCHED_CORE, what, near_id.id, scope, place)

    async def set_syscall_user_dispatch_on(
        self,
        selector: Pointer[bytes],
        start: Address = NOWHERE,
        length: int = 0,
        mode: PR_SYS_DISPATCH = PR_SYS_DISPATCH.ON,
    ) -> None:
        """Have system calls become SIGSYS while the selector's first byte says so. ``prctl(2)``.

        The byte is a ``SYSCALL_DISPATCH_FILTER``. ``start`` and ``length``: code whose calls are
        never (with ``INCLUSIVE_ON``: alone) meant. The selector can't be freed until it is off.
        TaskNeedsError: it says so now, which would end the task; or the task is the interpreter's.
        """
        task = self._task
        await pace()
        if task.sysif.same_thread or mode not in {PR_SYS_DISPATCH.ON, PR_SYS_DISPATCH.INCLUSIVE_ON}:
            raise TaskNeedsError(task, f"set_syscall_user_dispatch({mode!r})")
        fit("length", length, 0, 2**63 - 1)
        with selector.borrow(task) as there:
            if self._selected(selector) != SYSCALL_DISPATCH_FILTER.ALLOW:
                raise TaskNeedsError(task, "a selector that blocks")
            await self._prctl(PR.SET_SYSCALL_USER_DISPATCH, mode, start, length, there)
        self._release()
        selector.hold(task)
        self._selector = selector

    @staticmethod
    def _selected(selector: Pointer[bytes]) -> int:
        return selector.peek()[0]

    async def set_syscall_user_dispatch_off(self) -> None:
        """Have no system call become a signal. ``prctl(2)``."""
        await self._prctl(PR.SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH.OFF, 0, 0, 0)
        self._release()

    def _release(self) -> None:
        old, self._selector = self._selector, None
        if old is not None:
            old.let_go(self._task)

    async def timer_create_restore_ids_get(self) -> bool:
        """Return whether new timers get the id that is asked for. ``prctl(2)``, Linux 6.15."""
        return bool(await self._timer_ids(PR_TIMER_CREATE_RESTORE_IDS.GET))

    async def timer_create_restore_ids_on(self) -> None:
        """Have ``timer_create`` take the id that is where it writes one. ``prctl(2)``."""
        await self._timer_ids(PR_TIMER_CREATE_RESTORE_IDS.ON)

    async def timer_create_restore_ids_off(self) -> None:
        """Have ``timer_create`` choose ids. ``prctl(2)``."""
        await self._timer_ids(PR_TIMER_CREATE_RESTORE_IDS.OFF)

    async def _timer_ids(self, what: PR_TIMER_CREATE_RESTORE_IDS) -> int:
        return await self._prctl(PR.TIMER_CREATE_RESTORE_IDS, what)

    async def personality(self, persona: Personality | None = None) -> Personality:
        """Set which system programs take the kernel for; returns what it was. ``personality(2)``.

        None leaves it. Programs inherit it: ``PERSONALITY.ADDR_NO_RANDOMIZE`` has one start where
        it always does.
        """
        word = ASK if persona is None else persona.word()
        return Personality.from_word(await near_process.personality(self._task.sysif, word))
