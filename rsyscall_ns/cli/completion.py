"""``rsyscall-ns completion``: what a shell needs to complete our command lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ZshComplete

__all__ = ["completion_command", "files", "folders", "own_pids"]

SHELLS: Final = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
EXAMPLES: Final = """\b
Examples:
  eval "$(rsyscall-ns completion bash)"
  rsyscall-ns completion fish | source
"""


@click.command("completion", epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion_command(context: click.Context, /, *, shell: str) -> None:
    """Print a script for SHELL that completes commands, options, processes and paths.

    The shell's startup file evaluates it.
    """
    root = context.find_root()
    script = SHELLS[shell](root.command, {}, "rsyscall-ns", "_RSYSCALL_NS_COMPLETE")
    click.echo(script.source(), nl=False)


def own_pids(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the processes of this user, and what they run."""
    found: list[CompletionItem[str]] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or not entry.name.startswith(incomplete):
            continue
        try:
            if entry.stat().st_uid == os.geteuid():
                name = (entry / "comm").read_text(encoding="utf-8", errors="replace").strip()
                found.append(CompletionItem(entry.name, help=name))
        except OSError:
            continue  # it has ended meanwhile
    return sorted(found, key=lambda item: int(item.value))


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Let the shell complete a path."""
    return [CompletionItem(incomplete, type="file")]


def folders(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Let the shell complete the path of a directory."""
    return [CompletionItem(incomplete, type="dir")]
