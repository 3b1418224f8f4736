"""``rsyscall-ns run``: one command in new namespaces, in the foreground of this terminal."""

from __future__ import annotations

import trio
from attrs import frozen

from rsyscall_ns.containers.container import Container
from rsyscall_ns.containers.options import Arguments
from rsyscall_ns.containers.status import would_die
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.processes.child_errors import ChildDeadError
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.signal_h import (
    SI_KERNEL,
    SIG,
    SIG_BLOCK,
)
from rsyscall_ns.near.abi.signalfd_h import SignalfdSiginfo
from rsyscall_ns.near.abi.wait_h import ChildState
from rsyscall_ns.tasks.local import open_local_task

__all__ = ["FORWARDED", "INIT", "RunRequest", "run", "supervise"]

INIT = "Have a process 1 that reaps, and passes signals on to COMMAND; with --pid."
FORWARDED = (SIG.INT, SIG.TERM, SIG.HUP, SIG.QUIT)


@frozen
class RunRequest:
    """What was asked for on the command line."""

    command: tuple[str, ...]
    arguments: Arguments


async def run(request: RunRequest) -> int:
    """Run the command; returns its exit status as a shell gives it."""
    async with open_local_task() as local:
        # looked up here, as a shell would do: a message about it comes before anything is made
        command = await local.which(request.command[0])
        # read from an fd, and not by Python's handlers: it tells where a signal came from
        await local.signals.sigprocmask(SIG_BLOCK, FORWARDED)
        signals = await local.signals.signalfd(FORWARDED)
        container = Container(
            command.with_args(*request.command[1:]),
            task=local,
            **request.arguments,
        )
        chosen = container.options
        own_pids = CLONE.NEWPID in chosen.flags and not chosen.init
        async with container:
            return await supervise(container.process, signals, own_pids=own_pids)


async def supervise(process: ChildProcess, signals: FileDescriptor, *, own_pids: bool) -> int:
    """Pass signals on until the process has died; returns its status."""
    forced = 0

    async def forward() -> None:
        nonlocal forced
        while True:
            told = SignalfdSiginfo.unpack(await signals.read(SignalfdSiginfo.sizeof()))
            signo = told.signo
            try:
                if own_pids and would_die(process.near.id, signo):
                    # the kernel drops it for a process 1 that has no handler
                    forced = signo
                    await process.kill(SIG.KILL)
                elif told.code != SI_KERNEL:
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
