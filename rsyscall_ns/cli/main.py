"""The commands of ``rsyscall-ns``, their options and their exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click
import trio

from rsyscall_ns.containers.options import Arguments
from rsyscall_ns.near.abi.sched_h import CLONE, NO_FLAGS

from .completion import completion_command, files
from .doctor.command import doctor_command
from .execute import chroot_command, execute_command
from .guard import guarded
from .inject import inject_command
from .kinds import KINDS
from .rights import keep_option, right_options
from .run import INIT, RunRequest, run

__all__ = ["main"]

EXAMPLES = """\b
Examples:
  rsyscall-ns run --all -- ps ax
  rsyscall-ns run --user --net --map-zero -- ip addr
"""


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
@click.option("--init", is_flag=True, help=INIT)
@right_options
@keep_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=files)
def run_command(
    *,
    everything: bool,
    map_zero: bool,
    init: bool,
    command: tuple[str, ...],
    **given: Any,  # noqa: ANN401 - of click
) -> None:
    """Run COMMAND in new namespaces.

    The exit status is COMMAND's, or 128 + N when signal N killed it; 127: there is no such
    command, 126: it can't be executed, 125: its namespaces can't be made. SIGINT, SIGTERM, SIGHUP
    and SIGQUIT are passed on to it.
    """
    flags = NO_FLAGS
    for name, (flag, _) in KINDS.items():
        if everything or given[name]:
            flags |= flag
    if map_zero and not flags & CLONE.NEWUSER:
        raise click.UsageError("--map-zero needs a user namespace: add --user or --all")
    if init and not flags & CLONE.NEWPID:
        raise click.UsageError("--init needs a pid namespace: add --pid or --all")
    arguments: Arguments = {
        "flags": flags,
        "map_zero": map_zero,
        "init": init,
        "capabilities": given["capabilities"],
        "no_new_privs": given["no_new_privs"],
        "tty_injection": given["tty_injection"],
        "keep_caps": given["keep_caps"],
    }
    request = RunRequest(command, arguments)
    sys.exit(guarded(command[0], lambda: trio.run(run, request)))


cli.add_command(execute_command)
cli.add_command(chroot_command)
cli.add_command(inject_command)
cli.add_command(doctor_command)
cli.add_command(completion_command)


def main() -> None:
    """Be the program ``rsyscall-ns``."""
    cli(prog_name="rsyscall-ns")
