"""``task.ipc``: message queues, semaphores and shared memory of System V."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from errno import EINVAL
from typing import Final, TypeVar, final, overload

import trio

from rsyscall_ns.handle.objects.sysv import get_flags, is_new
from rsyscall_ns.handle.objects.sysv_queue import SysVQueue
from rsyscall_ns.handle.objects.sysv_segment import SysVSegment
from rsyscall_ns.handle.objects.sysv_semaphores import SysVSemaphores
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.ipc_h import IPC, IPC_CTL, IPC_PRIVATE
from rsyscall_ns.near.abi.layout import CStruct
from rsyscall_ns.near.abi.msg_h import MSGCTL, Msginfo, MsqidDs
from rsyscall_ns.near.abi.sem_h import SEMCTL, SemidDs, Seminfo
from rsyscall_ns.near.abi.shm_h import SHMCTL, SHMGET, ShmidDs, ShmInfo, Shminfo
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.ids import Address, IpcObject

__all__ = ["SysVIpc"]

Thing = TypeVar("Thing", SysVQueue, SysVSemaphores, SysVSegment)
Struct = TypeVar("Struct", bound=CStruct)
Control = Callable[[int, int, Address], Awaitable[int]]
FIND: Final = IPC.NONE
FIND_SEGMENT: Final = SHMGET.NONE
PRIVATE: Final = 0o600


@final
class SysVIpc:
    """System calls that make and find objects of the task's ipc namespace.

    ``key``: the number that others find the object by; ``IPC_PRIVATE`` always makes one that has
    none. ``flags``: ``IPC.CREAT`` makes what is not there, ``IPC.EXCL`` as well only that.
    ``mode``: who may use a new one. Nothing removes what nobody removes: ``async with`` it, or
    call its ``remove``.
    """

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @trio.lowlevel.enable_ki_protection
    async def msgget(
        self, key: int = IPC_PRIVATE, flags: IPC = FIND, mode: int = PRIVATE
    ) -> SysVQueue:
        """Find or make a message queue. ``msgget(2)``."""
        task = self._task
        made = await near_ipc.msgget(task.sysif, key, get_flags(flags, mode))
        return SysVQueue(task, IpcObject(made), owned=is_new(key, flags))

    @trio.lowlevel.enable_ki_protection
    async def semget(
        self, key: int = IPC_PRIVATE, nsems: int = 0, flags: IPC = FIND, mode: int = PRIVATE
    ) -> SysVSemaphores:
        """Find a set of ``nsems`` semaphores or more, or make one, all zero. ``semget(2)``."""
        task = self._task
        made = await near_ipc.semget(task.sysif, key, nsems, get_flags(flags, mode))
        return SysVSemaphores(task, IpcObject(made), owned=is_new(key, flags))

    @trio.lowlevel.enable_ki_protection
    async def shmget(
        self,
        key: int = IPC_PRIVATE,
        size: int = 0,
        flags: SHMGET | IPC = FIND_SEGMENT,
        mode: int = PRIVATE,
    ) -> SysVSegment:
        """Find a segment of ``size`` bytes or more, or make one, all zero. ``shmget(2)``."""
        task = self._task
        made = await near_ipc.shmget(task.sysif, key, size, get_flags(flags, mode))
        return SysVSegment(task, IpcObject(made), owned=is_new(key, flags))

    # what there is

    @overload
    async def msg_limits(self) -> Msginfo: ...

    @overload
    async def msg_limits(self, into: Pointer[Msginfo]) -> Pointer[Msginfo]: ...

    async def msg_limits(self, into: Pointer[Msginfo] | None = None) -> Msginfo | Pointer[Msginfo]:
        """Return the limits of message queues. IPC_INFO, ``msgctl(2)``."""
        told, _ = await self._info(self._msgctl, IPC_CTL.INFO, Msginfo, into)
        return told

    @overload
    async def msg_usage(self) -> Msginfo: ...

    @overload
    async def msg_usage(self, into: Pointer[Msginfo]) -> Pointer[Msginfo]: ...

    async def msg_usage(self, into: Pointer[Msginfo] | None = None) -> Msginfo | Pointer[Msginfo]:
        """Return how many queues (``pool``), messages (``map``) and bytes (``tql``) there are.

        MSG_INFO, ``msgctl(2)``.
        """
        told, _ = await self._info(self._msgctl, MSGCTL.INFO, Msginfo, into)
        return told

    async def queues(self) -> list[tuple[SysVQueue, MsqidDs]]:
        """Return all message queues of the namespace. MSG_STAT_ANY, ``msgctl(2)``, Linux 4.17."""
        _, last = await self._info(self._msgctl, MSGCTL.INFO, Msginfo, None)
        return await self._all(self._msgctl, MSGCTL.STAT_ANY, last, SysVQueue, MsqidDs)

    @overload
    async def sem_limits(self) -> Seminfo: ...

    @overload
    async def sem_limits(self, into: Pointer[Seminfo]) -> Pointer[Seminfo]: ...

    async def sem_limits(self, into: Pointer[Seminfo] | None = None) -> Seminfo | Pointer[Seminfo]:
        """Return the limits of semaphores. IPC_INFO, ``semctl(2)``."""
        told, _ = await self._info(self._semctl, IPC_CTL.INFO, Seminfo, into)
        return told

    @overload
    async def sem_usage(self) -> Seminfo: ...

    @overload
    async def sem_usage(self, into: Pointer[Seminfo]) -> Pointer[Seminfo]: ...

    async def sem_usage(self, into: Pointer[Seminfo] | None = None) -> Seminfo | Pointer[Seminfo]:
        """Return how many sets (``usz``) and semaphores (``aem``) there are.

        SEM_INFO, ``semctl(2)``.
        """
        told, _ = await self._info(self._semctl, SEMCTL.INFO, Seminfo, into)
        return told

    async def semaphores(self) -> list[tuple[SysVSemaphores, SemidDs]]:
        """Return all sets of the namespace. SEM_STAT_ANY, ``semctl(2)``, Linux 4.17."""
        _, last = await self._info(self._semctl, SEMCTL.INFO, Seminfo, None)
        return await self._all(self._semctl, SEMCTL.STAT_ANY, last, SysVSemaphores, SemidDs)

    @overload
    async def shm_limits(self) -> Shminfo: ...

    @overload
    async def shm_limits(self, into: Pointer[Shminfo]) -> Pointer[Shminfo]: ...

    async def shm_limits(self, into: Pointer[Shminfo] | None = None) -> Shminfo | Pointer[Shminfo]:
        """Return the limits of shared memory. IPC_INFO, ``shmctl(2)``."""
        told, _ = await self._info(self._shmctl, IPC_CTL.INFO, Shminfo, into)
        return told

    @overload
    async def shm_usage(self) -> ShmInfo: ...

    @overload
    async def shm_usage(self, into: Pointer[ShmInfo]) -> Pointer[ShmInfo]: ...

    async def shm_usage(self, into: Pointer[ShmInfo] | None = None) -> ShmInfo | Pointer[ShmInfo]:
        """Return how much shared memory there is. SHM_INFO, ``shmctl(2)``."""
        told, _ = await self._info(self._shmctl, SHMCTL.INFO, ShmInfo, into)
        return told

    async def segments(self) -> list[tuple[SysVSegment, ShmidDs]]:
        """Return all segments of the namespace. SHM_STAT_ANY, ``shmctl(2)``, Linux 4.17."""
        _, last = await self._info(self._shmctl, SHMCTL.INFO, ShmInfo, None)
        return await self._all(self._shmctl, SHMCTL.STAT_ANY, last, SysVSegment, ShmidDs)

    async def _msgctl(self, number: int, cmd: int, buf: Address) -> int:
        return await near_ipc.msgctl(self._task.sysif, number, cmd, buf)

    async def _semctl(self, number: int, cmd: int, buf: Address) -> int:
        return await near_ipc.semctl(self._task.sysif, number, 0, cmd, buf.value)

    async def _shmctl(self, number: int, cmd: int, buf: Address) -> int:
        return await near_ipc.shmctl(self._task.sysif, number, cmd, buf)

    async def _info(
        self, control: Control, cmd: int, kind: type[Struct], into: Pointer[Struct] | None
    ) -> tuple[Struct | Pointer[Struct], int]:
        """Return what is told of the namespace, and the place of its last object."""
        with room(self._task, struct_of(kind), into) as there:
            last = await control(0, cmd, there.address)
            return there.result(), last

    async def _all(
        self, control: Control, cmd: int, last: int, kind: type[Thing], struct: type[Struct]
    ) -> list[tuple[Thing, Struct]]:
        found: list[tuple[Thing, Struct]] = []
        with self._task.transient(struct.sizeof()) as there:
            for place in range(last + 1):
                try:
                    made = await control(place, cmd, there.address)
                except OSError as error:
                    if error.errno != EINVAL:
                        raise
                    continue  # nothing is at this place
                found.append((kind(self._task, IpcObject(made)), struct.unpack(there.read())))
        return found
