"""Capabilities, securebits, personalities, and the options of prctl."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi import prctl_args as args
from rsyscall_ns.near.abi import prctl_elsewhere as elsewhere
from rsyscall_ns.near.abi.auxvec_h import AUXV
from rsyscall_ns.near.abi.capability_h import CAP
from rsyscall_ns.near.abi.personality_h import PERSONALITY
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.securebits_h import SECBIT

HEADERS: Final = (
    "linux/prctl.h",
    "linux/capability.h",
    "linux/securebits.h",
    "linux/personality.h",
    "linux/auxvec.h",
)
ENUMS: Final = {
    "PR_": PR,
    "PR_CAP_AMBIENT_": args.PR_CAP_AMBIENT,
    "PR_ENDIAN_": elsewhere.PR_ENDIAN,
    "PR_FPEMU_": elsewhere.PR_FPEMU,
    "PR_FP_EXC_": elsewhere.PR_FP_EXC,
    "PR_FP_MODE_": elsewhere.PR_FP_MODE,
    "PR_FUTEX_HASH_": args.PR_FUTEX_HASH,
    "PR_MCE_KILL_": args.PR_MCE_KILL,
    "PR_MDWE_": args.PR_MDWE,
    "PR_PAC_": args.PR_PAC,
    "PR_PPC_DEXCR_": elsewhere.PR_PPC_DEXCR,
    "PR_PPC_DEXCR_CTRL_": elsewhere.PR_PPC_DEXCR_CTRL,
    "PR_RISCV_CTX_SW_FENCEI_": elsewhere.PR_RISCV_CTX_SW_FENCEI,
    "PR_RISCV_SCOPE_": elsewhere.PR_RISCV_SCOPE,
    "PR_RISCV_V_VSTATE_CTRL_": elsewhere.PR_RISCV_V_VSTATE_CTRL,
    "PR_SCHED_CORE_": args.PR_SCHED_CORE,
    "PR_SCHED_CORE_SCOPE_": args.PR_SCHED_CORE_SCOPE,
    "PR_SET_MM_": args.PR_SET_MM,
    "PR_SET_VMA_": args.PR_SET_VMA,
    "PR_SHADOW_STACK_": args.PR_SHADOW_STACK,
    "PR_SPEC_": args.PR_SPEC,
    "PR_SYS_DISPATCH_": args.PR_SYS_DISPATCH,
    "PR_THP_DISABLE_": args.PR_THP_DISABLE,
    "PR_TIMER_CREATE_RESTORE_IDS_": args.PR_TIMER_CREATE_RESTORE_IDS,
    "PR_TIMING_": args.PR_TIMING,
    "PR_TSC_": args.PR_TSC,
    "PR_UNALIGN_": elsewhere.PR_UNALIGN,
    "SECBIT_": SECBIT,
    "SYSCALL_DISPATCH_FILTER_": args.SYSCALL_DISPATCH_FILTER,
    "": PERSONALITY,
    "AT_": AUXV,
}
NAMES: Final = {
    **{f"CAP_{cap.name}": cap.number for cap in CAP},
    **{f"PR_SPEC_{kind.name}": int(kind) for kind in args.PR_SPEC_KIND},
    **{f"PR_SVE_VL_{flag}": int(args.PR_SVE_VL[flag]) for flag in ("INHERIT",)},
    **{f"PR_SME_VL_{flag}": int(args.PR_SME_VL[flag]) for flag in ("INHERIT",)},
    "PR_SVE_SET_VL_ONEXEC": args.PR_SVE_VL.ONEXEC,
    "PR_SME_SET_VL_ONEXEC": args.PR_SME_VL.ONEXEC,
    "PR_TAGGED_ADDR_ENABLE": args.PR_MTE.TAGGED_ADDR_ENABLE,
    "PR_MTE_TCF_SYNC": args.PR_MTE.TCF_SYNC,
    "PR_MTE_TCF_ASYNC": args.PR_MTE.TCF_ASYNC,
    "PR_MTE_TCF_MASK": args.PR_MTE.TCF_MASK,
    "PR_MTE_STORE_ONLY": args.PR_MTE.STORE_ONLY,
    "PR_MTE_TAG_MASK": args.PR_MTE.TAG_MASK,
    "PR_SET_PTRACER_ANY": args.SET_PTRACER_ANY - 2**64,  # -1, as C has it
    "CAP_LAST_CAP": max(CAP).number,
}
