"""What is taken from a command, as options of the command line tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import click
from click.shell_completion import CompletionItem

from rsyscall_ns.near.abi.capability_h import CAP

__all__ = ["keep_option", "right_options"]

Function = TypeVar("Function", bound=Callable[..., object])


def parse(_: click.Context, __: click.Parameter, value: str | None) -> CAP | None:
    """Return the set; names are case-insensitive, with or without "cap_"."""
    if value is None:
        return None
    found = CAP.NONE
    for word in value.split(","):
        name = word.strip().upper().removeprefix("CAP_")
        if name not in CAP.__members__:
            raise click.BadParameter(f"{word!r} is no capability: say net_admin,kill or none")
        found |= CAP[name]
    return found


def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the names that the last word may become."""
    before, comma, word = incomplete.rpartition(",")
    names = map(str.lower, CAP.__members__)
    return [CompletionItem(before + comma + name) for name in names if name.startswith(word)]


OPTIONS: Final = (
    click.option(
        "--capabilities",
        metavar="NAMES",
        callback=parse,
        shell_complete=complete,
        help="All that COMMAND may have: net_admin,kill or none.",
    ),
    click.option(
        "--no-new-privs/--new-privs",
        default=None,
        help="Whether set-uid programs and file capabilities have no effect.",
    ),
    click.option(
        "--tty-injection/--no-tty-injection",
        default=None,
        help="Whether COMMAND may push input into a terminal.",
    ),
)
keep_option = click.option(
    "--keep-caps", is_flag=True, help="Keep the capabilities without being root."
)


def right_options(function: Function) -> Function:
    """Add the options to a command; each is None where it was not said."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function
