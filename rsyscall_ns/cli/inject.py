"""``rsyscall-ns inject``: a command in namespaces of a process that runs, in the foreground."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from errno import EPERM
from functools import partial
from typing import Any, Final, cast

import click
import trio

from rsyscall_ns.containers.inject import Choices, Inject
from rsyscall_ns.handle.calls.ns import NamespaceNotAllowedError
from rsyscall_ns.near.abi.capability_h import CAP
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.signal_h import SIG_BLOCK
from rsyscall_ns.tasks.local import open_local_task

from .completion import files, own_pids
from .guard import EXIT_FAILED, guarded
from .kinds import ALIASES, KINDS
from .rights import right_options
from .run import FORWARDED, supervise

__all__ = ["inject_command"]

EXAMPLES: Final = """\b
Examples:
  rsyscall-ns inject 4321 -- ps ax
  rsyscall-ns inject --net 4321 -- ip addr
  rsyscall-ns inject --user --mnt 4321 -- cat /etc/hostname
"""
PIDS: Final = click.IntRange(1, 2**31 - 1)


def kind_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for name, (_, what) in reversed(KINDS.items()):
        option = click.option(
            *ALIASES.get(name, (f"--{name}",)),
            name,
            is_flag=True,
            help=f"That of {what.partition(';')[0]}.",
        )
        function = option(function)
    return function


@click.command("inject", context_settings={"allow_interspersed_args": False}, epilog=EXAMPLES)
@click.option("--all", "everything", is_flag=True, help="All of them; so it is without options.")
@kind_options
@right_options
@click.option("--json", "as_json", is_flag=True, help="Tell on stderr what was started.")
@click.option("-v", "--verbose", is_flag=True, help="Say on stderr what was started.")
@click.argument("target", metavar="PID", type=PIDS, shell_complete=own_pids)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=files)
def inject_command(
    *,
    everything: bool,
    as_json: bool,
    verbose: bool,
    target: int,
    command: tuple[str, ...],
    capabilities: CAP | None,
    no_new_privs: bool | None,
    tty_injection: bool | None,
    **kinds: bool,
) -> None:
    """Run COMMAND in namespaces of the process PID.

    All that were asked for are joined, or nothing runs. COMMAND is looked up in there, and with
    --mnt starts in the root directory. Exit statuses and signals are as with "run"; 125: there is
    no such process, or its namespaces can't be joined.
    """
    # behind PID nothing is an option any more, so the dashes are still there
    words = command[1:] if command[0] == "--" else command
    if not words:
        raise click.UsageError("Missing argument 'COMMAND...'.")
    choices: Choices = {"all": True}
    if any(kinds.values()) and not everything:
        choices = cast("Choices", kinds)
    make = partial(
        Inject,
        target,
        words,
        capabilities=capabilities,
        no_new_privs=bool(no_new_privs),
        tty_injection=tty_injection is not False,
        **choices,
    )
    how = "json" if as_json else "text" if verbose else None
    sys.exit(guarded(words[0], lambda: trio.run(inject, make, words, how)))


async def inject(make: Callable[..., Inject], command: Sequence[str], how: str | None) -> int:
    """Run it; returns its exit status as a shell gives it."""
    async with open_local_task() as local:
        # read from an fd, and not by Python's handlers: it tells where a signal came from
        await local.signals.sigprocmask(SIG_BLOCK, FORWARDED)
        signals = await local.signals.signalfd(FORWARDED)
        injected = make(task=local)
        try:
            async with injected:
                if how is not None:
                    tell(injected, command, how)
                # it is no process 1: that is a process in there which runs already
                return await supervise(injected.process, signals, own_pids=False)
        except (FileNotFoundError, ProcessLookupError, PermissionError) as error:
            why = cause(injected, error)
            if why is None:
                raise
            click.echo(f"rsyscall-ns: process {injected.target_pid}: {why}", err=True)
            return EXIT_FAILED


def cause(injected: Inject, error: OSError) -> str | None:
    """Return why its namespaces can't be had, and what to do; None if that is not what failed."""
    if isinstance(error, NamespaceNotAllowedError) and error.errno == EPERM:
        cure = "be root" if CLONE.NEWUSER in injected.kinds else "add --user, or be root"
        return f"its namespaces can't be joined: {os.strerror(EPERM)}; {cure}"
    if not str(error.filename).startswith(f"/proc/{injected.target_pid}/ns"):
        return None
    if isinstance(error, PermissionError):
        return f"{error.strerror}: it is not yours to look into; be its user, or root"
    return "there is no such process, or it has ended"


def tell(injected: Inject, command: Sequence[str], how: str) -> None:
    """Say what was started."""
    kinds = [name for name, (flag, _) in KINDS.items() if flag in injected.kinds]
    target = injected.target_pid
    if how == "json":
        told = {"pid": injected.pid, "command": list(command), "namespaces": kinds}
        click.echo(json.dumps({**told, "target": target}), err=True)
    else:
        click.echo(
            f"rsyscall-ns: {command[0]} is process {injected.pid}, in the {', '.join(kinds)} "
            f"namespaces of process {target}",
            err=True,
        )
