"""Fds that tell of events, signals and pidfds."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    CLOCK,
    EFD,
    EPOLL,
    EPOLL_CTL,
    F_SEAL,
    ITIMER,
    KCMP,
    MFD,
    PIDFD,
    PIDFD_GET,
    PIDFD_INFO,
    PIDFD_SIGNAL,
    POLL,
    SA,
    SFD,
    SI,
    TFD,
)
from rsyscall_ns.near.abi.epoll_h import EPIOCGPARAMS, EPIOCSPARAMS
from rsyscall_ns.near.abi.memfd_h import F_ADD_SEALS, F_GET_SEALS
from rsyscall_ns.near.abi.pidfd_h import PIDFD_COREDUMP
from rsyscall_ns.near.abi.timerfd_h import TFD_IOC_SET_TICKS

HEADERS: Final = (
    "linux/kcmp.h",
    "linux/memfd.h",
    "linux/pidfd.h",
    "poll.h",
    "signal.h",
    "sys/epoll.h",
    "sys/eventfd.h",
    "sys/ioctl.h",
    "sys/signalfd.h",
    "sys/time.h",
    "sys/timerfd.h",
    "time.h",
)
ENUMS: Final = {
    "CLOCK_": CLOCK,
    "EFD_": EFD,
    "EPOLL": EPOLL,
    "EPOLL_CTL_": EPOLL_CTL,
    "F_SEAL_": F_SEAL,
    "ITIMER_": ITIMER,
    "KCMP_": KCMP,
    "MFD_": MFD,
    "PIDFD_": PIDFD,
    "PIDFD_GET_": PIDFD_GET,
    "PIDFD_INFO_": PIDFD_INFO,
    "PIDFD_SIGNAL_": PIDFD_SIGNAL,
    "POLL": POLL,
    "SA_": SA,
    "SFD_": SFD,
    "SI_": SI,
    "TFD_": TFD,
}
NAMES: Final = {
    "EPIOCGPARAMS": EPIOCGPARAMS,
    "EPIOCSPARAMS": EPIOCSPARAMS,
    "F_ADD_SEALS": F_ADD_SEALS,
    "F_GET_SEALS": F_GET_SEALS,
    "PIDFD_COREDUMPED": PIDFD_COREDUMP.DUMPED,
    "PIDFD_COREDUMP_ROOT": PIDFD_COREDUMP.ROOT,
    "PIDFD_COREDUMP_SKIP": PIDFD_COREDUMP.SKIP,
    "PIDFD_COREDUMP_USER": PIDFD_COREDUMP.USER,
    "TFD_IOC_SET_TICKS": TFD_IOC_SET_TICKS,
    "TFD_TIMER_ABSTIME": TFD.TIMER_ABSTIME,
    "TFD_TIMER_CANCEL_ON_SET": TFD.TIMER_CANCEL_ON_SET,
}
