"""``rsyscall-ns execute`` and ``chroot``: a command in a container, in the foreground."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import click
import trio

from rsyscall_ns.containers.container import Container
from rsyscall_ns.containers.errors import ContainerArgumentError
from rsyscall_ns.containers.options import Arguments
from rsyscall_ns.handle.processes.clone_flags import CloneFlagsError
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.signal_h import SIG_BLOCK
from rsyscall_ns.near.errors import PathError
from rsyscall_ns.tasks.idmap import IdMapError
from rsyscall_ns.tasks.local import open_local_task

from .completion import files, folders
from .guard import guarded
from .kinds import ALIASES, KINDS
from .mounts import mount_options, mounts_of
from .rights import keep_option, right_options
from .run import FORWARDED, INIT, supervise

__all__ = ["chroot_command", "execute_command"]

EXAMPLES: Final = """\b
Examples:
  rsyscall-ns execute --all --map-zero --hostname box -- sh
  rsyscall-ns execute --all --tmpfs / --bind /usr:/usr:ro --bind /lib --bind /lib64 \\
    --dev --workdir /usr -- /usr/bin/ls /
  rsyscall-ns chroot --user --mnt --pid /srv/root -- /bin/sh
"""
SETTINGS: Final = {"allow_interspersed_args": False}


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what both commands take."""
    more = [
        click.option("--all", "everything", is_flag=True, help="New namespaces of all kinds."),
        *(
            click.option(
                *ALIASES.get(name, (f"--{name}",)), name, is_flag=True, help=f"New {what}."
            )
            for name, (_, what) in KINDS.items()
        ),
        click.option(
            "--uid-map", "--uid", metavar="MAP", help="User ids: '0 1000 1', or 1000,1001."
        ),
        click.option("--gid-map", "--gid", metavar="MAP", help="Group ids, in the same way."),
        click.option("--map-zero", "--id", is_flag=True, help="Be root (uid and gid 0) in there."),
        click.option("--proc", metavar="DIR", help="Mount a procfs there; /proc with --pid --mnt."),
        mount_options,
        click.option("--init", is_flag=True, help=INIT),
        right_options,
        keep_option,
        click.option("--hostname", metavar="NAME", help="The host name, with --uts."),
        click.option("--workdir", metavar="DIR", help="The working directory, in the container."),
        click.option("--env", multiple=True, metavar="NAME[=VALUE]", help="Set or remove one."),
        click.option("--json", "as_json", is_flag=True, help="Tell on stderr what was started."),
        click.option("-v", "--verbose", is_flag=True, help="Say on stderr what was started."),
    ]
    for option in reversed(more):
        function = option(function)
    return function


@click.command("execute", context_settings=SETTINGS, epilog=EXAMPLES)
@options
@click.option("--root", metavar="DIR", shell_complete=folders, help="The root directory.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=files)
def execute_command(*, root: str | None, command: tuple[str, ...], **given: Any) -> None:  # noqa: ANN401 - of click
    """Run COMMAND in a container.

    Exit statuses and signals are as with "run"; 125: the container can't be made.
    """
    execute(root, command, given)


@click.command("chroot", context_settings=SETTINGS, epilog=EXAMPLES)
@options
@click.argument("path", shell_complete=folders)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=files)
def chroot_command(*, path: str, command: tuple[str, ...], **given: Any) -> None:  # noqa: ANN401 - of click
    """Run COMMAND in a container whose root directory is PATH.

    With --mnt nothing else of the host can be reached.
    """
    # behind PATH nothing is an option any more, so the dashes are still there
    execute(path, command[1:] if command[0] == "--" else command, given)


def execute(root: str | None, command: tuple[str, ...], given: dict[str, Any]) -> None:
    """Run it, and exit with its status."""
    if not command:
        raise click.UsageError("Missing argument 'COMMAND...'.")
    try:
        arguments = arguments_of(root, given)
        Container(command, **arguments)  # refuses what contradicts itself
    except (CloneFlagsError, ContainerArgumentError, IdMapError, PathError) as error:
        raise click.UsageError(str(error)) from error
    how = "json" if given["as_json"] else "text" if given["verbose"] else None
    sys.exit(guarded(command[0], lambda: trio.run(run, command, arguments, how)))


def arguments_of(root: str | None, given: dict[str, Any]) -> Arguments:
    """Return the options as a container takes them."""
    names: dict[str, str] = {}
    removed: list[str] = []
    for setting in given["env"]:
        name, sign, value = setting.partition("=")
        if sign:
            names[name] = value
        else:
            removed.append(name)
    arguments: Arguments = {
        "all": given["everything"],
        "rootdir": root,
        "mounts": mounts_of(given["bind"], given["tmpfs"], given["overlay"], dev=given["dev"]),
        "proc": given["proc"],
        "uid_map": given["uid_map"],
        "gid_map": given["gid_map"],
        "map_zero": given["map_zero"],
        "init": given["init"],
        "hostname": given["hostname"],
        "workdir": given["workdir"],
        "env": names | dict.fromkeys(removed),
        "flags": CLONE(sum(flag for name, (flag, _) in KINDS.items() if given[name])),
        "capabilities": given["capabilities"],
        "no_new_privs": given["no_new_privs"],
        "tty_injection": given["tty_injection"],
        "keep_caps": given["keep_caps"],
    }
    return arguments


async def run(command: Sequence[str], arguments: Arguments, how: str | None) -> int:
    """Run it; returns its exit status as a shell gives it."""
    async with open_local_task() as local:
        # read from an fd, and not by Python's handlers: it tells where a signal came from
        await local.signals.sigprocmask(SIG_BLOCK, FORWARDED)
        signals = await local.signals.signalfd(FORWARDED)
        container = Container(command, task=local, **arguments)
        async with container:
            if how is not None:
                tell(container, command, how)
            chosen = container.options
            own_pids = CLONE.NEWPID in chosen.flags and not chosen.init
            return await supervise(container.process, signals, own_pids=own_pids)


def tell(container: Container, command: Sequence[str], how: str) -> None:
    """Say what was started."""
    kinds = [name for name, (flag, _) in KINDS.items() if flag in container.options.flags]
    if how == "json":
        mounts = [
            {"kind": type(mount).__name__, "target": mount.place}
            for mount in container.options.mounts
        ]
        told = {"pid": container.pid, "command": list(command), "namespaces": kinds}
        click.echo(json.dumps({**told, "mounts": mounts}), err=True)
    else:
        new = ", ".join(kinds) or "no new"
        click.echo(
            f"rsyscall-ns: {command[0]} is process {container.pid}, {new} namespaces", err=True
        )
