"""IdCalls: user, group and supplementary group ids: asking for them, and changing them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from errno import EINVAL, EPERM
from typing import Final, Self, overload

from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.processes.credential_change import change, own_thread_refused
from rsyscall_ns.memory.arrays import UINT32S, one_of
from rsyscall_ns.near.calls import cred as near_cred
from rsyscall_ns.near.errors import SerializerError, kernel_error
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.nr import SYS, name_of
from rsyscall_ns.near.program import Program, Ref
from rsyscall_ns.near.values import value

__all__ = ["KEEP", "IdCalls", "ResIds"]

KEEP: Final = -1
HIGHEST_ID: Final = 2**32 - 2
IDS: Final = struct.Struct("<3I")
ID_SIZE: Final = 4
FEW: Final = 64
MOST: Final = 65536  # NGROUPS_MAX


@value
class ResIds:
    """The user or group ids of a process: real, effective and saved (``credentials(7)``)."""

    real: int
    effective: int
    saved: int

    def pack(self) -> bytes:
        """Return them one behind the other."""
        ids = (self.real, self.effective, self.saved)
        return IDS.pack(*(fit("id", one, 0, HIGHEST_ID) for one in ids))

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the ids that ``data`` is, which must be neither shorter nor longer."""
        if len(data) != IDS.size:
            raise SerializerError(cls.__name__, IDS.size, len(data))
        return cls(*IDS.unpack(data))

    @classmethod
    def sizeof(cls) -> int:
        """Return how many bytes they take."""
        return IDS.size


RES_IDS: Final = one_of(ResIds)


