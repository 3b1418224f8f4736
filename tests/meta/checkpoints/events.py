"""Fds that tell of events, signals, and processes by pidfds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import pytest
import trio

from rsyscall_ns import (
    EPOLL,
    EPOLL_CTL,
    F_SEAL,
    ITIMER,
    KCMP,
    MADV,
    PERF_ATTR,
    PERF_COUNT_SW,
    PERF_TYPE,
    PIDFD_GET,
    SIG,
    EpollFD,
    EpollParams,
    EventFD,
    Itimerspec,
    Itimerval,
    MemFD,
    MqAttr,
    MqFD,
    PerfEventAttr,
    PerfEventFD,
    PerfRing,
    SignalFD,
    TimerFD,
    Timespec,
    ValueSiginfo,
)

from .world import Call, World

__all__ = ["TABLE"]

QUIET: Final = PerfEventAttr(
    PERF_TYPE.SOFTWARE,
    config=PERF_COUNT_SW.DUMMY,
    flags=PERF_ATTR.DISABLED | PERF_ATTR.EXCLUDE_KERNEL | PERF_ATTR.EXCLUDE_HV,
)


def on_perf_ring(use: Callable[[PerfRing], Awaitable[object]]) -> Call:
    """Return a use of the records of an event, which is made whatever is cancelled."""

    async def call(world: World) -> None:
        made: list[PerfRing] = []
        with trio.CancelScope(shield=True):
            try:
                event = await world.task.fds.perf_event_open(QUIET)
            except OSError as error:
                pytest.skip(f"this kernel does not let us count: {error}")
            async with event:
                made.append(await event.ring(QUIET))
        try:
            await use(made[0])
        finally:
            with trio.CancelScope(shield=True):
                await made[0].close()

    return call


TABLE: Final[dict[str, Call]] = {
    "EpollFD.add": lambda w: w.of_kind(EpollFD).add(w.target, EPOLL.IN),
    "EpollFD.check_kind": lambda w: EpollFD.check_kind(w.file),
    "EpollFD.delete": lambda w: w.of_kind(EpollFD).delete(w.target),
    "EpollFD.epoll_ctl": lambda w: w.of_kind(EpollFD).epoll_ctl(EPOLL_CTL.DEL, w.target),
    "EpollFD.epoll_pwait": lambda w: w.of_kind(EpollFD).epoll_pwait(),
    "EpollFD.epoll_pwait2": lambda w: w.of_kind(EpollFD).epoll_pwait2(),
    "EpollFD.epoll_wait": lambda w: w.of_kind(EpollFD).epoll_wait(),
    "EpollFD.get_params": lambda w: w.of_kind(EpollFD).get_params(),
    "EpollFD.modify": lambda w: w.of_kind(EpollFD).modify(w.target, EPOLL.IN),
    "EpollFD.set_params": lambda w: w.of_kind(EpollFD).set_params(EpollParams()),
    "EventFD.check_kind": lambda w: EventFD.check_kind(w.file),
    "EventFD.eventfd_read": lambda w: w.of_kind(EventFD).eventfd_read(),
    "EventFD.eventfd_write": lambda w: w.of_kind(EventFD).eventfd_write(),
    "FDs.epoll_create1": lambda w: w.task.fds.epoll_create1(),
    "FDs.eventfd": lambda w: w.task.fds.eventfd(),
    "FDs.memfd_create": lambda w: w.task.fds.memfd_create("a"),
    "FDs.memfd_secret": lambda w: w.task.fds.memfd_secret(),
    "FDs.poll": lambda w: w.task.fds.poll([]),
    "FDs.ppoll": lambda w: w.task.fds.ppoll([]),
    "FDs.pselect": lambda w: w.task.fds.pselect([]),
    "FDs.timerfd_create": lambda w: w.task.fds.timerfd_create(),
    "MemFD.add_seals": lambda w: w.of_kind(MemFD).add_seals(F_SEAL.SEAL),
    "MemFD.check_kind": lambda w: MemFD.check_kind(w.file),
    "MemFD.get_seals": lambda w: w.of_kind(MemFD).get_seals(),
    "MessageQueues.mq_open": lambda w: w.task.mq.mq_open("/rsyscall_ns"),
    "MessageQueues.mq_unlink": lambda w: w.task.mq.mq_unlink("/rsyscall_ns"),
    "MqFD.check_kind": lambda w: MqFD.check_kind(w.file),
    "MqFD.mq_getattr": lambda w: w.of_kind(MqFD).mq_getattr(),
    "MqFD.mq_setattr": lambda w: w.of_kind(MqFD).mq_setattr(MqAttr()),
    "MqFD.mq_timedreceive": lambda w: w.of_kind(MqFD).mq_timedreceive(1),
    "MqFD.mq_timedsend": lambda w: w.of_kind(MqFD).mq_timedsend(b""),
    "FDs.perf_event_open": lambda w: w.task.fds.perf_event_open(PerfEventAttr()),
    "PerfEventFD.check_kind": lambda w: PerfEventFD.check_kind(w.file),
    "PerfEventFD.disable": lambda w: w.of_kind(PerfEventFD).disable(),
    "PerfEventFD.enable": lambda w: w.of_kind(PerfEventFD).enable(),
    "PerfEventFD.event_id": lambda w: w.of_kind(PerfEventFD).event_id(),
    "PerfEventFD.read_counts": lambda w: w.of_kind(PerfEventFD).read_counts(),
    "PerfEventFD.refresh": lambda w: w.of_kind(PerfEventFD).refresh(1),
    "PerfEventFD.reset": lambda w: w.of_kind(PerfEventFD).reset(),
    "PerfEventFD.ring": lambda w: w.of_kind(PerfEventFD).ring(PerfEventAttr()),
    "PerfEventFD.set_period": lambda w: w.of_kind(PerfEventFD).set_period(1),
    "PerfRing.close": on_perf_ring(PerfRing.close),
    "PerfRing.read_records": on_perf_ring(PerfRing.read_records),
    "PidFD.get_info": lambda w: w.pidfd.get_info(),
    "PidFD.open_namespace": lambda w: w.pidfd.open_namespace(PIDFD_GET.UTS_NAMESPACE),
    "PidFD.pidfd_getfd": lambda w: w.pidfd.pidfd_getfd(0),
    "PidFD.process_madvise": lambda w: w.pidfd.process_madvise([], MADV.NORMAL),
    "PidFD.process_mrelease": lambda w: w.pidfd.process_mrelease(),
    "ProcessHandle.kcmp": lambda w: w.any_process.kcmp(w.any_process, KCMP.VM),
    "ProcessHandle.pidfd_open": lambda w: w.any_process.pidfd_open(),
    "ProcessHandle.rt_sigqueueinfo": lambda w: w.any_process.rt_sigqueueinfo(
        SIG.KILL, ValueSiginfo()
    ),
    "ProcessHandle.rt_tgsigqueueinfo": lambda w: w.any_process.rt_tgsigqueueinfo(
        1, SIG.KILL, ValueSiginfo()
    ),
    "ProcessHandle.sigqueue": lambda w: w.any_process.sigqueue(SIG.KILL),
    "ProcessHandle.tgkill": lambda w: w.any_process.tgkill(1, SIG.KILL),
    "SignalFD.check_kind": lambda w: SignalFD.check_kind(w.file),
    "SignalFD.read_siginfo": lambda w: w.of_kind(SignalFD).read_siginfo(),
    "SignalFD.signalfd": lambda w: w.of_kind(SignalFD).signalfd([]),
    "Signals.alarm": lambda w: w.task.signals.alarm(0),
    "Signals.getitimer": lambda w: w.task.signals.getitimer(ITIMER.PROF),
    "Signals.pause": lambda w: w.task.signals.pause(),
    "Signals.setitimer": lambda w: w.task.signals.setitimer(ITIMER.PROF, Itimerval()),
    "Signals.sigaltstack": lambda w: w.task.signals.sigaltstack(),
    "Signals.sigpending": lambda w: w.task.signals.sigpending(),
    "Signals.sigsuspend": lambda w: w.task.signals.sigsuspend([]),
    "Signals.sigtimedwait": lambda w: w.task.signals.sigtimedwait([SIG.USR1], Timespec()),
    "Signals.sigwaitinfo": lambda w: w.task.signals.sigwaitinfo([SIG.USR1]),
    "TimerFD.check_kind": lambda w: TimerFD.check_kind(w.file),
    "TimerFD.expirations": lambda w: w.of_kind(TimerFD).expirations(),
    "TimerFD.set_ticks": lambda w: w.of_kind(TimerFD).set_ticks(1),
    "TimerFD.timerfd_gettime": lambda w: w.of_kind(TimerFD).timerfd_gettime(),
    "TimerFD.timerfd_settime": lambda w: w.of_kind(TimerFD).timerfd_settime(Itimerspec()),
}
