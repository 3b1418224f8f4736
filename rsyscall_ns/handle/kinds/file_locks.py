"""LockableFD: locks of whole files and of records, and leases.

A lock of an open file (``flock``, ``ofd_*``) is held until the last copy of the fd is closed. A
POSIX lock (``setlk``) is the process's, and goes when it closes any fd of that file.
"""

from __future__ import annotations

from errno import EACCES, EAGAIN
from typing import Final, overload

from rsyscall_ns.handle.patience import asked_again
from rsyscall_ns.handle.pointers.passing import given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi.fcntl_h import F
from rsyscall_ns.near.abi.flock_h import LOCK, Flock, LockType
from rsyscall_ns.near.calls import fd as near_fd

from .file_content import ContentFD

__all__ = ["LockableFD"]

BUSY: Final = frozenset({EACCES, EAGAIN})


class LockableFD(ContentFD):
    """An fd of a file that can be locked.

    Waiting for a lock can be cancelled. In a child the kernel waits. In the interpreter's own
    task, which must not block, the lock is asked for again and again, at least 20 times a second:
    others that wait in the kernel come first, and a deadlock is not detected.
    """

    __slots__ = ()

    async def flock(self, op: LOCK) -> None:
        """Lock or unlock the whole file for the open file. ``flock(2)``.

        With ``LOCK.NB`` it raises BlockingIOError where another open file holds a lock.
        """
        here = self.task.sysif.same_thread
        tried = op | LOCK.NB if here else op

        async def attempt() -> None:
            with self.borrow() as near_id:
                await near_fd.flock(self.task.sysif, near_id, tried)

        await (asked_again(attempt, BUSY) if here and not op & LOCK.NB else attempt())

    async def setlk(self, lock: Flock | Pointer[Flock]) -> None:
        """Set or remove a lock of the process; raises where another holds one. ``F_SETLK(2const)``.

        What it raises is BlockingIOError or PermissionError.
        """
        await self._lock(F.SETLK, lock)

    async def setlkw(self, lock: Flock | Pointer[Flock]) -> None:
        """Wait until a lock of the process can be set. ``F_SETLKW(2const)``."""
        await self._lock_waiting(F.SETLKW, F.SETLK, lock)

    @overload
    async def getlk(self, lock: Flock) -> Flock: ...

    @overload
    async def getlk(self, lock: Pointer[Flock]) -> Pointer[Flock]: ...

    async def getlk(self, lock: Flock | Pointer[Flock]) -> Flock | Pointer[Flock]:
        """Return a lock that is in the way of this one of the process, or this one as UNLCK.

        ``F_GETLK(2const)``.
        """
        return await self._tested(F.GETLK, lock)

    async def ofd_setlk(self, lock: Flock | Pointer[Flock]) -> None:
        """Set or remove a lock of the open file; raises as ``setlk``. ``F_OFD_SETLK(2const)``."""
        await self._lock(F.OFD_SETLK, lock)

    async def ofd_setlkw(self, lock: Flock | Pointer[Flock]) -> None:
        """Wait until a lock of the open file can be set. ``F_OFD_SETLKW(2const)``."""
        await self._lock_waiting(F.OFD_SETLKW, F.OFD_SETLK, lock)

    @overload
    async def ofd_getlk(self, lock: Flock) -> Flock: ...

    @overload
    async def ofd_getlk(self, lock: Pointer[Flock]) -> Pointer[Flock]: ...

    async def ofd_getlk(self, lock: Flock | Pointer[Flock]) -> Flock | Pointer[Flock]:
        """Return a lock that is in the way of this one of the open file, or this one as UNLCK.

        ``F_OFD_GETLK(2const)``.
        """
        return await self._tested(F.OFD_GETLK, lock)

    async def setlease(self, kind: LockType) -> None:
        """Be told before others open the file, or end that by ``UNLCK``. ``F_SETLEASE(2const)``.

        The process is told by SIGIO. Only the owner of the file may, and root.
        """
        with self.borrow() as near_id:
            await near_fd.fcntl(self.task.sysif, near_id, F.SETLEASE, kind)

    async def getlease(self) -> LockType:
        """Return the kind of lease that the open file has, or is to go down to.

        ``F_GETLEASE(2const)``.
        """
        with self.borrow() as near_id:
            return LockType(await near_fd.fcntl(self.task.sysif, near_id, F.GETLEASE))

    async def _lock(self, op: F, lock: Flock | Pointer[Flock]) -> None:
        with given(self.task, lock) as there, self.borrow() as near_id:
            assert there.address is not None, "a lock is never None"
            await near_fd.fcntl(self.task.sysif, near_id, op, there.address.value)

    async def _lock_waiting(self, op: F, at_once: F, lock: Flock | Pointer[Flock]) -> None:
        if self.task.sysif.same_thread:
            await asked_again(lambda: self._lock(at_once, lock), BUSY)
        else:
            await self._lock(op, lock)

    async def _tested(self, op: F, lock: Flock | Pointer[Flock]) -> Flock | Pointer[Flock]:
        if isinstance(lock, Pointer):
            await self._lock(op, lock)
            return lock
        with self.task.transient(lock.pack()) as there, self.borrow() as near_id:
            await near_fd.fcntl(self.task.sysif, near_id, op, there.address.value)
            return Flock.unpack(there.read())
