"""SpaceCalls: options of prctl about the address space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, overload

from rsyscall_ns.handle.confining import in_own_memory
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.mapping import MemoryMapping
from rsyscall_ns.handle.pointers.passing import Text, given, room, text_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.arrays import UINT64
from rsyscall_ns.memory.serializers import BYTES, INT32
from rsyscall_ns.near.abi.auxvec_h import AUXV, AUXV_ROOM, pack_auxv, unpack_auxv
from rsyscall_ns.near.abi.prctl_args import (
    PR_FUTEX_HASH,
    PR_MDWE,
    PR_SET_MM,
    PR_SET_VMA,
    PR_THP_DISABLE,
    PrctlMmMap,
)
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.ids import Address, fit

from .prctl_rights import RightsCalls

__all__ = ["SpaceCalls"]

NO_EXCEPTION: Final = PR_THP_DISABLE.NONE


class SpaceCalls(RightsCalls):
    """Options about the address space: they are for all who share it, which the interpreter may."""

    __slots__ = ()

    async def get_thp_disable(self) -> tuple[bool, PR_THP_DISABLE]:
        """Return whether there are no huge pages, and what is excepted. ``prctl(2)``."""
        found = await self._prctl(PR.GET_THP_DISABLE)
        return bool(found), PR_THP_DISABLE(found & ~1)

    async def set_thp_disable(
        self,
        disable: bool,  # noqa: FBT001 - as the manual page has it
        flags: PR_THP_DISABLE = NO_EXCEPTION,
    ) -> None:
        """Have no huge pages, or have them again. ``prctl(2)``.

        ``flags``: with ``EXCEPT_ADVISED`` there are some where they are asked for (Linux 6.18).
        Children and programs inherit it.
        """
        await self._prctl(PR.SET_THP_DISABLE, disable, flags)

    async def get_mdwe(self) -> PR_MDWE:
        """Return whether memory that was writable may become executable. ``prctl(2)``."""
        return PR_MDWE(await self._prctl(PR.GET_MDWE))

    async def set_mdwe(self, flags: PR_MDWE, *, for_good: bool = False) -> None:
        """Have no memory become executable that was writable, or is. ``prctl(2)``.

        It can't be taken back. A task that shares the interpreter's memory must say ``for_good``.
        """
        in_own_memory(self._task, "set_mdwe", for_good=for_good)
        await self._prctl(PR.SET_MDWE, flags)

    async def get_memory_merge(self) -> bool:
        """Return whether equal pages are merged. ``prctl(2)``."""
        return bool(await self._prctl(PR.GET_MEMORY_MERGE))

    async def set_memory_merge(self, merge: bool) -> None:  # noqa: FBT001 - as the manual page
        """Have equal pages merged (KSM), or not any more. ``prctl(2)``, Linux 6.4.

        Children inherit it. An OSError of EINVAL: the kernel was made without.
        """
        await self._prctl(PR.SET_MEMORY_MERGE, merge)

    async def set_vma_anon_name(
        self,
        mapping: MemoryMapping,
        name: Text | None,
        offset: int = 0,
        length: int | None = None,
    ) -> None:
        """Give anonymous memory a name, which ``/proc/PID/maps`` shows; None: none. ``prctl(2)``.

        An OSError of EINVAL: the name is longer than 79 bytes or has other than printable
        characters, brackets, a backslash, a dollar or a backtick, or the kernel gives no names.
        """
        task = self._task
        start, size = mapping.part(offset, length)
        what = PR_SET_VMA.ANON_NAME
        with mapping.borrow(task) as address:
            if name is None:
                await self._prctl(PR.SET_VMA, what, address + start, size, 0)
                return
            with text_given(task, name) as there:
                assert there.address is not None, "a name is not None"
                await self._prctl(PR.SET_VMA, what, address + start, size, there.address)

    async def set_mm(self, field: PR_SET_MM, address: Address) -> None:
        """Set one address that the kernel remembers of the program. ``prctl(2)``.

        Needs ``CAP.SYS_RESOURCE``. What no address is has a method of its own.
        """
        fit("field", field, PR_SET_MM.START_CODE, PR_SET_MM.ENV_END)
        await self._prctl(PR.SET_MM, field, address)

    async def set_mm_auxv(self, entries: Mapping[AUXV | int, int] | Pointer[bytes]) -> None:
        """Set the auxiliary vector that ``/proc/PID/auxv`` shows. ``prctl(2)``.

        Needs ``CAP.SYS_RESOURCE``.
        """
        content = entries if isinstance(entries, Pointer) else pack_auxv(entries)
        with given(self._task, content) as there:
            assert there.address is not None, "bytes lie somewhere"
            await self._prctl(PR.SET_MM, PR_SET_MM.AUXV, there.address, there.size)

    async def set_mm_exe_file(self, fd: FileDescriptor) -> None:
        """Set which program ``/proc/PID/exe`` shows. ``prctl(2)``.

        OSError of EBUSY: the one that there was is still mapped.
        """
        with fd.borrow(self._task) as near_id:
            await self._prctl(PR.SET_MM, PR_SET_MM.EXE_FILE, near_id.number)

    async def set_mm_map(self, new: PrctlMmMap | Pointer[PrctlMmMap]) -> None:
        """Set all addresses that the kernel remembers of the program. ``prctl(2)``."""
        with given(self._task, new) as there:
            assert there.address is not None, "a struct lies somewhere"
            await self._prctl(PR.SET_MM, PR_SET_MM.MAP, there.address, there.size)

    @overload
    async def set_mm_map_size(self) -> int: ...

    @overload
    async def set_mm_map_size(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def set_mm_map_size(self, *, into: Pointer[int] | None = None) -> int | Pointer[int]:
        """Return how many bytes the kernel's ``struct prctl_mm_map`` has. ``prctl(2)``."""
        return await self._number(INT32, into, PR.SET_MM, PR_SET_MM.MAP_SIZE)

    @overload
    async def get_auxv(self) -> dict[AUXV | int, int]: ...

    @overload
    async def get_auxv(self, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def get_auxv(
        self, *, into: Pointer[bytes] | None = None
    ) -> dict[AUXV | int, int] | Pointer[bytes]:
        """Return what the kernel told the program when it started. ``prctl(2)``, Linux 6.4.

        ``into`` is consumed: the part that was filled is returned.
        """
        with room(self._task, BYTES, into, AUXV_ROOM) as there:
            size = await self._prctl(PR.GET_AUXV, there.address, there.size)
            found = there.result(min(size, there.size))
        return found if isinstance(found, Pointer) else unpack_auxv(found)

    @overload
    async def get_tid_address(self) -> Address | None: ...

    @overload
    async def get_tid_address(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_tid_address(
        self, *, into: Pointer[int] | None = None
    ) -> Address | Pointer[int] | None:
        """Return where the kernel clears a thread's id when it ends. ``prctl(2)``."""
        found = await self._number(UINT64, into, PR.GET_TID_ADDRESS)
        return found if isinstance(found, Pointer) else Address(found) if found else None

    async def futex_hash_get_slots(self) -> int:
        """Return how many slots the process's own table of futexes has, 0: it has none.

        ``prctl(2)``, Linux 6.16.
        """
        return await self._prctl(PR.FUTEX_HASH, PR_FUTEX_HASH.GET_SLOTS)

    async def futex_hash_set_slots(self, slots: int) -> None:
        """Set how many slots that table has: a power of two, or 0 for the common one.

        From 0 there is no way back. ``prctl(2)``, Linux 6.16.
        """
        await self._prctl(PR.FUTEX_HASH, PR_FUTEX_HASH.SET_SLOTS, fit("slots", slots, 0, 2**31))
