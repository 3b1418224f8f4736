"""Tasks, children, fds of any kind, and what is as old."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    CLONE,
    INT32,
    SIG,
    FileDescriptor,
    NamespaceFD,
    PidFD,
    Program,
    W,
)
from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.nr import SYS
from tests.support.children import TRUE

from .world import Call

__all__ = ["TABLE", "TO_THE_END"]

F_GETFD: Final = 1

# what is not cancelled, and why; each may still be cancelled once it has done its work
TO_THE_END: Final[dict[str, str]] = {
    "ChildProcess.end": "it would leave a child",
    "FanotifyFD.close": "as any fd's",
    "OwnedFD.close": "it would leave an fd open, of which nobody knows",
    "MemoryTask.end_children": "it would leave children",
    "MemoryTask.sweep": "it would leave fds open; what it is called by is a checkpoint",
    "Task.end": "it would leave children and fds",
}

TABLE: Final[dict[str, Call]] = {
    "ChildProcess.check": lambda w: w.process.check(),
    "ChildProcess.end": lambda w: w.process.end(),
    "ChildProcess.kill": lambda w: w.process.kill(),
    "ChildProcess.killpg": lambda w: w.process.killpg(SIG.KILL),
    "ChildProcess.read_siginfo": lambda w: w.told.read_siginfo(),
    "ChildProcess.read_state_change": lambda w: w.told.read_state_change(),
    "ChildProcess.send_signal": lambda w: w.process.send_signal(SIG.KILL),
    "ChildProcess.terminate": lambda w: w.process.terminate(),
    "ChildProcess.wait": lambda w: w.process.wait(),
    "ChildProcess.wait4": lambda w: w.process.wait4(W.EXITED | W.NOHANG),
    "ChildProcess.waitid": lambda w: w.process.waitid(W.EXITED | W.NOHANG),
    "Credentials.effective_capabilities": lambda w: w.task.cred.effective_capabilities(),
    "IdCalls.getegid": lambda w: w.task.cred.getegid(),
    "IdCalls.geteuid": lambda w: w.task.cred.geteuid(),
    "IdCalls.getgid": lambda w: w.task.cred.getgid(),
    "IdCalls.getuid": lambda w: w.task.cred.getuid(),
    "FileDescriptor.as_kind": lambda w: w.file.as_kind(FileDescriptor),
    "FileDescriptor.check_kind": lambda w: FileDescriptor.check_kind(w.file),
    "OwnedFD.close": lambda w: w.file.close(),
    "OwnedFD.disable_cloexec": lambda w: w.file.disable_cloexec(),
    "OwnedFD.dup": lambda w: w.file.dup(),
    "OwnedFD.dup2": lambda w: w.file.dup2(w.target),
    "OwnedFD.dup3": lambda w: w.file.dup3(w.target),
    "OwnedFD.enable_cloexec": lambda w: w.file.enable_cloexec(),
    "FileDescriptor.fcntl": lambda w: w.file.fcntl(F_GETFD),
    "FileDescriptor.ioctl": lambda w: w.file.ioctl(0),
    "FileDescriptor.ioctl_bytes": lambda w: w.file.ioctl_bytes(0, b""),
    "OwnedFD.is_cloexec": lambda w: w.file.is_cloexec(),
    "FileDescriptor.lseek": lambda w: w.file.lseek(0),
    "WaitingFD.nonblocking_call": lambda w: w.file.nonblocking_call(w.file.near, SYS.fsync),
    "OwnedFD.pass_to": lambda w: w.file.pass_to(w.other),
    "ReadingFD.pread": lambda w: w.file.pread(1, 0),
    "ReadingFD.pwrite": lambda w: w.file.pwrite(b"", 0),
    "ReadingFD.read": lambda w: w.file.read(1),
    "WaitingFD.without_blocking": lambda w: w.file.without_blocking(
        1, lambda near: w.file.nonblocking_call(near, SYS.fsync)
    ),
    "ReadingFD.write": lambda w: w.file.write(b""),
    "ReadingFD.write_all": lambda w: w.file.write_all(b"a"),
    "Memory.mmap": lambda w: w.task.mem.mmap(1),
    "Memory.munmap": lambda w: w.task.mem.munmap(Address(0), 1),
    "MemoryTask.end_children": lambda w: w.task.end_children(),
    "MemoryTask.malloc": lambda w: w.task.malloc(INT32),
    "MemoryTask.ptr": lambda w: w.task.ptr(b"a"),
    "MemoryTask.sweep": lambda w: w.task.sweep(),
    "NamespaceFD.check_kind": lambda w: NamespaceFD.check_kind(w.file),
    "NamespaceFD.nstype": lambda w: w.namespace.nstype(),
    "NamespaceFD.owner_uid": lambda w: w.namespace.owner_uid(),
    "Namespaces.gethostname": lambda w: w.task.ns.gethostname(),
    "Namespaces.open": lambda w: w.task.ns.open("uts"),
    "Namespaces.sethostname": lambda w: w.task.ns.sethostname(""),
    "Namespaces.setns": lambda w: w.task.ns.setns(w.namespace),
    "Namespaces.unshare": lambda w: w.task.ns.unshare(CLONE.NEWUTS),
    "PidFD.check_kind": lambda w: PidFD.check_kind(w.file),
    "PidFD.exit_status": lambda w: w.pidfd.exit_status(),
    "PidFD.send_signal": lambda w: w.pidfd.send_signal(SIG.KILL),
    "Pointer.read": lambda w: w.pointer.read(),
    "Pointer.write": lambda w: w.pointer.write(b"a"),
    "Process.kill": lambda w: w.any_process.kill(SIG.KILL),
    "Process.killpg": lambda w: w.any_process.killpg(SIG.KILL),
    "ProcessTask.clone": lambda w: w.task.clone(CLONE.VM, w.stack),
    "ProcessTask.clone_at": lambda w: w.task.clone_at(bytes(64)),
    "Signals.ignore": lambda w: w.task.signals.ignore(SIG.USR1),
    "Signals.sigaction": lambda w: w.task.signals.sigaction(SIG.USR1),
    "Signals.signalfd": lambda w: w.task.signals.signalfd([SIG.USR1]),
    "Signals.sigprocmask": lambda w: w.task.signals.sigprocmask(),
    "Task.end": lambda w: w.task.end(),
    "Task.exec": lambda w: w.task.exec(TRUE),
    "Task.run": lambda w: w.task.run(Program()),
    "Task.which": lambda w: w.task.which("true"),
}
