"""``task.landlock``: sets of rules by which a process restricts itself."""

from __future__ import annotations

import os
from errno import E2BIG, EINVAL, EOPNOTSUPP
from typing import final

import trio

from rsyscall_ns.handle.kinds.landlock import LandlockRulesetFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi.landlock_h import (
    CREATE_RULESET_ERRATA,
    CREATE_RULESET_VERSION,
    LANDLOCK_ACCESS_FS,
    LANDLOCK_ACCESS_NET,
    LANDLOCK_SCOPE,
    LandlockRulesetAttr,
    abi_of,
)
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.errors import RsyscallError

__all__ = ["Landlock", "LandlockDisabledError", "LandlockRightsError"]

NO_FS, NO_NET, NO_SCOPE = LANDLOCK_ACCESS_FS.NONE, LANDLOCK_ACCESS_NET.NONE, LANDLOCK_SCOPE.NONE


class LandlockDisabledError(RsyscallError, OSError):
    """The kernel has Landlock, but was started without it."""

    def __init__(self, task: object) -> None:
        OSError.__init__(
            self,
            EOPNOTSUPP,
            f"{os.strerror(EOPNOTSUPP)} [Landlock in {task}]: the kernel was started without it: "
            "add landlock to its lsm= parameter",
        )


class LandlockRightsError(RsyscallError, OSError):
    """A set of rules can't handle what was asked for."""

    def __init__(self, number: int, attr: LandlockRulesetAttr, known: int | None = None) -> None:
        why = "it would handle nothing"
        if known is not None:
            need = abi_of(attr)
            why = f"this kernel has version {known} of the interface, and it takes {need}"
            if need <= known:
                why = f"{attr} has rights that version {known} of the interface lacks"
        OSError.__init__(self, number, f"{os.strerror(number)} [landlock_create_ruleset(2)]: {why}")


@final
class Landlock:
    """System calls about sets of rules; each has its methods (LandlockRulesetFD)."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def abi_version(self) -> int:
        """Return which version of the interface the kernel has: 7 with Linux 6.18.

        MissingCallError: the kernel lacks Landlock; LandlockDisabledError: it is switched off.
        ``landlock_create_ruleset(2)``.
        """
        return await self._asked(CREATE_RULESET_VERSION)

    async def errata(self) -> int:
        """Return as bits which faults of the kernel's Landlock were mended; 0 where it can't tell.

        ``landlock_create_ruleset(2)``.
        """
        try:
            return await self._asked(CREATE_RULESET_ERRATA)
        except OSError as error:
            if error.errno != EINVAL:
                raise
            return 0

    async def _asked(self, flag: int) -> int:
        try:
            told = await near_host.landlock_create_ruleset(self._task.sysif, None, 0, flag)
        except OSError as error:
            if error.errno == EOPNOTSUPP:
                raise LandlockDisabledError(self._task) from error
            raise
        return told.number

    @trio.lowlevel.enable_ki_protection
    async def create_ruleset(
        self,
        fs: LANDLOCK_ACCESS_FS | Pointer[LandlockRulesetAttr] = NO_FS,
        net: LANDLOCK_ACCESS_NET = NO_NET,
        scoped: LANDLOCK_SCOPE = NO_SCOPE,
    ) -> LandlockRulesetFD:
        """Make a set of rules that handles these rights: what no rule allows is denied then.

        In place of the rights a pointer to the whole struct may be given. Nothing is left out
        silently: rights that the kernel lacks raise LandlockRightsError, which names the version
        of the interface that has them. ``landlock_create_ruleset(2)``.
        """
        task = self._task
        attr: LandlockRulesetAttr | Pointer[LandlockRulesetAttr]
        if isinstance(fs, Pointer):
            attr, shown = fs, fs.peek()
        else:
            attr = shown = LandlockRulesetAttr(fs, net, scoped)
            if not fs | net | scoped:
                raise LandlockRightsError(EINVAL, shown)
        await task.sweep()
        with given(task, attr) as there:
            try:
                made = await near_host.landlock_create_ruleset(
                    task.sysif, there.address, there.size, 0
                )
            except OSError as error:
                if error.errno == EOPNOTSUPP:
                    raise LandlockDisabledError(task) from error
                if error.errno in {E2BIG, EINVAL}:
                    known = await self.abi_version()
                    raise LandlockRightsError(error.errno, shown, known) from error
                raise
            return LandlockRulesetFD(task, made)
