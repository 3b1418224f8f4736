"""What is mounted, as options of the command line tell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import click

from rsyscall_ns.containers.errors import ContainerArgumentError
from rsyscall_ns.containers.mounts.bind import BindMount
from rsyscall_ns.containers.mounts.description import MountDescription
from rsyscall_ns.containers.mounts.dev import DevMount
from rsyscall_ns.containers.mounts.overlay import OverlayMount
from rsyscall_ns.containers.mounts.tmpfs import TmpfsMount
from rsyscall_ns.near.errors import PathError

from .completion import files

__all__ = ["mount_options", "mounts_of"]

Function = TypeVar("Function", bound=Callable[..., object])
OPTIONS: Final = {
    "--bind": "SRC[:DST[:ro]]: a file or directory of the host.",
    "--tmpfs": "DST[:SIZE]: files in memory; --tmpfs / is a root on its own.",
    "--overlay": "DST:LOWER[:LOWER...][,upper=DIR,work=DIR]: directories as one.",
}


def mount_options(function: Function) -> Function:
    """Add the options to a command."""
    function = click.option("--dev", is_flag=True, help="A minimal /dev.")(function)
    for name, text in reversed(OPTIONS.items()):
        function = click.option(
            name, multiple=True, metavar="SPEC", help=text, shell_complete=files
        )(function)
    return function


def mounts_of(
    bind: Sequence[str], tmpfs: Sequence[str], overlay: Sequence[str], *, dev: bool
) -> list[MountDescription]:
    """Return the descriptions, what is outside before what is in it."""
    try:
        found: list[MountDescription] = [
            *map(parse_bind, bind),
            *map(parse_overlay, overlay),
            *map(parse_tmpfs, tmpfs),
        ]
    except (ContainerArgumentError, PathError) as error:
        raise click.UsageError(str(error)) from error
    if dev:
        found.append(DevMount())
    return sorted(found, key=lambda mount: mount.place.rstrip("/").count("/"))


def parse_bind(spec: str) -> BindMount:
    """Return what SRC[:DST[:ro]] means."""
    source, _, rest = spec.partition(":")
    target, _, how = rest.partition(":")
    if how not in {"", "ro", "rw"}:
        raise click.UsageError(f"--bind {spec}: SRC[:DST[:ro]]")
    return BindMount(source, target or source, readonly=how == "ro")


def parse_tmpfs(spec: str) -> TmpfsMount:
    """Return what DST[:SIZE] means."""
    target, _, size = spec.partition(":")
    return TmpfsMount(target, size=size or None)


def parse_overlay(spec: str) -> OverlayMount:
    """Return what DST:LOWER[:LOWER...][,upper=DIR,work=DIR] means."""
    places, *settings = spec.split(",")
    target, *lower = places.split(":")
    more: dict[str, str] = {}
    for setting in settings:
        name, _, more[name] = setting.partition("=")
    if not lower or not more.keys() <= {"upper", "work"}:
        raise click.UsageError(f"--overlay {spec}: DST:LOWER[:LOWER...][,upper=DIR,work=DIR]")
    return OverlayMount(target, lower, more.get("upper"), more.get("work"))
