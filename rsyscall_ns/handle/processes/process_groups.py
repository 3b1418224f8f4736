"""GroupedProcess: groups, sessions, nice values and limits, by a process's id."""

from __future__ import annotations

from typing import Final, overload

from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.resource_h import NICE, PRIO, RLIMIT, Rlimit
from rsyscall_ns.near.calls.base import at
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.nr import SYS

from .process_handle import ProcessHandle

__all__ = ["GroupedProcess"]

RLIMIT_VALUE: Final = struct_of(Rlimit)


class GroupedProcess(ProcessHandle):
    """A process among others: a base of ``Process``."""

    __slots__ = ()

    async def getpgid(self) -> ids.ProcessGroup:
        """Return the process's group. ``getpgid(2)``."""
        async with self.turn() as near_id:
            return ids.ProcessGroup(await self._by_id(SYS.getpgid, near_id.id))

    async def setpgid(self, pgid: ProcessHandle | ids.ProcessGroup | None = None) -> None:
        """Put the process into the group that ``pgid`` leads; None: a group of its own.

        It must be the task's own process, or a child of it that has not exec'd yet; if ``pgid``
        is a child too, both are borrowed, and must be of one pid namespace. ``setpgid(2)``.
        """
        if pgid is None or pgid is self or isinstance(pgid, ids.ProcessGroup):
            async with self.turn() as near_id:
                group = pgid.id if isinstance(pgid, ids.ProcessGroup) else near_id.id
                await self._by_id(SYS.setpgid, near_id.id, group)
            return
        self.task.check_pid_namespace(pgid, pgid.pid_namespace)
        # always in the same order: two children that join each other must not wait for ever
        first, second = sorted((self, pgid), key=lambda process: process.near.id)
        async with first.turn(), second.turn():
            await self._by_id(SYS.setpgid, self.near.id, pgid.near.id)

    async def getsid(self) -> int:
        """Return the process's session id; 0 where it is not visible. ``getsid(2)``."""
        async with self.turn() as near_id:
            return await self._by_id(SYS.getsid, near_id.id)

    async def setpriority(self, prio: int) -> None:
        """Set the nice value, -20 (most favoured) to 19. ``setpriority(2)``."""
        nice = fit("nice value", prio, *NICE)
        async with self.turn() as near_id:
            await self._by_id(SYS.setpriority, PRIO.PROCESS, near_id.id, nice)

    async def getpriority(self) -> int:
        """Return the nice value, -20 to 19. ``getpriority(2)``."""
        async with self.turn() as near_id:
            # the kernel gives 20 - nice, so that an error can be told from a value
            return 20 - await self._by_id(SYS.getpriority, PRIO.PROCESS, near_id.id)

    @overload
    async def prlimit(
        self, resource: RLIMIT, new: Rlimit | Pointer[Rlimit] | None = None
    ) -> Rlimit: ...

    @overload
    async def prlimit(
        self,
        resource: RLIMIT,
        new: Rlimit | Pointer[Rlimit] | None = None,
        *,
        into: Pointer[Rlimit],
    ) -> Pointer[Rlimit]: ...

    async def prlimit(
        self,
        resource: RLIMIT,
        new: Rlimit | Pointer[Rlimit] | None = None,
        *,
        into: Pointer[Rlimit] | None = None,
    ) -> Rlimit | Pointer[Rlimit]:
        """Return a limit of the process as it was, and set it if there is a ``new`` one.

        Only root may raise ``hard``, and limit another user's process. ``prlimit(2)``.
        """
        task = self.task
        async with self.turn() as near_id:
            with given(task, new) as there, room(task, RLIMIT_VALUE, into) as old:
                await self._by_id(
                    SYS.prlimit64, near_id.id, resource, at(there.address), at(old.address)
                )
                return old.result()
