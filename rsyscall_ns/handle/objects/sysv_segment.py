"""SysVSegment: System V shared memory."""

from __future__ import annotations

from typing import ClassVar, Final, final, overload

import trio

from rsyscall_ns.handle.pointers.mapping import MappingFlagsError, MemoryMapping, rounded
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near.abi.ipc_h import IPC_CTL
from rsyscall_ns.near.abi.shm_h import SHM, SHMCTL, ShmidDs
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.ids import Address, IpcObject

from .sysv import SysVObject

__all__ = ["SysVSegment"]

READ_WRITE: Final = SHM.NONE


@final
class SysVSegment(SysVObject):
    """Memory that processes attach; ``task.ipc.shmget`` gives one.

    One that is removed stays until the last process has detached it.
    """

    __slots__ = ()
    kind: ClassVar[str] = "shared memory segment"

    async def _control(self, near_id: IpcObject, cmd: int, buf: Address | None) -> int:
        return await near_ipc.shmctl(self.task.sysif, near_id.id, cmd, buf)

    @trio.lowlevel.enable_ki_protection
    async def shmat(
        self, flags: SHM = READ_WRITE, *, address: Address | None = None
    ) -> MemoryMapping:
        """Map the segment; leaving the mapping's ``async with`` detaches it. ``shmop(2)``.

        ``address``: where it is to be, at a page; with ``SHM.RND`` it is rounded down.
        ``SHM.REMAP`` is refused: it destroys what is there.
        """
        task = self.task
        if SHM.REMAP in flags:
            raise MappingFlagsError("shmat", flags, "it destroys what is there")
        size = (await self.stat()).segsz
        with self.borrow() as near_id:
            made = await near_ipc.shmat(task.sysif, near_id.id, address, flags)
            return MemoryMapping(task, made, rounded(size), attached=True)

    async def lock(self) -> None:
        """Keep the segment's pages in memory, once they are there. SHM_LOCK, ``shmctl(2)``."""
        await self._plain(SHMCTL.LOCK)

    async def unlock(self) -> None:
        """Take ``lock`` back. SHM_UNLOCK, ``shmctl(2)``."""
        await self._plain(SHMCTL.UNLOCK)

    async def _plain(self, cmd: SHMCTL) -> None:
        with self.borrow() as near_id:
            await near_ipc.shmctl(self.task.sysif, near_id.id, cmd, None)

    @overload
    async def stat(self) -> ShmidDs: ...

    @overload
    async def stat(self, into: Pointer[ShmidDs]) -> Pointer[ShmidDs]: ...

    async def stat(self, into: Pointer[ShmidDs] | None = None) -> ShmidDs | Pointer[ShmidDs]:
        """Return what the segment is, and who uses it. IPC_STAT, ``shmctl(2)``."""
        task = self.task
        with self.borrow() as near_id, room(task, struct_of(ShmidDs), into) as there:
            await near_ipc.shmctl(task.sysif, near_id.id, IPC_CTL.STAT, there.address)
            return there.result()

    async def set(self, new: ShmidDs | Pointer[ShmidDs]) -> None:
        """Set of ``perm`` the uid, the gid and the mode. IPC_SET, ``shmctl(2)``."""
        with self.borrow() as near_id, given(self.task, new) as there:
            await near_ipc.shmctl(self.task.sysif, near_id.id, IPC_CTL.SET, there.address)
