"""``<linux/prctl.h>``: what the arguments of prctl's options may be, on our machines."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, u32, u64

__all__ = [
    "PR_CAP_AMBIENT",
    "PR_FUTEX_HASH",
    "PR_MCE_KILL",
    "PR_MDWE",
    "PR_MTE",
    "PR_PAC",
    "PR_SCHED_CORE",
    "PR_SCHED_CORE_SCOPE",
    "PR_SET_MM",
    "PR_SET_VMA",
    "PR_SHADOW_STACK",
    "PR_SME_VL",
    "PR_SPEC",
    "PR_SPEC_KIND",
    "PR_SVE_VL",
    "PR_SYS_DISPATCH",
    "PR_THP_DISABLE",
    "PR_TIMER_CREATE_RESTORE_IDS",
    "PR_TIMING",
    "PR_TSC",
    "SET_PTRACER_ANY",
    "SUID_DUMP",
    "SYSCALL_DISPATCH_FILTER",
    "TASK_COMM_LEN",
    "PrctlMmMap",
]

SET_PTRACER_ANY: Final = 2**64 - 1
TASK_COMM_LEN: Final = 16  # bytes, the NUL at the end included


class SUID_DUMP(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``SUID_DUMP_*``: who may read the memory, and whether it is dumped."""

    DISABLE = 0
    USER = 1
    ROOT = 2


class PR_TIMING(IntEnum):  # noqa: N801 - as above
    """``PR_TIMING_*``: how processor time is counted."""

    STATISTICAL = 0
    TIMESTAMP = 1


class PR_TSC(IntEnum):  # noqa: N801 - as above
    """``PR_TSC_*``: whether the time stamp counter can be read."""

    ENABLE = 1
    SIGSEGV = 2


class PR_MCE_KILL(IntEnum):  # noqa: N801 - as above
    """``PR_MCE_KILL_*``: when broken memory ends the process."""

    LATE = 0
    EARLY = 1
    DEFAULT = 2


class PR_SET_MM(IntEnum):  # noqa: N801 - as above
    """``PR_SET_MM_*``: what the kernel remembers of an address space."""

    START_CODE = 1
    END_CODE = 2
    START_DATA = 3
    END_DATA = 4
    START_STACK = 5
    START_BRK = 6
    BRK = 7
    ARG_START = 8
    ARG_END = 9
    ENV_START = 10
    ENV_END = 11
    AUXV = 12
    EXE_FILE = 13
    MAP = 14
    MAP_SIZE = 15


class PR_CAP_AMBIENT(IntEnum):  # noqa: N801 - as above
    """``PR_CAP_AMBIENT_*``: what is done with the ambient set."""

    IS_SET = 1
    RAISE = 2
    LOWER = 3
    CLEAR_ALL = 4


class PR_SVE_VL(IntFlag):  # noqa: N801 - as above
    """``PR_SVE_VL_*``, ``PR_SVE_SET_VL_ONEXEC``: beside the length of vectors, of aarch64."""

    INHERIT = 1 << 17
    ONEXEC = 1 << 18


class PR_SME_VL(IntFlag):  # noqa: N801 - as above
    """``PR_SME_VL_*``, ``PR_SME_SET_VL_ONEXEC``: the same for streaming vectors."""

    INHERIT = 1 << 17
    ONEXEC = 1 << 18


class PR_SPEC_KIND(IntEnum):  # noqa: N801 - as above
    """``PR_SPEC_*``: a way in which the processor speculates."""

    STORE_BYPASS = 0
    INDIRECT_BRANCH = 1
    L1D_FLUSH = 2


class PR_SPEC(IntFlag):  # noqa: N801 - as above
    """``PR_SPEC_*``: whether it does, and whether that can be set."""

    NOT_AFFECTED = 0
    PRCTL = 1
    ENABLE = 2
    DISABLE = 4
    FORCE_DISABLE = 8
    DISABLE_NOEXEC = 16


