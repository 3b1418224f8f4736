"""ScheduledProcess: when and where a process runs, and whose input and output goes first."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, overload

from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES, struct_of
from rsyscall_ns.near.abi.ioprio_h import IOPRIO_WHO, IoPriority
from rsyscall_ns.near.abi.sched_h import (
    CPU_SIZE,
    CPUS,
    SCHED,
    SCHED_RESET_ON_FORK,
    SchedAttr,
    SchedParam,
    pack_cpus,
    unpack_cpus,
)
from rsyscall_ns.near.abi.time_h import Timespec
from rsyscall_ns.near.calls.base import at
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.nr import SYS

from .process_groups import GroupedProcess

__all__ = ["ScheduledProcess"]

PARAM: Final = struct_of(SchedParam)
ATTR: Final = struct_of(SchedAttr)
TIMESPEC: Final = struct_of(Timespec)
NO_PRIORITY: Final = SchedParam()


class ScheduledProcess(GroupedProcess):
    """A process that is given processors: a base of ``Process``.

    All of this is about one thread: the one of this id. A process's id is its first thread's.
    """

    __slots__ = ()

    # which processors

    @overload
    async def sched_getaffinity(self) -> frozenset[int]: ...

    @overload
    async def sched_getaffinity(self, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def sched_getaffinity(
        self, *, into: Pointer[bytes] | None = None
    ) -> frozenset[int] | Pointer[bytes]:
        """Return the numbers of the processors that it may use. ``sched_setaffinity(2)``.

        ``into``: is filled with the mask, and consumed; a multiple of 8 bytes, with a bit for each
        processor that the machine can have.
        """
        async with self.turn() as near_id:
            with room(self.task, BYTES, into, CPU_SIZE) as there:
                got = await self._by_id(
                    SYS.sched_getaffinity, near_id.id, there.size, at(there.address)
                )
                mask = there.result(got)
        return unpack_cpus(mask) if isinstance(mask, bytes) else mask

    async def sched_setaffinity(self, cpus: Collection[int] | Pointer[bytes]) -> None:
        """Set which processors it may use, by number; there must be one. ``sched_setaffinity(2)``.

        A ``Pointer``: to a mask.
        """
        if not isinstance(cpus, Pointer):
            fit("number of processors", len(cpus), 1, CPUS)
        mask = cpus if isinstance(cpus, Pointer) else pack_cpus(cpus)
        async with self.turn() as near_id:
            with given(self.task, mask) as there:
                await self._by_id(SYS.sched_setaffinity, near_id.id, there.size, at(there.address))

    # policies

    async def sched_getscheduler(self) -> SCHED:
        """Return the policy; ``sched_getattr`` tells its flags too. ``sched_setscheduler(2)``."""
        async with self.turn() as near_id:
            policy = await self._by_id(SYS.sched_getscheduler, near_id.id)
        return SCHED(policy & ~SCHED_RESET_ON_FORK)

    async def sched_setscheduler(
        self,
        policy: SCHED,
        param: SchedParam | Pointer[SchedParam] = NO_PRIORITY,
        *,
        reset_on_fork: bool = False,
    ) -> None:
        """Set the policy, and its priority. ``sched_setscheduler(2)``.

        ``reset_on_fork``: its children do not inherit it. An ordinary user may have FIFO and RR
        as far as ``RLIMIT.RTPRIO`` goes.
        """
        word = policy | (SCHED_RESET_ON_FORK if reset_on_fork else 0)
        async with self.turn() as near_id:
            with given(self.task, param) as there:
                await self._by_id(SYS.sched_setscheduler, near_id.id, word, at(there.address))

    @overload
    async def sched_getparam(self) -> SchedParam: ...

    @overload
    async def sched_getparam(self, *, into: Pointer[SchedParam]) -> Pointer[SchedParam]: ...

    async def sched_getparam(
        self, *, into: Pointer[SchedParam] | None = None
    ) -> SchedParam | Pointer[SchedParam]:
        """Return the priority of its policy. ``sched_setparam(2)``."""
        async with self.turn() as near_id:
            with room(self.task, PARAM, into) as there:
                await self._by_id(SYS.sched_getparam, near_id.id, at(there.address))
                return there.result()

    async def sched_setparam(self, param: SchedParam | Pointer[SchedParam]) -> None:
        """Set the priority of its policy. ``sched_setparam(2)``."""
        async with self.turn() as near_id:
            with given(self.task, param) as there:
                await self._by_id(SYS.sched_setparam, near_id.id, at(there.address))

    @overload
    async def sched_getattr(self) -> SchedAttr: ...

    @overload
    async def sched_getattr(self, *, into: Pointer[SchedAttr]) -> Pointer[SchedAttr]: ...

    async def sched_getattr(
        self, *, into: Pointer[SchedAttr] | None = None
    ) -> SchedAttr | Pointer[SchedAttr]:
        """Return the policy with all its parameters. ``sched_setattr(2)``.

        What the kernel does not know yet is 0; ``size`` tells how much it knows.
        """
        async with self.turn() as near_id:
            with room(self.task, ATTR, into) as there:
                await self._by_id(SYS.sched_getattr, near_id.id, at(there.address), there.size, 0)
                return there.result()

    async def sched_setattr(self, attr: SchedAttr | Pointer[SchedAttr]) -> None:
        """Set the policy with all its parameters. ``sched_setattr(2)``."""
        async with self.turn() as near_id:
            with given(self.task, attr) as there:
                await self._by_id(SYS.sched_setattr, near_id.id, at(there.address), 0)

    @overload
    async def sched_rr_get_interval(self) -> Timespec: ...

    @overload
    async def sched_rr_get_interval(self, *, into: Pointer[Timespec]) -> Pointer[Timespec]: ...

    async def sched_rr_get_interval(
        self, *, into: Pointer[Timespec] | None = None
    ) -> Timespec | Pointer[Timespec]:
        """Return its time slice; 0 where there is none. ``sched_rr_get_interval(2)``."""
        async with self.turn() as near_id:
            with room(self.task, TIMESPEC, into) as there:
                await self._by_id(SYS.sched_rr_get_interval, near_id.id, at(there.address))
                return there.result()

    # input and output

    async def ioprio_get(self) -> IoPriority:
        """Return its I/O priority. ``ioprio_set(2)``."""
        async with self.turn() as near_id:
            return IoPriority.of(await self._by_id(SYS.ioprio_get, IOPRIO_WHO.PROCESS, near_id.id))

    async def ioprio_set(self, priority: IoPriority) -> None:
        """Set its I/O priority. ``ioprio_set(2)``."""
        word = priority.word()
        async with self.turn() as near_id:
            await self._by_id(SYS.ioprio_set, IOPRIO_WHO.PROCESS, near_id.id, word)
