"""LandlockRulesetFD: a set of rules that restricts whoever takes it."""

from __future__ import annotations

from typing import ClassVar, final, overload

from rsyscall_ns.handle.confining import gave_up, in_child, set_no_new_privs
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.passing import given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi.landlock_h import (
    LANDLOCK_ACCESS_FS,
    LANDLOCK_ACCESS_NET,
    LANDLOCK_RESTRICT_SELF,
    LANDLOCK_RULE,
    LandlockNetPortAttr,
    LandlockPathBeneathAttr,
)
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.ids import fit

__all__ = ["LandlockRulesetFD"]

LARGEST_PORT = 65535
NO_FLAG = LANDLOCK_RESTRICT_SELF.NONE
Rule = LandlockPathBeneathAttr | LandlockNetPortAttr


@final
class LandlockRulesetFD(FileDescriptor):
    """What ``task.landlock.create_ruleset`` gives."""

    __slots__ = ()
    kind: ClassVar[str] = "landlock ruleset"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a set of rules, as ``/proc`` shows it."""
        await check_link(fd, cls.__name__, "anon_inode:[landlock-ruleset]")

    async def add_path_beneath(self, parent: FileDescriptor, allowed: LANDLOCK_ACCESS_FS) -> None:
        """Allow this much below a directory of this task, or on a file; ``O.PATH`` is enough.

        Rights that the set does not handle, or that are for directories only while this is a
        file, are an OSError of EINVAL. ``landlock_add_rule(2)``, LANDLOCK_RULE_PATH_BENEATH.
        """
        with parent.borrow(self.task) as near_id:
            rule = LandlockPathBeneathAttr(allowed, near_id.number)
            await self.add_rule(LANDLOCK_RULE.PATH_BENEATH, rule)

    async def add_net_port(self, port: int, allowed: LANDLOCK_ACCESS_NET) -> None:
        """Allow this much on a TCP port; 0 to bind is any that the kernel picks.

        ``landlock_add_rule(2)``, LANDLOCK_RULE_NET_PORT.
        """
        fit("port", port, 0, LARGEST_PORT)
        await self.add_rule(LANDLOCK_RULE.NET_PORT, LandlockNetPortAttr(allowed, port))

    @overload
    async def add_rule(self, rule_type: LANDLOCK_RULE, rule: Rule) -> None: ...

    @overload
    async def add_rule(
        self,
        rule_type: LANDLOCK_RULE,
        rule: Pointer[LandlockPathBeneathAttr] | Pointer[LandlockNetPortAttr],
    ) -> None: ...

    async def add_rule(
        self,
        rule_type: LANDLOCK_RULE,
        rule: Rule | Pointer[LandlockPathBeneathAttr] | Pointer[LandlockNetPortAttr],
    ) -> None:
        """Add a rule whose struct is given, with the number of an fd in it. The others are easier.

        ``landlock_add_rule(2)``.
        """
        with self.borrow() as near_id, given(self.task, rule) as there:
            await near_host.landlock_add_rule(self.task.sysif, near_id, rule_type, there.address, 0)

    async def restrict_self(
        self,
        flags: LANDLOCK_RESTRICT_SELF = NO_FLAG,
        *,
        no_new_privs: bool = True,
        for_good: bool = False,
    ) -> None:
        """Restrict the task, and what it becomes and starts, for good.

        ``no_new_privs``: set that first; without it CAP_SYS_ADMIN is needed. The interpreter's
        own task is refused unless ``for_good`` says that it is meant; then the calling thread
        only is restricted. Fds that are open stay usable. ``landlock_restrict_self(2)``.
        """
        in_child(self.task, "restricting itself", for_good=for_good)
        with self.borrow() as near_id:
            if no_new_privs:
                await set_no_new_privs(self.task)
            await near_host.landlock_restrict_self(self.task.sysif, near_id, flags)
        gave_up(self.task)