class IdCalls:
    """Calls about ids.

    What changes them is for children: the interpreter's own task would change one thread of
    several, which ThreadCredentialsError refuses. Afterwards the task still gets its signal when
    its parent dies, and its memory can still be looked at by those who could; both the kernel
    would take away.
    """

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def getuid(self) -> int:
        """Return the real user id, in the task's user namespace. ``getuid(2)``."""
        return await near_cred.getuid(self._task.sysif)

    async def geteuid(self) -> int:
        """Return the effective user id. ``geteuid(2)``."""
        return await near_cred.geteuid(self._task.sysif)

    async def getgid(self) -> int:
        """Return the real group id. ``getgid(2)``."""
        return await near_cred.getgid(self._task.sysif)

    async def getegid(self) -> int:
        """Return the effective group id. ``getegid(2)``."""
        return await near_cred.getegid(self._task.sysif)

    @overload
    async def getresuid(self) -> ResIds: ...

    @overload
    async def getresuid(self, *, into: Pointer[ResIds]) -> Pointer[ResIds]: ...

    async def getresuid(self, *, into: Pointer[ResIds] | None = None) -> ResIds | Pointer[ResIds]:
        """Return the real, effective and saved user id. ``getresuid(2)``."""
        with room(self._task, RES_IDS, into) as there:
            places = (there.address, there.address + ID_SIZE, there.address + 2 * ID_SIZE)
            await near_cred.getresuid(self._task.sysif, *places)
            return there.result()

    @overload
    async def getresgid(self) -> ResIds: ...

    @overload
    async def getresgid(self, *, into: Pointer[ResIds]) -> Pointer[ResIds]: ...

    async def getresgid(self, *, into: Pointer[ResIds] | None = None) -> ResIds | Pointer[ResIds]:
        """Return the real, effective and saved group id. ``getresgid(2)``."""
        with room(self._task, RES_IDS, into) as there:
            places = (there.address, there.address + ID_SIZE, there.address + 2 * ID_SIZE)
            await near_cred.getresgid(self._task.sysif, *places)
            return there.result()

    @overload
    async def getgroups(self) -> list[int]: ...

    @overload
    async def getgroups(self, *, into: Pointer[Sequence[int]]) -> Pointer[Sequence[int]]: ...

    async def getgroups(
        self, *, into: Pointer[Sequence[int]] | None = None
    ) -> list[int] | Pointer[Sequence[int]]:
        """Return the supplementary group ids. ``getgroups(2)``.

        ``into`` is consumed: the part that was filled is returned. An OSError of EINVAL: it is too
        small.
        """
        if into is not None:
            return await self._groups_into(into)
        try:
            return await self._groups(FEW)
        except OSError as error:
            if error.errno != EINVAL:
                raise
        return await self._groups(MOST)

    async def _groups(self, most: int) -> list[int]:
        with self._task.transient(most * ID_SIZE) as there:
            count = await near_cred.getgroups(self._task.sysif, most, there.address)
            return list(UINT32S.from_bytes(there.read(0, count * ID_SIZE)))

    async def _groups_into(self, into: Pointer[Sequence[int]]) -> Pointer[Sequence[int]]:
        with room(self._task, UINT32S, into) as there:
            most = fit("size of the buffer", there.size, ID_SIZE, MOST * ID_SIZE) // ID_SIZE
            count = await near_cred.getgroups(self._task.sysif, most, there.address)
            filled = there.result(count * ID_SIZE)
        assert isinstance(filled, Pointer), "it was filled in place"
        return filled

    async def setgroups(self, groups: Sequence[int] | Pointer[Sequence[int]]) -> None:
        """Set the supplementary group ids; needs ``CAP.SETGID``. ``setgroups(2)``.

        A user namespace in whose ``gid_map`` an ordinary user is mapped does not allow it.
        """
        own_thread_refused(self._task, "setgroups")
        if isinstance(groups, Pointer):
            content: bytes | Pointer[Sequence[int]] = groups
            count = groups.size() // ID_SIZE
        else:
            content = UINT32S.to_bytes([checked_id("group id", one) for one in groups])
            count = len(groups)
        fit("number of groups", count, 0, MOST)
        with given(self._task, content) as there:
            place = 0 if there.address is None else there.address.value
            await self._change(SYS.setgroups, count, place)

    async def setuid(self, uid: int) -> None:
        """Set the effective user id; with ``CAP.SETUID`` all three of them. ``setuid(2)``."""
        await self._change(SYS.setuid, checked_id("user id", uid))

    async def setgid(self, gid: int) -> None:
        """Set the effective group id; with ``CAP.SETGID`` all three of them. ``setgid(2)``."""
        await self._change(SYS.setgid, checked_id("group id", gid))

    async def setreuid(self, ruid: int = KEEP, euid: int = KEEP) -> None:
        """Set the real and effective user id; -1 leaves one. ``setreuid(2)``."""
        await self._change(SYS.setreuid, *checked_ids("user id", ruid, euid))

    async def setregid(self, rgid: int = KEEP, egid: int = KEEP) -> None:
        """Set the real and effective group id; -1 leaves one. ``setregid(2)``."""
        await self._change(SYS.setregid, *checked_ids("group id", rgid, egid))

    async def setresuid(self, ruid: int = KEEP, euid: int = KEEP, suid: int = KEEP) -> None:
        """Set the real, effective and saved user id; -1 leaves one. ``setresuid(2)``."""
        await self._change(SYS.setresuid, *checked_ids("user id", ruid, euid, suid))

    async def setresgid(self, rgid: int = KEEP, egid: int = KEEP, sgid: int = KEEP) -> None:
        """Set the real, effective and saved group id; -1 leaves one. ``setresgid(2)``."""
        await self._change(SYS.setresgid, *checked_ids("group id", rgid, egid, sgid))

    async def setfsuid(self, fsuid: int = KEEP) -> int:
        """Set the user id for access to files; returns the old one. ``setfsuid(2)``.

        -1 changes nothing, which the interpreter's own task may do too. Unlike the kernel, which
        never says so, it raises PermissionError when the id was not set.
        """
        return await self._file_id(SYS.setfsuid, *checked_ids("user id", fsuid))

    async def setfsgid(self, fsgid: int = KEEP) -> int:
        """Set the group id for access to files; returns the old one. ``setfsgid(2)``.

        As ``setfsuid``.
        """
        return await self._file_id(SYS.setfsgid, *checked_ids("group id", fsgid))

    async def _file_id(self, number: int, wanted: int) -> int:
        sysif = self._task.sysif
        if wanted == KEEP:
            return await sysif.call(number, HIGHEST_ID + 1)
        old = await self._change(number, wanted)
        if await sysif.call(number, HIGHEST_ID + 1) != wanted:
            raise kernel_error(EPERM, name_of(number), sysif)
        return old

    async def _change(self, number: int, *args: int) -> int:
        own_thread_refused(self._task, name_of(number))

        def build(program: Program) -> Ref:
            return program.call(number, *args)

        return await change(self._task, build)


def checked_id(what: str, value: int) -> int:
    """Return an id; one that is none raises ArgumentRangeError."""
    return fit(what, value, 0, HIGHEST_ID)


def checked_ids(what: str, *values: int) -> tuple[int, ...]:
    """Return ids of which -1 leaves one as it is."""
    return tuple(fit(what, value, KEEP, HIGHEST_ID) for value in values)
