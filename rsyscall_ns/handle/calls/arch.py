"""``task.arch_prctl``: what only x86_64 has. Elsewhere each method raises MissingCallError."""

from __future__ import annotations

from typing import Final, final, overload

from rsyscall_ns.handle.confining import TaskNeedsError
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.arrays import UINT64
from rsyscall_ns.near.abi.arch_prctl_h import ARCH, ARCH_SHSTK
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.ids import Address, fit

__all__ = ["ArchPrctl"]

LAST_FEATURE: Final = 63


@final
class ArchPrctl:
    """The options of ``arch_prctl(2)``; MissingCallError on other machines than x86_64."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def _arch(self, option: ARCH, arg: int | Address) -> int:
        word = arg.value if isinstance(arg, Address) else int(arg)
        return await near_process.arch_prctl(self._task.sysif, option, word)

    async def _word(self, option: ARCH, into: Pointer[int] | None) -> int | Pointer[int]:
        """Return a word that the kernel writes."""
        with room(self._task, UINT64, into) as there:
            await self._arch(option, there.address)
            return there.result()

    @overload
    async def get_fs(self) -> Address: ...

    @overload
    async def get_fs(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_fs(self, *, into: Pointer[int] | None = None) -> Address | Pointer[int]:
        """Return the base of the FS segment, a thread's own data. ``arch_prctl(2)``.

        A child that shares our memory has that of our thread, and never uses it.
        """
        found = await self._word(ARCH.GET_FS, into)
        return found if isinstance(found, Pointer) else Address(found)

    @overload
    async def get_gs(self) -> Address: ...

    @overload
    async def get_gs(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_gs(self, *, into: Pointer[int] | None = None) -> Address | Pointer[int]:
        """Return the base of the GS segment. ``arch_prctl(2)``."""
        found = await self._word(ARCH.GET_GS, into)
        return found if isinstance(found, Pointer) else Address(found)

    async def get_cpuid(self) -> bool:
        """Return whether the CPUID instruction can be used. ``arch_prctl(2)``."""
        return bool(await self._arch(ARCH.GET_CPUID, 0))

    async def set_cpuid(self, allowed: bool) -> None:  # noqa: FBT001 - as the manual page has it
        """Set whether the CPUID instruction can be used; else it is SIGSEGV. ``arch_prctl(2)``.

        Exec allows it again. The interpreter's own task can't forbid it: TaskNeedsError. An
        OSError of ENODEV: the processor can't.
        """
        if self._task.sysif.same_thread and not allowed:
            raise TaskNeedsError(self._task, "set_cpuid(False)")
        await self._arch(ARCH.SET_CPUID, allowed)

    @overload
    async def get_xcomp_supp(self) -> int: ...

    @overload
    async def get_xcomp_supp(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_xcomp_supp(self, *, into: Pointer[int] | None = None) -> int | Pointer[int]:
        """Return which states of the processor the kernel knows, as bits. ``arch_prctl(2)``."""
        return await self._word(ARCH.GET_XCOMP_SUPP, into)

    @overload
    async def get_xcomp_perm(self) -> int: ...

    @overload
    async def get_xcomp_perm(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_xcomp_perm(self, *, into: Pointer[int] | None = None) -> int | Pointer[int]:
        """Return which of them the process may use, as bits. ``arch_prctl(2)``."""
        return await self._word(ARCH.GET_XCOMP_PERM, into)

    async def req_xcomp_perm(self, feature: int) -> None:
        """Ask to use one, by its number: 18 is AMX. ``arch_prctl(2)``.

        An OSError of EOPNOTSUPP or EINVAL: the processor has it not, or it need not be asked for.
        """
        await self._arch(ARCH.REQ_XCOMP_PERM, fit("feature", feature, 0, LAST_FEATURE))

    @overload
    async def get_untag_mask(self) -> int: ...

    @overload
    async def get_untag_mask(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_untag_mask(self, *, into: Pointer[int] | None = None) -> int | Pointer[int]:
        """Return which bits of an address count. ``arch_prctl(2)``, Linux 6.4."""
        return await self._word(ARCH.GET_UNTAG_MASK, into)

    @overload
    async def get_max_tag_bits(self) -> int: ...

    @overload
    async def get_max_tag_bits(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_max_tag_bits(self, *, into: Pointer[int] | None = None) -> int | Pointer[int]:
        """Return how many bits of an address may be a tag. ``arch_prctl(2)``, Linux 6.4."""
        return await self._word(ARCH.GET_MAX_TAG_BITS, into)

    @overload
    async def shstk_status(self) -> ARCH_SHSTK: ...

    @overload
    async def shstk_status(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def shstk_status(self, *, into: Pointer[int] | None = None) -> ARCH_SHSTK | Pointer[int]:
        """Return whether return addresses are kept twice. ``arch_prctl(2)``, Linux 6.6.

        It can't be changed here: the server runs without.
        """
        found = await self._word(ARCH.SHSTK_STATUS, into)
        return found if isinstance(found, Pointer) else ARCH_SHSTK(found)
