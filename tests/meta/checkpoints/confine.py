"""Filters, rules and security modules."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    LANDLOCK_ACCESS_FS,
    LANDLOCK_ACCESS_NET,
    LANDLOCK_RULE,
    LSM_ATTR,
    SECCOMP_RET,
    SECCOMP_USER_NOTIF_FD,
    LandlockNetPortAttr,
    LandlockRulesetFD,
    LsmCtx,
    SeccompNotifyFD,
    filter_calls,
)

from .world import Call

__all__ = ["TABLE"]

NOTHING: Final = filter_calls({})
READ: Final = LANDLOCK_ACCESS_FS.READ_FILE
PORT: Final = LandlockNetPortAttr(LANDLOCK_ACCESS_NET.BIND_TCP, 1)

TABLE: Final[dict[str, Call]] = {
    "Landlock.abi_version": lambda w: w.task.landlock.abi_version(),
    "Landlock.create_ruleset": lambda w: w.task.landlock.create_ruleset(READ),
    "Landlock.errata": lambda w: w.task.landlock.errata(),
    "LandlockRulesetFD.add_net_port": lambda w: w.of_kind(LandlockRulesetFD).add_net_port(
        1, LANDLOCK_ACCESS_NET.BIND_TCP
    ),
    "LandlockRulesetFD.add_path_beneath": lambda w: w.of_kind(LandlockRulesetFD).add_path_beneath(
        w.file, READ
    ),
    "LandlockRulesetFD.add_rule": lambda w: w.of_kind(LandlockRulesetFD).add_rule(
        LANDLOCK_RULE.NET_PORT, PORT
    ),
    "LandlockRulesetFD.check_kind": lambda w: LandlockRulesetFD.check_kind(w.file),
    "LandlockRulesetFD.restrict_self": lambda w: w.of_kind(LandlockRulesetFD).restrict_self(),
    "Seccomp.get_action_avail": lambda w: w.task.seccomp.get_action_avail(SECCOMP_RET.ALLOW),
    "Seccomp.get_notif_sizes": lambda w: w.task.seccomp.get_notif_sizes(),
    "Seccomp.new_listener": lambda w: w.task.seccomp.new_listener(NOTHING),
    "Seccomp.set_mode_filter": lambda w: w.task.seccomp.set_mode_filter(NOTHING),
    "SeccompNotifyFD.addfd": lambda w: w.of_kind(SeccompNotifyFD).addfd(1, w.file),
    "SeccompNotifyFD.check_kind": lambda w: SeccompNotifyFD.check_kind(w.file),
    "SeccompNotifyFD.id_valid": lambda w: w.of_kind(SeccompNotifyFD).id_valid(1),
    "SeccompNotifyFD.recv": lambda w: w.of_kind(SeccompNotifyFD).recv(),
    "SeccompNotifyFD.send": lambda w: w.of_kind(SeccompNotifyFD).send(1),
    "SeccompNotifyFD.set_flags": lambda w: w.of_kind(SeccompNotifyFD).set_flags(
        SECCOMP_USER_NOTIF_FD.NONE
    ),
    "SecurityModules.get_self_attr": lambda w: w.task.lsm.get_self_attr(LSM_ATTR.CURRENT),
    "SecurityModules.list_modules": lambda w: w.task.lsm.list_modules(),
    "SecurityModules.set_self_attr": lambda w: w.task.lsm.set_self_attr(
        LSM_ATTR.CURRENT, LsmCtx(1, b"")
    ),
}
