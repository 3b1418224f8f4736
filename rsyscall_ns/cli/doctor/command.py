"""The command itself: every probe in turn."""

from __future__ import annotations

import sys

import click
import trio
from rich.console import Console

from rsyscall_ns.tasks.local import open_local_task

from . import files, kernel, namespaces, networks
from .finding import Finding, examine
from .report import as_json, missing, show

__all__ = ["doctor_command"]

PROBES = (*namespaces.PROBES, *files.PROBES, *networks.PROBES, *kernel.PROBES)


async def examine_all(progress: Console | None) -> list[Finding]:
    """Try everything; ``progress``: where to say what is being tried."""
    findings: list[Finding] = []
    async with open_local_task() as task:
        for probe in PROBES:
            if progress is None:
                findings.append(await examine(task, probe))
                continue
            with progress.status(f"{probe.group}: {probe.name}"):
                findings.append(await examine(task, probe))
    return findings


@click.command("doctor")
@click.option("--json", "json_", is_flag=True, help="Print what was found as JSON.")
def doctor_command(*, json_: bool) -> None:
    """Try what this machine lets you do, and say what to do about the rest.

    Everything is tried for real, in children that end at once; nothing is changed. The exit
    status is 1 when something is missing that a plain `run --all` needs.
    """
    errors = Console(stderr=True)
    findings = trio.run(examine_all, errors if errors.is_terminal else None)
    if json_:
        click.echo(as_json(findings))
    else:
        show(Console(), findings)
    sys.exit(1 if missing(findings) else 0)
