"""MachineCalls: options of prctl about the processor."""

from __future__ import annotations

from typing import Final, overload

from rsyscall_ns.handle.confining import TaskNeedsError, in_child
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.arrays import UINT64
from rsyscall_ns.near.abi.prctl_args import (
    PR_MCE_KILL,
    PR_MTE,
    PR_PAC,
    PR_SHADOW_STACK,
    PR_SME_VL,
    PR_SPEC,
    PR_SPEC_KIND,
    PR_SVE_VL,
    PR_TSC,
)
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.ids import fit

from .prctl_memory import SpaceCalls

__all__ = ["MachineCalls"]

LENGTH_MASK: Final = 0xFFFF  # PR_SVE_VL_LEN_MASK, PR_SME_VL_LEN_MASK
MCE_CLEAR: Final = 0
MCE_SET: Final = 1
PLAIN_SVE: Final = PR_SVE_VL(0)
PLAIN_SME: Final = PR_SME_VL(0)


class MachineCalls(SpaceCalls):
    """Options about the processor. What this one lacks is an OSError of EINVAL."""

    __slots__ = ()

    @overload
    async def get_tsc(self) -> PR_TSC: ...

    @overload
    async def get_tsc(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_tsc(self, *, into: Pointer[int] | None = None) -> PR_TSC | Pointer[int]:
        """Return whether the time stamp counter can be read; only x86. ``prctl(2)``."""
        found = await self._int(PR.GET_TSC, into)
        return found if isinstance(found, Pointer) else PR_TSC(found)

    async def set_tsc(self, tsc: PR_TSC) -> None:
        """Set whether the time stamp counter can be read; only x86. ``prctl(2)``.

        ``PR_TSC.SIGSEGV`` is refused by TaskNeedsError: both a child's server and the interpreter
        read it. An exec'd program inherits it, so it can be set by ``before=``.
        """
        if tsc == PR_TSC.SIGSEGV:
            raise TaskNeedsError(self._task, "set_tsc(PR_TSC.SIGSEGV)")
        await self._prctl(PR.SET_TSC, tsc)

    async def get_speculation_ctrl(self, kind: PR_SPEC_KIND) -> PR_SPEC:
        """Return whether the processor speculates so. ``prctl(2)``.

        An OSError of ENODEV: the kernel does not know.
        """
        return PR_SPEC(await self._prctl(PR.GET_SPECULATION_CTRL, kind))

    async def set_speculation_ctrl(
        self, kind: PR_SPEC_KIND, control: PR_SPEC, *, for_good: bool = False
    ) -> None:
        """Set whether the processor speculates so, for this thread. ``prctl(2)``.

        ``PR_SPEC.FORCE_DISABLE`` can't be taken back: the interpreter's own task must say
        ``for_good``. An OSError of ENXIO: it can't be set; PermissionError: not any more.
        """
        if control & PR_SPEC.FORCE_DISABLE:
            in_child(self._task, "set_speculation_ctrl(FORCE_DISABLE)", for_good=for_good)
        await self._prctl(PR.SET_SPECULATION_CTRL, kind, control)

    async def mce_kill_get(self) -> PR_MCE_KILL:
        """Return when broken memory ends the process. ``prctl(2)``."""
        return PR_MCE_KILL(await self._prctl(PR.MCE_KILL_GET))

    async def mce_kill(self, policy: PR_MCE_KILL) -> None:
        """Set when broken memory ends the process: early, or when it is used. ``prctl(2)``."""
        await self._prctl(PR.MCE_KILL, MCE_SET, policy)

    async def mce_kill_clear(self) -> None:
        """Have it as the system has it by default. ``prctl(2)``."""
        await self._prctl(PR.MCE_KILL, MCE_CLEAR)

    async def sve_get_vl(self) -> tuple[int, PR_SVE_VL]:
        """Return how long vectors are, in bytes, and who inherits that; aarch64. ``prctl(2)``."""
        found = await self._prctl(PR.SVE_GET_VL)
        return found & LENGTH_MASK, PR_SVE_VL(found & ~LENGTH_MASK)

    async def sve_set_vl(self, length: int, flags: PR_SVE_VL = PLAIN_SVE) -> tuple[int, PR_SVE_VL]:
        """Set how long vectors are, in bytes, at most; returns what they are. ``prctl(2)``."""
        wanted = fit("length of vectors", length, 0, LENGTH_MASK) | flags
        found = await self._prctl(PR.SVE_SET_VL, wanted)
        return found & LENGTH_MASK, PR_SVE_VL(found & ~LENGTH_MASK)

    async def sme_get_vl(self) -> tuple[int, PR_SME_VL]:
        """Return how long streaming vectors are, as ``sve_get_vl``. ``prctl(2)``."""
        found = await self._prctl(PR.SME_GET_VL)
        return found & LENGTH_MASK, PR_SME_VL(found & ~LENGTH_MASK)

    async def sme_set_vl(self, length: int, flags: PR_SME_VL = PLAIN_SME) -> tuple[int, PR_SME_VL]:
        """Set how long streaming vectors are, as ``sve_set_vl``. ``prctl(2)``."""
        wanted = fit("length of vectors", length, 0, LENGTH_MASK) | flags
        found = await self._prctl(PR.SME_SET_VL, wanted)
        return found & LENGTH_MASK, PR_SME_VL(found & ~LENGTH_MASK)

    async def pac_get_enabled_keys(self) -> PR_PAC:
        """Return by which keys pointers are signed; aarch64. ``prctl(2)``.

        Neither these nor the keys can be changed here: the server's own return addresses may be
        signed. Exec makes new ones.
        """
        return PR_PAC(await self._prctl(PR.PAC_GET_ENABLED_KEYS))

    async def get_tagged_addr_ctrl(self) -> PR_MTE:
        """Return what tags in addresses mean; aarch64. ``prctl(2)``."""
        return PR_MTE(await self._prctl(PR.GET_TAGGED_ADDR_CTRL))

    async def set_tagged_addr_ctrl(self, control: PR_MTE) -> None:
        """Set what tags in addresses mean; aarch64. ``prctl(2)``."""
        await self._prctl(PR.SET_TAGGED_ADDR_CTRL, control)

    @overload
    async def get_shadow_stack_status(self) -> PR_SHADOW_STACK: ...

    @overload
    async def get_shadow_stack_status(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_shadow_stack_status(
        self, *, into: Pointer[int] | None = None
    ) -> PR_SHADOW_STACK | Pointer[int]:
        """Return whether return addresses are kept twice; aarch64. ``prctl(2)``, Linux 6.13.

        It can't be changed here: the server runs without. For x86_64 see
        ``task.arch_prctl.shstk_status``.
        """
        found = await self._number(UINT64, into, PR.GET_SHADOW_STACK_STATUS)
        return found if isinstance(found, Pointer) else PR_SHADOW_STACK(found)
