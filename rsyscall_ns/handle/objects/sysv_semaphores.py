"""SysVSemaphores: a set of System V semaphores."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from errno import EAGAIN
from typing import ClassVar, Final, final, overload

from attrs import evolve

from rsyscall_ns.handle.patience import asked_again
from rsyscall_ns.handle.pointers.context import LARGEST
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES, struct_of
from rsyscall_ns.near.abi.ipc_h import IPC_CTL
from rsyscall_ns.near.abi.sem_h import SEM, SEMCTL, Sembuf, SemidDs
from rsyscall_ns.near.abi.time_h import Timespec
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.ids import Address, IpcObject, Process, fit

from .sysv import SysVObject

__all__ = ["Sembufs", "SysVSemaphores"]

Sembufs = Sequence[Sembuf] | Pointer[Sequence[Sembuf]]
HIGHEST: Final = 32767  # value of a semaphore
VALUE: Final = 2  # bytes
BUSY: Final = frozenset({EAGAIN})


@final
class SysVSemaphores(SysVObject):
    """A set of counters that are changed together; ``task.ipc.semget`` gives one.

    Waiting can be cancelled. In a child the kernel waits; in the interpreter's own task the
    change is tried again and again, at least 20 times a second, and none of it waits if one of
    its steps has ``SEM.NOWAIT``.
    """

    __slots__ = ()
    kind: ClassVar[str] = "set of semaphores"

    async def _control(self, near_id: IpcObject, cmd: int, buf: Address | None) -> int:
        return await self._semctl(near_id, cmd, 0, 0 if buf is None else buf.value)

    async def _semctl(self, near_id: IpcObject, cmd: int, num: int = 0, arg: int = 0) -> int:
        return await near_ipc.semctl(self.task.sysif, near_id.id, num, cmd, arg)

    async def semop(self, ops: Sembufs) -> None:
        """Make all the changes at once; waits until that can be done. ``semop(2)``.

        What has ``SEM.NOWAIT`` raises BlockingIOError instead; what has ``SEM.UNDO`` is taken
        back when the process ends.
        """
        task = self.task
        if task.sysif.same_thread:
            await self._try(ops, math.inf)
            return
        with self.borrow() as near_id, given(task, packed(ops)) as there:
            count = there.size // Sembuf.sizeof()
            await near_ipc.semop(task.sysif, near_id.id, there.address, count)

    async def semtimedop(self, ops: Sembufs, timeout: Timespec | Pointer[Timespec]) -> None:
        """As ``semop``; after a time that is too long it raises BlockingIOError. ``semop(2)``."""
        task = self.task
        if task.sysif.same_thread:
            limit = timeout.peek() if isinstance(timeout, Pointer) else timeout
            await self._try(ops, limit.seconds)
            return
        with (
            self.borrow() as near_id,
            given(task, packed(ops)) as there,
            given(task, timeout) as until,
        ):
            count = there.size // Sembuf.sizeof()
            await near_ipc.semtimedop(task.sysif, near_id.id, there.address, count, until.address)

    async def _try(self, ops: Sembufs, timeout: float) -> None:
        """Make the changes in the interpreter's own task, which never waits in the kernel."""
        steps = list(ops.peek() if isinstance(ops, Pointer) else ops)
        at_once = any(SEM.NOWAIT in SEM(step.flg) for step in steps)
        tried = packed([evolve(step, flg=SEM(step.flg) | SEM.NOWAIT) for step in steps])
        with given(self.task, tried) as there:

            async def attempt() -> None:
                with self.borrow() as near_id:
                    await near_ipc.semop(self.task.sysif, near_id.id, there.address, len(steps))

            await (attempt() if at_once else asked_again(attempt, BUSY, timeout))

    async def getval(self, num: int = 0) -> int:
        """Return the value of a semaphore, counted from 0. GETVAL, ``semctl(2)``."""
        return await self._ask(SEMCTL.GETVAL, num)

    async def getncnt(self, num: int = 0) -> int:
        """Return how many wait until a semaphore is larger. GETNCNT, ``semctl(2)``."""
        return await self._ask(SEMCTL.GETNCNT, num)

    async def getzcnt(self, num: int = 0) -> int:
        """Return how many wait until a semaphore is zero. GETZCNT, ``semctl(2)``."""
        return await self._ask(SEMCTL.GETZCNT, num)

    async def getpid(self, num: int = 0) -> Process | None:
        """Return who changed a semaphore last; None where nobody that is seen from here has.

        GETPID, ``semctl(2)``.
        """
        number = await self._ask(SEMCTL.GETPID, num)
        return Process(number) if number else None

    async def setval(self, value: int, num: int = 0) -> None:
        """Set the value of a semaphore. SETVAL, ``semctl(2)``."""
        fit("value", value, 0, HIGHEST)
        with self.borrow() as near_id:
            await self._semctl(near_id, SEMCTL.SETVAL, num, value)

    async def _ask(self, cmd: SEMCTL, num: int) -> int:
        with self.borrow() as near_id:
            return await self._semctl(near_id, cmd, num)

    @overload
    async def getall(self) -> list[int]: ...

    @overload
    async def getall(self, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def getall(self, into: Pointer[bytes] | None = None) -> list[int] | Pointer[bytes]:
        """Return the values of all semaphores. GETALL, ``semctl(2)``.

        With ``into``: fills it with 16-bit numbers.
        """
        need = VALUE * (await self.stat()).nsems
        with self.borrow() as near_id, room(self.task, BYTES, into, need) as there:
            fit("size of the buffer", there.size, need, LARGEST)
            await self._semctl(near_id, SEMCTL.GETALL, 0, there.address.value)
            told = there.result()
        if isinstance(told, Pointer):
            return told
        return list(struct.unpack(f"<{need // VALUE}H", told))

    async def setall(self, values: Sequence[int] | Pointer[bytes]) -> None:
        """Set the values of all semaphores, as many as there are. SETALL, ``semctl(2)``.

        A pointer has 16-bit numbers.
        """
        content: bytes | Pointer[bytes]
        if isinstance(values, Pointer):
            content = values
        else:
            numbers = [fit("value", value, 0, HIGHEST) for value in values]
            content = struct.pack(f"<{len(numbers)}H", *numbers)
        nsems = (await self.stat()).nsems
        with self.borrow() as near_id, given(self.task, content) as there:
            fit("number of values", there.size // VALUE, nsems, nsems)
            assert there.address is not None, "values are never None"
            await self._semctl(near_id, SEMCTL.SETALL, 0, there.address.value)

    @overload
    async def stat(self) -> SemidDs: ...

    @overload
    async def stat(self, into: Pointer[SemidDs]) -> Pointer[SemidDs]: ...

    async def stat(self, into: Pointer[SemidDs] | None = None) -> SemidDs | Pointer[SemidDs]:
        """Return what the set is. IPC_STAT, ``semctl(2)``."""
        with self.borrow() as near_id, room(self.task, struct_of(SemidDs), into) as there:
            await self._semctl(near_id, IPC_CTL.STAT, 0, there.address.value)
            return there.result()

    async def set(self, new: SemidDs | Pointer[SemidDs]) -> None:
        """Set of ``perm`` the uid, the gid and the mode. IPC_SET, ``semctl(2)``."""
        with self.borrow() as near_id, given(self.task, new) as there:
            assert there.address is not None, "a struct is never None"
            await self._semctl(near_id, IPC_CTL.SET, 0, there.address.value)


def packed(ops: Sembufs) -> bytes | Pointer[Sequence[Sembuf]]:
    """Return steps as memory has them."""
    return ops if isinstance(ops, Pointer) else b"".join(step.pack() for step in ops)
