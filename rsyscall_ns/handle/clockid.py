"""Which clock a call is about: one of the machine's, a process's, or an fd."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from rsyscall_ns.near.abi.time_h import CLOCK, CPUCLOCK, cpu_clock, fd_clock
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

from .fds.fd import FileDescriptor
from .pointers.context import MemoryTask
from .processes.process_handle import ProcessHandle

__all__ = ["Clock", "CpuClock", "ThreadCpuClock", "clock_given"]


@value
class CpuClock:
    """The clock of a process's processor time, as ``clock_getcpuclockid(3)``; None: the task's."""

    process: ProcessHandle | None = None
    what: CPUCLOCK = CPUCLOCK.SCHED


@value
class ThreadCpuClock:
    """The clock of the processor time of one thread of the task; 0: its only one."""

    tid: int = 0
    what: CPUCLOCK = CPUCLOCK.SCHED


Clock = CLOCK | int | CpuClock | ThreadCpuClock | FileDescriptor


@asynccontextmanager
async def clock_given(task: MemoryTask, clock: Clock) -> AsyncGenerator[int, None]:
    """Give the number of a clock; a process or an fd is borrowed for the block."""
    if isinstance(clock, FileDescriptor):
        with clock.borrow(task) as near_fd:
            yield fd_clock(near_fd.number)
    elif isinstance(clock, ThreadCpuClock):
        yield cpu_clock(fit("tid", clock.tid, 0, 2**31 - 1), clock.what, thread=True)
    elif isinstance(clock, int):
        yield clock
    elif clock.process is None:
        yield cpu_clock(0, clock.what)
    else:
        task.check_pid_namespace(clock.process, clock.process.pid_namespace)
        async with clock.process.turn() as near_id:
            yield cpu_clock(near_id.id, clock.what)
