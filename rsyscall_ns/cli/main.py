"""The commands of ``rsyscall-ns``, their options and their exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click
import trio

from rsyscall_ns.near.abi.sched_h import CLONE, NO_FLAGS
from rsyscall_ns.near.errors import RsyscallError

from .run import RunRequest, run

__all__ = ["main"]

KINDS = {
    "user": (CLONE.NEWUSER, "user and group ids"),
    "pid": (CLONE.NEWPID, "process ids; COMMAND is process 1"),
    "mnt": (CLONE.NEWNS, "mounts; with --pid, a /proc of its own is mounted"),
    "net": (CLONE.NEWNET, "network; the loopback interface is brought up"),
    "uts": (CLONE.NEWUTS, "host name"),
    "ipc": (CLONE.NEWIPC, "System V IPC, POSIX message queues"),
    "cgroup": (CLONE.NEWCGROUP, "root of the cgroup tree"),
    "time": (CLONE.NEWTIME, "monotonic and boot-time clocks"),
}
EXAMPLES = """\b
Examples:
  rsyscall-ns run --all -- ps ax
  rsyscall-ns run --user --net --map-zero -- ip addr
"""
EXIT_FAILED = 125  # as env(1) and others: the failure is ours, not the command's
EXIT_CANNOT_EXEC = 126
EXIT_NOT_FOUND = 127


def _kind_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for name, (_, what) in reversed(KINDS.items()):
        function = click.option(f"--{name}", is_flag=True, help=f"New namespace: {what}.")(function)
    return function


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rsyscall-ns", prog_name="rsyscall-ns")
def cli() -> None:
    """Run programs in namespaces of their own."""


@cli.command(
    "run",
    context_settings={"allow_interspersed_args": False},
    epilog=EXAMPLES,
)
@click.option("--all", "everything", is_flag=True, help="New namespaces of all eight kinds.")
@_kind_options
@click.option("--map-zero", is_flag=True, help="Be root (uid and gid 0) in the user namespace.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run_command(
    *, everything: bool, map_zero: bool, command: tuple[str, ...], **kinds: bool
) -> None:
    """Run COMMAND in new namespaces.

    The exit status is COMMAND's, or 128 + N when signal N killed it; 127: there is no such
    command, 126: it can't be executed, 125: its namespaces can't be made. SIGINT, SIGTERM, SIGHUP
    and SIGQUIT are passed on to it.
    """
    flags = NO_FLAGS
    for name, (flag, _) in KINDS.items():
        if everything or kinds[name]:
            flags |= flag
    if map_zero and not flags & CLONE.NEWUSER:
        raise click.UsageError("--map-zero needs a user namespace: add --user or --all")
    request = RunRequest(flags, command, map_zero=map_zero)
    sys.exit(_guarded(request))


def _guarded(request: RunRequest) -> int:
    """Run; a user's error becomes one line and a status, never a traceback."""
    name = request.command[0]
    try:
        return trio.run(run, request)
    except FileNotFoundError as error:
        if error.filename not in {name, None}:
            click.echo(f"rsyscall-ns: {name}: {error.strerror}: {error.filename}", err=True)
        else:
            click.echo(f"rsyscall-ns: {name}: command not found", err=True)
        return EXIT_NOT_FOUND
    except RsyscallError as error:
        click.echo(f"rsyscall-ns: {error}", err=True)
        return EXIT_FAILED
    except OSError as error:
        click.echo(f"rsyscall-ns: {name}: {error.strerror}", err=True)
        return EXIT_CANNOT_EXEC


def main() -> None:
    """Be the program ``rsyscall-ns``."""
    cli(prog_name="rsyscall-ns")
