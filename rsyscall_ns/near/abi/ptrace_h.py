"""``<linux/ptrace.h>``: what a tracer asks, and what it is told."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.values import value

from .layout import CStruct, c_struct, i32, i64, u8, u16, u32, u64
from .signal_h import SIG

__all__ = ["NT", "PTRACE", "PTRACE_EVENT", "PTRACE_O", "PTRACE_SYSCALL_INFO", "AnySyscallInfo"]
__all__ += ["PEEKSIGINFO_SHARED", "PtracePeeksiginfoArgs", "PtraceSyscallEntry"]
__all__ += ["PtraceSyscallExit", "PtraceSyscallNone", "PtraceSyscallSeccomp", "TraceStop"]
__all__ += ["syscall_info_of"]

PEEKSIGINFO_SHARED: Final = 1
EVENT_SHIFT: Final = 8
SYSCALL_BIT: Final = 0x80


class PTRACE(IntEnum):
    """``PTRACE_*``: the requests that both machines have (``ptrace(2)``)."""

    TRACEME = 0
    PEEKTEXT = 1
    PEEKDATA = 2
    PEEKUSR = 3
    POKETEXT = 4
    POKEDATA = 5
    POKEUSR = 6
    CONT = 7
    KILL = 8
    SINGLESTEP = 9
    ATTACH = 16
    DETACH = 17
    SYSCALL = 24
    SYSEMU = 31
    SYSEMU_SINGLESTEP = 32
    SETOPTIONS = 0x4200
    GETEVENTMSG = 0x4201
    GETSIGINFO = 0x4202
    SETSIGINFO = 0x4203
    GETREGSET = 0x4204
    SETREGSET = 0x4205
    SEIZE = 0x4206
    INTERRUPT = 0x4207
    LISTEN = 0x4208
    PEEKSIGINFO = 0x4209
    GETSIGMASK = 0x420A
    SETSIGMASK = 0x420B
    SECCOMP_GET_FILTER = 0x420C
    SECCOMP_GET_METADATA = 0x420D
    GET_SYSCALL_INFO = 0x420E
    GET_RSEQ_CONFIGURATION = 0x420F
    SET_SYSCALL_USER_DISPATCH_CONFIG = 0x4210
    GET_SYSCALL_USER_DISPATCH_CONFIG = 0x4211
    SET_SYSCALL_INFO = 0x4212


class PTRACE_EVENT(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``PTRACE_EVENT_*``: why a traced thread has stopped (``ptrace(2)``)."""

    FORK = 1
    VFORK = 2
    CLONE = 3
    EXEC = 4
    VFORK_DONE = 5
    EXIT = 6
    SECCOMP = 7
    STOP = 128


class PTRACE_O(IntFlag):  # noqa: N801 - the manual page's own prefix
    """``PTRACE_O_*``: at what a traced thread stops, and more (``ptrace(2)``)."""

    NONE = 0
    TRACESYSGOOD = 1
    TRACEFORK = 2
    TRACEVFORK = 4
    TRACECLONE = 8
    TRACEEXEC = 0x10
    TRACEVFORKDONE = 0x20
    TRACEEXIT = 0x40
    TRACESECCOMP = 0x80
    EXITKILL = 0x100000
    SUSPEND_SECCOMP = 0x200000


