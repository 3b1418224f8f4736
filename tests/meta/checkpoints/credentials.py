"""Ids, capabilities, prctl."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    AUXV,
    CAP,
    PR_MCE_KILL,
    PR_MDWE,
    PR_MTE,
    PR_SET_MM,
    PR_SPEC,
    PR_SPEC_KIND,
    PR_TIMING,
    PR_TSC,
    SECBIT,
    SUID_DUMP,
    Capabilities,
    PrctlMmMap,
)
from rsyscall_ns.near.ids import Address

from .memory import mapping
from .world import Call

__all__ = ["REFUSED_IN_INTERPRETER", "TABLE"]

CHOWN: Final = CAP.CHOWN
BYPASS: Final = PR_SPEC_KIND.STORE_BYPASS

IDS: Final[dict[str, Call]] = {
    "Credentials.capget": lambda w: w.task.cred.capget(),
    "Credentials.capset": lambda w: w.task.cred.capset(Capabilities()),
    "IdCalls.getgroups": lambda w: w.task.cred.getgroups(),
    "IdCalls.getresgid": lambda w: w.task.cred.getresgid(),
    "IdCalls.getresuid": lambda w: w.task.cred.getresuid(),
    "IdCalls.setfsgid": lambda w: w.task.cred.setfsgid(),
    "IdCalls.setfsuid": lambda w: w.task.cred.setfsuid(),
    "IdCalls.setgid": lambda w: w.task.cred.setgid(0),
    "IdCalls.setgroups": lambda w: w.task.cred.setgroups([]),
    "IdCalls.setregid": lambda w: w.task.cred.setregid(),
    "IdCalls.setresgid": lambda w: w.task.cred.setresgid(),
    "IdCalls.setresuid": lambda w: w.task.cred.setresuid(),
    "IdCalls.setreuid": lambda w: w.task.cred.setreuid(),
    "IdCalls.setuid": lambda w: w.task.cred.setuid(0),
    "ProcessHandle.capget": lambda w: w.any_process.capget(),
}
RIGHTS: Final[dict[str, Call]] = {
    "RightsCalls.cap_ambient_clear_all": lambda w: w.task.prctl.cap_ambient_clear_all(),
    "RightsCalls.cap_ambient_is_set": lambda w: w.task.prctl.cap_ambient_is_set(CHOWN),
    "RightsCalls.cap_ambient_lower": lambda w: w.task.prctl.cap_ambient_lower(CHOWN),
    "RightsCalls.cap_ambient_raise": lambda w: w.task.prctl.cap_ambient_raise(CHOWN),
    "RightsCalls.capbset_drop": lambda w: w.task.prctl.capbset_drop(CHOWN),
    "RightsCalls.capbset_read": lambda w: w.task.prctl.capbset_read(CHOWN),
    "RightsCalls.get_dumpable": lambda w: w.task.prctl.get_dumpable(),
    "RightsCalls.get_keepcaps": lambda w: w.task.prctl.get_keepcaps(),
    "RightsCalls.get_no_new_privs": lambda w: w.task.prctl.get_no_new_privs(),
    "RightsCalls.get_pdeathsig": lambda w: w.task.prctl.get_pdeathsig(),
    "RightsCalls.get_seccomp": lambda w: w.task.prctl.get_seccomp(),
    "RightsCalls.get_securebits": lambda w: w.task.prctl.get_securebits(),
    "RightsCalls.set_dumpable": lambda w: w.task.prctl.set_dumpable(SUID_DUMP.USER),
    "RightsCalls.set_keepcaps": lambda w: w.task.prctl.set_keepcaps(False),
    "RightsCalls.set_no_new_privs": lambda w: w.task.prctl.set_no_new_privs(),
    "RightsCalls.set_pdeathsig": lambda w: w.task.prctl.set_pdeathsig(9),
    "RightsCalls.set_ptracer": lambda w: w.task.prctl.set_ptracer(w.any_process),
    "RightsCalls.set_ptracer_any": lambda w: w.task.prctl.set_ptracer_any(),
    "RightsCalls.set_securebits": lambda w: w.task.prctl.set_securebits(SECBIT.NONE),
}
MACHINE: Final[dict[str, Call]] = {
    "ArchPrctl.get_cpuid": lambda w: w.task.arch_prctl.get_cpuid(),
    "ArchPrctl.get_fs": lambda w: w.task.arch_prctl.get_fs(),
    "ArchPrctl.get_gs": lambda w: w.task.arch_prctl.get_gs(),
    "ArchPrctl.get_max_tag_bits": lambda w: w.task.arch_prctl.get_max_tag_bits(),
    "ArchPrctl.get_untag_mask": lambda w: w.task.arch_prctl.get_untag_mask(),
    "ArchPrctl.get_xcomp_perm": lambda w: w.task.arch_prctl.get_xcomp_perm(),
    "ArchPrctl.get_xcomp_supp": lambda w: w.task.arch_prctl.get_xcomp_supp(),
    "ArchPrctl.req_xcomp_perm": lambda w: w.task.arch_prctl.req_xcomp_perm(63),
    "ArchPrctl.set_cpuid": lambda w: w.task.arch_prctl.set_cpuid(True),
    "ArchPrctl.shstk_status": lambda w: w.task.arch_prctl.shstk_status(),
    "MachineCalls.get_shadow_stack_status": lambda w: w.task.prctl.get_shadow_stack_status(),
    "MachineCalls.get_speculation_ctrl": lambda w: w.task.prctl.get_speculation_ctrl(BYPASS),
    "MachineCalls.get_tagged_addr_ctrl": lambda w: w.task.prctl.get_tagged_addr_ctrl(),
    "MachineCalls.get_tsc": lambda w: w.task.prctl.get_tsc(),
    "MachineCalls.mce_kill": lambda w: w.task.prctl.mce_kill(PR_MCE_KILL.DEFAULT),
    "MachineCalls.mce_kill_clear": lambda w: w.task.prctl.mce_kill_clear(),
    "MachineCalls.mce_kill_get": lambda w: w.task.prctl.mce_kill_get(),
    "MachineCalls.pac_get_enabled_keys": lambda w: w.task.prctl.pac_get_enabled_keys(),
    "MachineCalls.set_speculation_ctrl": lambda w: w.task.prctl.set_speculation_ctrl(
        BYPASS, PR_SPEC.ENABLE
    ),
    "MachineCalls.set_tagged_addr_ctrl": lambda w: w.task.prctl.set_tagged_addr_ctrl(PR_MTE(0)),
    "MachineCalls.set_tsc": lambda w: w.task.prctl.set_tsc(PR_TSC.ENABLE),
    "MachineCalls.sme_get_vl": lambda w: w.task.prctl.sme_get_vl(),
    "MachineCalls.sme_set_vl": lambda w: w.task.prctl.sme_set_vl(16),
    "MachineCalls.sve_get_vl": lambda w: w.task.prctl.sve_get_vl(),
    "MachineCalls.sve_set_vl": lambda w: w.task.prctl.sve_set_vl(16),
}
SPACE: Final[dict[str, Call]] = {
    "SpaceCalls.futex_hash_get_slots": lambda w: w.task.prctl.futex_hash_get_slots(),
    "SpaceCalls.futex_hash_set_slots": lambda w: w.task.prctl.futex_hash_set_slots(16),
    "SpaceCalls.get_auxv": lambda w: w.task.prctl.get_auxv(),
    "SpaceCalls.get_mdwe": lambda w: w.task.prctl.get_mdwe(),
    "SpaceCalls.get_memory_merge": lambda w: w.task.prctl.get_memory_merge(),
    "SpaceCalls.get_thp_disable": lambda w: w.task.prctl.get_thp_disable(),
    "SpaceCalls.get_tid_address": lambda w: w.task.prctl.get_tid_address(),
    "SpaceCalls.set_mdwe": lambda w: w.task.prctl.set_mdwe(PR_MDWE(0), for_good=True),
    "SpaceCalls.set_memory_merge": lambda w: w.task.prctl.set_memory_merge(False),
    "SpaceCalls.set_mm": lambda w: w.task.prctl.set_mm(PR_SET_MM.ARG_START, Address(0)),
    "SpaceCalls.set_mm_auxv": lambda w: w.task.prctl.set_mm_auxv({AUXV.UID: 0}),
    "SpaceCalls.set_mm_exe_file": lambda w: w.task.prctl.set_mm_exe_file(w.file),
    "SpaceCalls.set_mm_map": lambda w: w.task.prctl.set_mm_map(PrctlMmMap()),
    "SpaceCalls.set_mm_map_size": lambda w: w.task.prctl.set_mm_map_size(),
    "SpaceCalls.set_thp_disable": lambda w: w.task.prctl.set_thp_disable(False),
    "SpaceCalls.set_vma_anon_name": lambda w: w.task.prctl.set_vma_anon_name(mapping(w), "mine"),
}
REST: Final[dict[str, Call]] = {
    "Prctl.get_child_subreaper": lambda w: w.task.prctl.get_child_subreaper(),
    "Prctl.get_io_flusher": lambda w: w.task.prctl.get_io_flusher(),
    "Prctl.get_name": lambda w: w.task.prctl.get_name(),
    "Prctl.get_timerslack": lambda w: w.task.prctl.get_timerslack(),
    "Prctl.get_timing": lambda w: w.task.prctl.get_timing(),
    "Prctl.personality": lambda w: w.task.prctl.personality(),
    "Prctl.sched_core_create": lambda w: w.task.prctl.sched_core_create(),
    "Prctl.sched_core_get": lambda w: w.task.prctl.sched_core_get(),
    "Prctl.sched_core_share_from": lambda w: w.task.prctl.sched_core_share_from(w.any_process),
    "Prctl.sched_core_share_to": lambda w: w.task.prctl.sched_core_share_to(w.any_process),
    "Prctl.set_child_subreaper": lambda w: w.task.prctl.set_child_subreaper(False),
    "Prctl.set_io_flusher": lambda w: w.task.prctl.set_io_flusher(False),
    "Prctl.set_name": lambda w: w.task.prctl.set_name("a"),
    "Prctl.set_syscall_user_dispatch_off": (lambda w: w.task.prctl.set_syscall_user_dispatch_off()),
    "Prctl.set_syscall_user_dispatch_on": (
        lambda w: w.task.prctl.set_syscall_user_dispatch_on(w.pointer)
    ),
    "Prctl.set_timerslack": lambda w: w.task.prctl.set_timerslack(0),
    "Prctl.set_timing": lambda w: w.task.prctl.set_timing(PR_TIMING.STATISTICAL),
    "Prctl.task_perf_events_disable": lambda w: w.task.prctl.task_perf_events_disable(),
    "Prctl.task_perf_events_enable": lambda w: w.task.prctl.task_perf_events_enable(),
    "Prctl.timer_create_restore_ids_get": lambda w: w.task.prctl.timer_create_restore_ids_get(),
    "Prctl.timer_create_restore_ids_off": lambda w: w.task.prctl.timer_create_restore_ids_off(),
    "Prctl.timer_create_restore_ids_on": lambda w: w.task.prctl.timer_create_restore_ids_on(),
}
TABLE: Final[dict[str, Call]] = IDS | RIGHTS | MACHINE | SPACE | REST
REFUSED_IN_INTERPRETER: Final = frozenset(
    {
        "Credentials.capset",
        "IdCalls.setgid",
        "IdCalls.setgroups",
        "IdCalls.setregid",
        "IdCalls.setresgid",
        "IdCalls.setresuid",
        "IdCalls.setreuid",
        "IdCalls.setuid",
        "RightsCalls.cap_ambient_clear_all",
        "RightsCalls.cap_ambient_lower",
        "RightsCalls.cap_ambient_raise",
        "RightsCalls.capbset_drop",
        "RightsCalls.set_keepcaps",
        "RightsCalls.set_no_new_privs",
        "RightsCalls.set_securebits",
    }
)
