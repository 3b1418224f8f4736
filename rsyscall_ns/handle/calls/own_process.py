"""``task.proc``: what the task's own process is and uses, and where it runs."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Final, final, overload

from rsyscall_ns.handle.calls.ns import InInterpreterError
from rsyscall_ns.handle.pointers.context import LARGEST, MemoryTask
from rsyscall_ns.handle.pointers.passing import room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES, struct_of
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.ioprio_h import IOPRIO_WHO, IoPriority
from rsyscall_ns.near.abi.resource_h import NICE, PRIO, RUSAGE, Rusage
from rsyscall_ns.near.abi.sched_h import SCHED
from rsyscall_ns.near.abi.sysinfo_h import Sysinfo
from rsyscall_ns.near.abi.times_h import Tms
from rsyscall_ns.near.abi.utsname_h import Utsname
from rsyscall_ns.near.calls import clock as near_clock
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.calls import scheduling as near_scheduling
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ids import fit

__all__ = ["OwnProcess"]

INT: Final = 4
MOST_IDS: Final = 2**32 - 2
ITSELF: Final = RUSAGE.SELF


@final
class OwnProcess:
    """System calls about the task's own process. What takes an id is at ``task.process``."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def gettid(self) -> ids.Process:
        """Return the id of the thread that makes the task's calls. ``gettid(2)``."""
        return await near_process.gettid(self._task.sysif)

    async def getppid(self) -> ids.Process | None:
        """Return the parent's id; None where it is not visible. ``getppid(2)``."""
        parent = await near_process.getppid(self._task.sysif)
        return ids.Process(parent) if parent else None

    async def setsid(self) -> ids.ProcessGroup:
        """Begin a session, with a group of its own and no terminal; returns its id. ``setsid(2)``.

        A process that leads a group can't.
        """
        return await near_process.setsid(self._task.sysif)

    async def vhangup(self) -> None:
        """Hang up the terminal of its session, if it has one. ``vhangup(2)``."""
        await near_process.vhangup(self._task.sysif)

    async def exit_group(self, status: int) -> None:
        """End the process, with a status of 0 to 255. ``exit_group(2)``.

        Consumes the task, which must be a child: only its process is left, to be waited for.
        """
        fit("exit status", status, 0, 255)
        if self._task.sysif.same_thread:
            raise InInterpreterError("exit_group")
        with suppress(TaskLostError):  # that is what the success of it looks like
            await near_process.exit_group(self._task.sysif, status)

    # where it runs

    async def sched_yield(self) -> None:
        """Let others run. ``sched_yield(2)``."""
        await near_scheduling.sched_yield(self._task.sysif)

    async def sched_get_priority_max(self, policy: SCHED) -> int:
        """Return a policy's highest priority. ``sched_get_priority_max(2)``."""
        return await near_scheduling.sched_get_priority_max(self._task.sysif, policy)

    async def sched_get_priority_min(self, policy: SCHED) -> int:
        """Return a policy's lowest priority. ``sched_get_priority_max(2)``."""
        return await near_scheduling.sched_get_priority_min(self._task.sysif, policy)

    @overload
    async def getcpu(self) -> tuple[int, int]: ...

    @overload
    async def getcpu(self, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def getcpu(
        self, *, into: Pointer[bytes] | None = None
    ) -> tuple[int, int] | Pointer[bytes]:
        """Return on which processor and which NUMA node the call was made. ``getcpu(2)``.

        ``into``: is filled with both, as words of 4 bytes.
        """
        with room(self._task, BYTES, into, 2 * INT) as there:
            fit("size", there.size, 2 * INT, LARGEST)
            node = there.address + INT
            await near_scheduling.getcpu(self._task.sysif, there.address, node, None)
            found = there.result()
        if not isinstance(found, bytes):
            return found
        cpu, at_node = struct.unpack("<II", found)
        return cpu, at_node

    # priorities of several

    async def getpriority(self, which: PRIO, who: int = 0) -> int:
        """Return the best nice value of a process, a group or a user's; 0: its own.

        ``getpriority(2)``.
        """
        fit("who", who, 0, MOST_IDS)
        return 20 - await near_scheduling.getpriority(self._task.sysif, which, who)

    async def setpriority(self, which: PRIO, who: int, prio: int) -> None:
        """Set the nice value of a process, or of all of a group or a user; 0: its own.

        ``getpriority(2)``.
        """
        fit("who", who, 0, MOST_IDS)
        nice = fit("nice value", prio, *NICE)
        await near_scheduling.setpriority(self._task.sysif, which, who, nice)

    async def ioprio_get(self, which: IOPRIO_WHO, who: int = 0) -> IoPriority:
        """Return the best I/O priority of a thread, a group or a user's; 0: its own.

        ``ioprio_set(2)``.
        """
        fit("who", who, 0, MOST_IDS)
        return IoPriority.of(await near_scheduling.ioprio_get(self._task.sysif, which, who))

    async def ioprio_set(self, which: IOPRIO_WHO, who: int, priority: IoPriority) -> None:
        """Set the I/O priority of a thread, or of all of a group or a user; 0: its own.

        ``ioprio_set(2)``.
        """
        fit("who", who, 0, MOST_IDS)
        await near_scheduling.ioprio_set(self._task.sysif, which, who, priority.word())

    # what was used, and what there is

    @overload
    async def getrusage(self, who: RUSAGE = ITSELF) -> Rusage: ...

    @overload
    async def getrusage(
        self, who: RUSAGE = ITSELF, *, into: Pointer[Rusage]
    ) -> Pointer[Rusage]: ...

    async def getrusage(
        self, who: RUSAGE = ITSELF, *, into: Pointer[Rusage] | None = None
    ) -> Rusage | Pointer[Rusage]:
        """Return what it, its thread or its children that were waited for have used.

        ``getrusage(2)``.
        """
        with room(self._task, struct_of(Rusage), into) as there:
            await near_scheduling.getrusage(self._task.sysif, who, there.address)
            return there.result()

    @overload
    async def times(self) -> tuple[int, Tms]: ...

    @overload
    async def times(self, *, into: Pointer[Tms]) -> tuple[int, Pointer[Tms]]: ...

    async def times(self, *, into: Pointer[Tms] | None = None) -> tuple[int, Tms | Pointer[Tms]]:
        """Return the clock ticks since some moment, and the processor times. ``times(2)``."""
        with room(self._task, struct_of(Tms), into) as there:
            ticks = await near_clock.times(self._task.sysif, there.address)
            return ticks, there.result()

    @overload
    async def sysinfo(self) -> Sysinfo: ...

    @overload
    async def sysinfo(self, *, into: Pointer[Sysinfo]) -> Pointer[Sysinfo]: ...

    async def sysinfo(self, *, into: Pointer[Sysinfo] | None = None) -> Sysinfo | Pointer[Sysinfo]:
        """Return how much memory, swap and load there is. ``sysinfo(2)``."""
        with room(self._task, struct_of(Sysinfo), into) as there:
            await near_host.sysinfo(self._task.sysif, there.address)
            return there.result()

    @overload
    async def uname(self) -> Utsname: ...

    @overload
    async def uname(self, *, into: Pointer[Utsname]) -> Pointer[Utsname]: ...

    async def uname(self, *, into: Pointer[Utsname] | None = None) -> Utsname | Pointer[Utsname]:
        """Return the names of the machine and of its kernel. ``uname(2)``."""
        with room(self._task, struct_of(Utsname), into) as there:
            await near_host.uname(self._task.sysif, there.address)
            return there.result()