class PTRACE_SYSCALL_INFO(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``PTRACE_SYSCALL_INFO_*``: where of a system call a traced thread is."""

    NONE = 0
    ENTRY = 1
    EXIT = 2
    SECCOMP = 3


class NT(IntEnum):
    """``NT_*``: which registers of a thread (``ptrace(2)``, ``<elf.h>``)."""

    PRSTATUS = 1
    PRFPREG = 2
    TLS_386 = 0x200
    IOPERM_386 = 0x201
    X86_XSTATE = 0x202
    X86_SHSTK = 0x204
    ARM_TLS = 0x401
    ARM_HW_BREAK = 0x402
    ARM_HW_WATCH = 0x403
    ARM_SYSTEM_CALL = 0x404
    ARM_SVE = 0x405
    ARM_PAC_MASK = 0x406
    ARM_PACA_KEYS = 0x407
    ARM_PACG_KEYS = 0x408
    ARM_TAGGED_ADDR_CTRL = 0x409
    ARM_PAC_ENABLED_KEYS = 0x40A
    ARM_SSVE = 0x40B
    ARM_ZA = 0x40C
    ARM_ZT = 0x40D
    ARM_FPMR = 0x40E
    ARM_POE = 0x40F
    ARM_GCS = 0x410


NONE, ENTRY = PTRACE_SYSCALL_INFO.NONE, PTRACE_SYSCALL_INFO.ENTRY
EXIT, SECCOMP = PTRACE_SYSCALL_INFO.EXIT, PTRACE_SYSCALL_INFO.SECCOMP


@c_struct
class PtracePeeksiginfoArgs(CStruct):
    """``struct ptrace_peeksiginfo_args``: which of the pending signals; flags 1: the process's."""

    C_NAME: ClassVar = "struct __ptrace_peeksiginfo_args"
    C_HEADER: ClassVar = "sys/ptrace.h"
    off: int = u64()
    flags: int = u32()
    nr: int = i32()


@c_struct
class PtraceSyscallNone(CStruct):
    """``struct ptrace_syscall_info`` of a stop that is not at a system call."""

    C_NAME: ClassVar = "struct ptrace_syscall_info"
    C_HEADER: ClassVar = "sys/types.h linux/ptrace.h"
    NEWER: ClassVar = frozenset({"flags"})
    op: PTRACE_SYSCALL_INFO = u8(PTRACE_SYSCALL_INFO, default=NONE, then=1)
    flags: int = u16()
    arch: int = u32()
    instruction_pointer: int = u64()
    stack_pointer: int = u64(then=64)


@c_struct
class PtraceSyscallEntry(CStruct):
    """``struct ptrace_syscall_info`` where a system call begins."""

    C_NAME: ClassVar = "struct ptrace_syscall_info"
    C_HEADER: ClassVar = "sys/types.h linux/ptrace.h"
    NEWER: ClassVar = frozenset({"flags"})
    op: PTRACE_SYSCALL_INFO = u8(PTRACE_SYSCALL_INFO, default=ENTRY, then=1)
    flags: int = u16()
    arch: int = u32()
    instruction_pointer: int = u64()
    stack_pointer: int = u64()
    nr: int = u64(c_name="entry.nr")
    arg0: int = u64(c_name="entry.args[0]")
    arg1: int = u64(c_name="entry.args[1]")
    arg2: int = u64(c_name="entry.args[2]")
    arg3: int = u64(c_name="entry.args[3]")
    arg4: int = u64(c_name="entry.args[4]")
    arg5: int = u64(c_name="entry.args[5]", then=8)

    @property
    def args(self) -> tuple[int, ...]:
        """All six arguments."""
        return (self.arg0, self.arg1, self.arg2, self.arg3, self.arg4, self.arg5)


@c_struct
class PtraceSyscallExit(CStruct):
    """``struct ptrace_syscall_info`` where a system call has ended; an error is negative."""

    C_NAME: ClassVar = "struct ptrace_syscall_info"
    C_HEADER: ClassVar = "sys/types.h linux/ptrace.h"
    NEWER: ClassVar = frozenset({"flags"})
    op: PTRACE_SYSCALL_INFO = u8(PTRACE_SYSCALL_INFO, default=EXIT, then=1)
    flags: int = u16()
    arch: int = u32()
    instruction_pointer: int = u64()
    stack_pointer: int = u64()
    rval: int = i64(c_name="exit.rval")
    is_error: int = u8(c_name="exit.is_error", then=55)


@c_struct
class PtraceSyscallSeccomp(CStruct):
    """``struct ptrace_syscall_info`` where a filter has said ``SECCOMP_RET_TRACE``."""

    C_NAME: ClassVar = "struct ptrace_syscall_info"
    C_HEADER: ClassVar = "sys/types.h linux/ptrace.h"
    NEWER: ClassVar = frozenset({"flags"})
    op: PTRACE_SYSCALL_INFO = u8(PTRACE_SYSCALL_INFO, default=SECCOMP, then=1)
    flags: int = u16()
    arch: int = u32()
    instruction_pointer: int = u64()
    stack_pointer: int = u64()
    nr: int = u64(c_name="seccomp.nr")
    arg0: int = u64(c_name="seccomp.args[0]")
    arg1: int = u64(c_name="seccomp.args[1]")
    arg2: int = u64(c_name="seccomp.args[2]")
    arg3: int = u64(c_name="seccomp.args[3]")
    arg4: int = u64(c_name="seccomp.args[4]")
    arg5: int = u64(c_name="seccomp.args[5]")
    ret_data: int = u32(c_name="seccomp.ret_data", then=4)

    @property
    def args(self) -> tuple[int, ...]:
        """All six arguments."""
        return (self.arg0, self.arg1, self.arg2, self.arg3, self.arg4, self.arg5)


@value
class TraceStop:
    """A traced thread has stopped, and waits for its tracer.

    ``signal``: which signal it was to get, or has stopped by. ``event``: why, if by no signal;
    with ``PTRACE_EVENT.STOP`` a signal other than SIGTRAP is that of a group that has stopped.
    ``syscall``: it is where a system call begins or ends.
    """

    signal: int
    event: PTRACE_EVENT | None = None
    syscall: bool = False

    @classmethod
    def of(cls, status: int) -> TraceStop:
        """Return what waitid's ``si_status`` says."""
        event, signal = status >> EVENT_SHIFT, status & 0xFF
        if event:
            return cls(signal, PTRACE_EVENT(event))
        if signal & SYSCALL_BIT:
            return cls(signal & ~SYSCALL_BIT, None, syscall=True)
        return cls(signal)

    @property
    def delivers(self) -> int:
        """The signal that it gets when it goes on, 0 for none. SIGTRAP is taken for a stop's."""
        told = self.event is not None or self.syscall or self.signal == SIG.TRAP
        return 0 if told else self.signal


AnySyscallInfo = PtraceSyscallNone | PtraceSyscallEntry | PtraceSyscallExit | PtraceSyscallSeccomp
_FORMS: Final[dict[int, type[AnySyscallInfo]]] = {
    NONE: PtraceSyscallNone,
    ENTRY: PtraceSyscallEntry,
    EXIT: PtraceSyscallExit,
    SECCOMP: PtraceSyscallSeccomp,
}


def syscall_info_of(data: bytes) -> AnySyscallInfo:
    """Return what a ``struct ptrace_syscall_info`` tells; what it lacks at its end is 0."""
    size = PtraceSyscallNone.sizeof()
    if not data or len(data) > size:
        raise SerializerError("struct ptrace_syscall_info", size, len(data))
    form = _FORMS.get(data[0])
    if form is None:
        raise SerializerError.malformed("struct ptrace_syscall_info", f"has the op {data[0]}")
    return form.unpack(data.ljust(size, b"\0"))
