"""``siginfo_t`` in its forms: what a signal brings along (``sigaction(2)``)."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar, Final

from rsyscall_ns.near.errors import SerializerError

from .layout import CStruct, c_struct, i32, i64, u32, u64
from .signal_h import SIG

__all__ = ["SI", "SIGEV", "SIGINFO_T_SIZE", "AnySiginfo", "ChildSiginfo", "FaultSiginfo"]
__all__ += ["PollSiginfo", "SigaltStack", "Sigevent", "SyscallSiginfo", "TimerSiginfo"]
__all__ += ["ValueSiginfo", "siginfo_of"]

SIGINFO_T_SIZE: Final = 128
_POLL: Final = range(1, 7)  # POLL_IN to POLL_HUP, of any signal that F_SETSIG chooses


class SI(IntEnum):
    """``SI_*``: where a signal comes from, its ``code``; a positive one is of the signal's own."""

    USER = 0
    QUEUE = -1
    TIMER = -2
    MESGQ = -3
    ASYNCIO = -4
    SIGIO = -5
    TKILL = -6
    DETHREAD = -7
    ASYNCNL = -60
    KERNEL = 0x80


class SIGEV(IntEnum):
    """``SIGEV_*``: how one is told of an event (``sigevent(3type)``)."""

    SIGNAL = 0
    NONE = 1
    THREAD = 2  # only libraries can do that
    THREAD_ID = 4


@c_struct
class Sigevent(CStruct):
    """``struct sigevent``: how a task is told. ``value`` comes along: an int, or an address.

    ``tid``: the thread that gets the signal, with ``SIGEV.THREAD_ID``.
    """

    C_NAME: ClassVar = "struct sigevent"
    C_HEADER: ClassVar = "signal.h"
    value: int = u64(c_name="sigev_value")
    signo: int = i32(c_name="sigev_signo")
    notify: SIGEV = i32(SIGEV, c_name="sigev_notify")
    tid: int = i32(c_name="_sigev_un._tid", then=44)


@c_struct
class ValueSiginfo(CStruct):
    """A signal that a process sent. ``value``: what it sent along, an int or an address."""

    C_NAME: ClassVar = "siginfo_t"
    C_HEADER: ClassVar = "signal.h"
    signo: int = i32(c_name="si_signo")
    errno: int = i32(c_name="si_errno")
    code: SI = i32(SI, c_name="si_code", then=4)
    pid: int = i32(c_name="si_pid")
    uid: int = u32(c_name="si_uid")
    value: int = u64(c_name="si_ptr", then=96)


@c_struct
class TimerSiginfo(CStruct):
    """A POSIX timer has expired; ``overrun``: how many times more than once."""

    C_NAME: ClassVar = "siginfo_t"
    C_HEADER: ClassVar = "signal.h"
    signo: int = i32(c_name="si_signo")
    errno: int = i32(c_name="si_errno")
    code: SI = i32(SI, c_name="si_code", then=4)
    timerid: int = i32(c_name="si_timerid")
    overrun: int = i32(c_name="si_overrun")
    value: int = u64(c_name="si_ptr", then=96)


@c_struct
class ChildSiginfo(CStruct):
    """A child has changed its state; times in clock ticks."""

    C_NAME: ClassVar = "siginfo_t"
    C_HEADER: ClassVar = "signal.h"
    signo: int = i32(c_name="si_signo")
    errno: int = i32(c_name="si_errno")
    code: int = i32(c_name="si_code", then=4)
    pid: int = i32(c_name="si_pid")
    uid: int = u32(c_name="si_uid")
    status: int = i32(c_name="si_status", then=4)
    utime: int = i64(c_name="si_utime")
    stime: int = i64(c_name="si_stime", then=80)


@c_struct
class PollSiginfo(CStruct):
    """An fd is ready. ``band``: as poll gives it."""

    C_NAME: ClassVar = "siginfo_t"
    C_HEADER: ClassVar = "signal.h"
    signo: int = i32(c_name="si_signo")
    errno: int = i32(c_name="si_errno")
    code: int = i32(c_name="si_code", then=4)
    band: int = i64(c_name="si_band")
    fd: int = i32(c_name="si_fd", then=100)


@c_struct
class FaultSiginfo(CStruct):
    """The task did what it can't: ``addr``, where."""

    C_NAME: ClassVar = "siginfo_t"
    C_HEADER: ClassVar = "signal.h"
    signo: int = i32(c_name="si_signo")
    errno: int = i32(c_name="si_errno")
    code: int = i32(c_name="si_code", then=4)
    addr: int = u64(c_name="si_addr", then=104)


@c_struct
class SyscallSiginfo(CStruct):
    """A filter of system calls has trapped one."""

    C_NAME: ClassVar = "siginfo_t"
    C_HEADER: ClassVar = "signal.h"
    signo: int = i32(c_name="si_signo")
    errno: int = i32(c_name="si_errno")
    code: int = i32(c_name="si_code", then=4)
    call_addr: int = u64(c_name="si_call_addr")
    syscall: int = i32(c_name="si_syscall")
    arch: int = u32(c_name="si_arch", then=96)


AnySiginfo = (
    ValueSiginfo | TimerSiginfo | ChildSiginfo | PollSiginfo | FaultSiginfo | SyscallSiginfo
)
_OWN: Final[dict[int, type[AnySiginfo]]] = {
    SIG.CHLD: ChildSiginfo,
    SIG.SYS: SyscallSiginfo,
    **dict.fromkeys((SIG.ILL, SIG.TRAP, SIG.BUS, SIG.FPE, SIG.SEGV), FaultSiginfo),
}


def siginfo_of(data: bytes) -> AnySiginfo:
    """Return what a ``siginfo_t`` tells, in the form that its signal and code say it has."""
    if len(data) != SIGINFO_T_SIZE:
        raise SerializerError("siginfo_t", SIGINFO_T_SIZE, len(data))
    signo, code = (int.from_bytes(data[at : at + 4], "little", signed=True) for at in (0, 8))
    form: type[AnySiginfo] = ValueSiginfo
    if code == SI.TIMER:
        form = TimerSiginfo
    elif code == SI.SIGIO:
        form = PollSiginfo
    elif 0 < code < SI.KERNEL:
        form = _OWN.get(signo, PollSiginfo if code in _POLL else ValueSiginfo)
    return form.unpack(data)


@c_struct
class SigaltStack(CStruct):
    """``stack_t``: where signal handlers have their stack; flags 2: they have none."""

    C_NAME: ClassVar = "stack_t"
    C_HEADER: ClassVar = "signal.h"
    sp: int = u64(c_name="ss_sp")
    flags: int = i32(c_name="ss_flags", then=4)
    size: int = u64(c_name="ss_size")
