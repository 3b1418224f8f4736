"""What becomes of a user's errors: one line and an exit status, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import click

from rsyscall_ns.near.errors import RsyscallError

__all__ = ["EXIT_FAILED", "guarded"]

EXIT_FAILED: Final = 125  # as env(1) and others: the failure is ours, not the command's
EXIT_CANNOT_EXEC: Final = 126
EXIT_NOT_FOUND: Final = 127


def guarded(name: str, function: Callable[[], int]) -> int:
    """Call what runs a command of this name; returns its status, or ours."""
    try:
        return function()
    except FileNotFoundError as error:
        if error.filename not in {name, None}:
            click.echo(f"rsyscall-ns: {name}: {error.strerror}: {error.filename}", err=True)
        else:
            click.echo(f"rsyscall-ns: {name}: command not found", err=True)
        return EXIT_NOT_FOUND
    except RsyscallError as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        path = f": {error.filename}" if isinstance(error, OSError) and error.filename else ""
        click.echo(f"rsyscall-ns: {text}{path}", err=True)
        return EXIT_FAILED
    except OSError as error:
        click.echo(f"rsyscall-ns: {name}: {error.strerror}", err=True)
        return EXIT_CANNOT_EXEC
