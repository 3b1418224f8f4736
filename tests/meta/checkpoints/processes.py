"""What is done to a process by its id; ``task.proc``."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    IOPRIO_WHO,
    NT,
    PRIO,
    PTRACE,
    PTRACE_O,
    RLIMIT,
    SCHED,
    SIG,
    IoPriority,
    PtraceSyscallNone,
    SchedAttr,
    SchedParam,
    Traced,
    TraceStop,
    UserRegsX86,
    ValueSiginfo,
)
from rsyscall_ns.near.ids import Address

from .world import Call, World

__all__ = ["TABLE"]

NOWHERE: Final = Address(4096)


def traced(w: World) -> Traced:
    """Return a handle that takes itself for stopped: a cancelled call never asks the kernel."""
    made = Traced(w.any_process, PTRACE_O.NONE)
    made.stopped = TraceStop(SIG.TRAP)
    return made


TABLE: Final[dict[str, Call]] = {
    "GroupedProcess.getpgid": lambda w: w.any_process.getpgid(),
    "GroupedProcess.getpriority": lambda w: w.any_process.getpriority(),
    "GroupedProcess.getsid": lambda w: w.any_process.getsid(),
    "GroupedProcess.prlimit": lambda w: w.any_process.prlimit(RLIMIT.CPU),
    "GroupedProcess.setpgid": lambda w: w.process.setpgid(),
    "GroupedProcess.setpriority": lambda w: w.any_process.setpriority(0),
    "OwnProcess.exit_group": lambda w: w.task.proc.exit_group(0),
    "OwnProcess.getcpu": lambda w: w.task.proc.getcpu(),
    "OwnProcess.getppid": lambda w: w.task.proc.getppid(),
    "OwnProcess.getpriority": lambda w: w.task.proc.getpriority(PRIO.USER),
    "OwnProcess.getrusage": lambda w: w.task.proc.getrusage(),
    "OwnProcess.gettid": lambda w: w.task.proc.gettid(),
    "OwnProcess.ioprio_get": lambda w: w.task.proc.ioprio_get(IOPRIO_WHO.USER),
    "OwnProcess.ioprio_set": lambda w: w.task.proc.ioprio_set(IOPRIO_WHO.USER, 0, IoPriority()),
    "OwnProcess.sched_get_priority_max": lambda w: w.task.proc.sched_get_priority_max(SCHED.RR),
    "OwnProcess.sched_get_priority_min": lambda w: w.task.proc.sched_get_priority_min(SCHED.RR),
    "OwnProcess.sched_yield": lambda w: w.task.proc.sched_yield(),
    "OwnProcess.setpriority": lambda w: w.task.proc.setpriority(PRIO.USER, 0, 0),
    "OwnProcess.setsid": lambda w: w.task.proc.setsid(),
    "OwnProcess.sysinfo": lambda w: w.task.proc.sysinfo(),
    "OwnProcess.times": lambda w: w.task.proc.times(),
    "OwnProcess.uname": lambda w: w.task.proc.uname(),
    "OwnProcess.vhangup": lambda w: w.task.proc.vhangup(),
    "ReachedProcess.get_robust_list": lambda w: w.any_process.get_robust_list(),
    "ReachedProcess.migrate_pages": lambda w: w.any_process.migrate_pages({0}, {0}),
    "ReachedProcess.move_pages": lambda w: w.any_process.move_pages([NOWHERE]),
    "ReachedProcess.process_vm_readv": lambda w: w.any_process.process_vm_readv([(NOWHERE, 1)]),
    "ReachedProcess.process_vm_writev": lambda w: w.any_process.process_vm_writev(
        [b"a"], [(NOWHERE, 1)]
    ),
    "ScheduledProcess.ioprio_get": lambda w: w.any_process.ioprio_get(),
    "ScheduledProcess.ioprio_set": lambda w: w.any_process.ioprio_set(IoPriority()),
    "ScheduledProcess.sched_getaffinity": lambda w: w.any_process.sched_getaffinity(),
    "ScheduledProcess.sched_getattr": lambda w: w.any_process.sched_getattr(),
    "ScheduledProcess.sched_getparam": lambda w: w.any_process.sched_getparam(),
    "ScheduledProcess.sched_getscheduler": lambda w: w.any_process.sched_getscheduler(),
    "ScheduledProcess.sched_rr_get_interval": lambda w: w.any_process.sched_rr_get_interval(),
    "ScheduledProcess.sched_setaffinity": lambda w: w.any_process.sched_setaffinity({0}),
    "ScheduledProcess.sched_setattr": lambda w: w.any_process.sched_setattr(SchedAttr()),
    "ScheduledProcess.sched_setparam": lambda w: w.any_process.sched_setparam(SchedParam()),
    "ScheduledProcess.sched_setscheduler": lambda w: w.any_process.sched_setscheduler(SCHED.IDLE),
    "Traced.cont": lambda w: traced(w).cont(),
    "Traced.get_syscall_info": lambda w: traced(w).get_syscall_info(),
    "Traced.getregs": lambda w: traced(w).getregs(),
    "Traced.getregset": lambda w: traced(w).getregset(NT.PRSTATUS),
    "Traced.getsiginfo": lambda w: traced(w).getsiginfo(),
    "Traced.getsigmask": lambda w: traced(w).getsigmask(),
    "Traced.listen": lambda w: traced(w).listen(),
    "Traced.peekdata": lambda w: traced(w).peekdata(NOWHERE),
    "Traced.peeksiginfo": lambda w: traced(w).peeksiginfo(),
    "Traced.pokedata": lambda w: traced(w).pokedata(NOWHERE, 0),
    "Traced.set_syscall_info": lambda w: traced(w).set_syscall_info(PtraceSyscallNone()),
    "Traced.setoptions": lambda w: traced(w).setoptions(PTRACE_O.NONE),
    "Traced.setregs": lambda w: traced(w).setregs(UserRegsX86()),
    "Traced.setregset": lambda w: traced(w).setregset(NT.PRSTATUS, b""),
    "Traced.setsiginfo": lambda w: traced(w).setsiginfo(ValueSiginfo(SIG.USR1)),
    "Traced.setsigmask": lambda w: traced(w).setsigmask([]),
    "Traced.singlestep": lambda w: traced(w).singlestep(),
    "Traced.syscall": lambda w: traced(w).syscall(),
    "Traced.sysemu": lambda w: traced(w).sysemu(),
    "Tracee.detach": lambda w: traced(w).detach(),
    "Tracee.geteventmsg": lambda w: traced(w).geteventmsg(),
    "Tracee.interrupt": lambda w: traced(w).interrupt(),
    "Tracee.request": lambda w: traced(w).request(PTRACE.CONT),
    "Tracee.resume": lambda w: traced(w).resume(PTRACE.CONT, 0),
    "Tracee.wait": lambda w: traced(w).wait(),
}