class PR_PAC(IntFlag):  # noqa: N801 - as above
    """``PR_PAC_*``: keys that pointers are signed with, of aarch64."""

    APIAKEY = 1
    APIBKEY = 2
    APDAKEY = 4
    APDBKEY = 8
    APGAKEY = 16


class PR_MTE(IntFlag):  # noqa: N801 - as above
    """``PR_TAGGED_ADDR_ENABLE``, ``PR_MTE_*``: tagged addresses, of aarch64.

    The tags that are left out are above, from ``TAG_SHIFT`` on.
    """

    TAGGED_ADDR_ENABLE = 1
    TCF_SYNC = 2
    TCF_ASYNC = 4
    TCF_MASK = 6
    STORE_ONLY = 1 << 19
    TAG_MASK = 0xFFFF << 3


class PR_SYS_DISPATCH(IntEnum):  # noqa: N801 - as above
    """``PR_SYS_DISPATCH_*``: whether system calls come back as signals, and which."""

    OFF = 0
    EXCLUSIVE_ON = 1
    INCLUSIVE_ON = 2
    ON = 1


class SYSCALL_DISPATCH_FILTER(IntEnum):  # noqa: N801 - as above
    """``SYSCALL_DISPATCH_FILTER_*``: what the selector's byte may be."""

    ALLOW = 0
    BLOCK = 1


class PR_SCHED_CORE(IntEnum):  # noqa: N801 - as above
    """``PR_SCHED_CORE_*``: what is done with a core-scheduling cookie."""

    GET = 0
    CREATE = 1
    SHARE_TO = 2
    SHARE_FROM = 3


class PR_SCHED_CORE_SCOPE(IntEnum):  # noqa: N801 - as above
    """``PR_SCHED_CORE_SCOPE_*``: whom a cookie is for."""

    THREAD = 0
    THREAD_GROUP = 1
    PROCESS_GROUP = 2


class PR_MDWE(IntFlag):  # noqa: N801 - as above
    """``PR_MDWE_*``: memory that was writable never becomes executable."""

    REFUSE_EXEC_GAIN = 1
    NO_INHERIT = 2


class PR_SET_VMA(IntEnum):  # noqa: N801 - as above
    """``PR_SET_VMA_*``: what is set of a mapping."""

    ANON_NAME = 0


class PR_SHADOW_STACK(IntFlag):  # noqa: N801 - as above
    """``PR_SHADOW_STACK_*``: a second stack of return addresses, of aarch64."""

    NONE = 0
    ENABLE = 1
    WRITE = 2
    PUSH = 4


class PR_TIMER_CREATE_RESTORE_IDS(IntEnum):  # noqa: N801 - as above
    """``PR_TIMER_CREATE_RESTORE_IDS_*``: whether new timers get the id that is asked for."""

    OFF = 0
    ON = 1
    GET = 2


class PR_FUTEX_HASH(IntEnum):  # noqa: N801 - as above
    """``PR_FUTEX_HASH_*``: what is done with the process's own table of futexes."""

    SET_SLOTS = 1
    GET_SLOTS = 2


class PR_THP_DISABLE(IntFlag):  # noqa: N801 - as above
    """``PR_THP_DISABLE_*``: where huge pages are left all the same."""

    NONE = 0
    EXCEPT_ADVISED = 2


@c_struct
class PrctlMmMap(CStruct):
    """``struct prctl_mm_map``: all that the kernel remembers of an address space.

    ``auxv`` and ``auxv_size``: where a new auxiliary vector is; ``exe_fd``: the number of an fd of
    the new program file, -1 keeps it.
    """

    C_NAME: ClassVar = "struct prctl_mm_map"
    C_HEADER: ClassVar = "linux/prctl.h"
    start_code: int = u64()
    end_code: int = u64()
    start_data: int = u64()
    end_data: int = u64()
    start_brk: int = u64()
    brk: int = u64()
    start_stack: int = u64()
    arg_start: int = u64()
    arg_end: int = u64()
    env_start: int = u64()
    env_end: int = u64()
    auxv: int = u64()
    auxv_size: int = u32()
    exe_fd: int = u32()
