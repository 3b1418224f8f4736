"""``rsyscall-ns run``: one command in new namespaces, in the foreground of this terminal."""

from __future__ import annotations

from pathlib import Path

import trio
from attrs import field, frozen

from rsyscall_ns.handle.child import ChildProcess
from rsyscall_ns.handle.child_errors import ChildDeadError
from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.signal_h import (
    SI_KERNEL,
    SIG,
    SIG_BLOCK,
    SIGNALFD_SIGINFO_SIZE,
    unpack_signalfd_siginfo,
)
from rsyscall_ns.near.abi.wait_h import ChildState
from rsyscall_ns.tasks.local import open_local_task
from rsyscall_ns.tasks.task import Task

__all__ = ["RunRequest", "run"]

FORWARDED = (SIG.INT, SIG.TERM, SIG.HUP, SIG.QUIT)


@frozen
class RunRequest:
    """What was asked for on the command line."""

    flags: CLONE
    command: tuple[str, ...]
    map_zero: bool = field(kw_only=True)


async def run(request: RunRequest) -> int:
    """Run the command; returns its exit status as a shell gives it."""
    id_map = True if request.map_zero else None
    async with open_local_task() as local:
        # looked up here, as a shell would do: a message about it comes before anything is made
        command = await local.which(request.command[0])
        # read from an fd, and not by Python's handlers: it tells where a signal came from
        await local.signals.sigprocmask(SIG_BLOCK, FORWARDED)
        signals = await local.signals.signalfd(FORWARDED)
        async with local.spawn(request.flags, uid_map=id_map, gid_map=id_map) as child:
            await _prepare(child, request.flags)
            process = await child.exec(command.with_args(*request.command[1:]))
            return await _supervise(process, signals, own_pids=CLONE.NEWPID in request.flags)


async def _prepare(child: Task, flags: CLONE) -> None:
    """Make the new namespaces usable: a /proc of the right processes, loopback up."""
    if CLONE.NEWPID in flags and CLONE.NEWNS in flags:
        await child.mount.mount("proc", "/proc", "proc")
    if CLONE.NEWNET in flags:
        await child.net.set_up("lo")


async def _supervise(process: ChildProcess, signals: FileDescriptor, *, own_pids: bool) -> int:
    """Pass signals on until the process has died; returns its status."""
    forced = 0

    async def forward() -> None:
        nonlocal forced
        while True:
            data = await signals.read(SIGNALFD_SIGINFO_SIZE)
            signo, code = unpack_signalfd_siginfo(data)
            try:
                if own_pids and _would_die(process.near.id, signo):
                    # the kernel drops it for a process 1 that has no handler
                    forced = signo
                    await process.kill(SIG.KILL)
                elif code != SI_KERNEL:
                    # what the terminal sends goes to the command as well, without us
                    await process.kill(signo)
            except ChildDeadError:
                return
            except PermissionError:
                continue  # it has become another user's: that one's signals are not ours to send

    async with trio.open_nursery() as nursery:
        nursery.start_soon(forward)
        state: ChildState = await process.wait()
        nursery.cancel_scope.cancel()
    if forced and state.killed_with() == SIG.KILL:
        return 128 + forced
    return state.shell_status()


def _would_die(pid: int, sig: int) -> bool:
    """Return whether a process neither catches, ignores nor blocks a signal."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    masks = {
        key: int(value, 16)
        for key, _, value in (line.partition(":") for line in text.splitlines())
        if key in {"SigBlk", "SigIgn", "SigCgt"}
    }
    return not any(mask >> (sig - 1) & 1 for mask in masks.values())
