"""What was found, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .finding import Finding

__all__ = ["as_json", "missing", "show"]


def as_json(findings: Sequence[Finding]) -> str:
    """Return all of it."""
    whole = {
        "kernel": platform.release(),
        "machine": platform.machine(),
        "run_all": not missing(findings),
        "findings": [finding.as_dict() for finding in findings],
    }
    return json.dumps(whole, indent=2)


def show(console: Console, findings: Sequence[Finding]) -> None:
    """Print a row for each thing, and what is to be done at the end of its row."""
    table = Table(title=f"Linux {platform.release()}, {platform.machine()}", title_justify="left")
    for heading in ("", "what", "works", "how, or why not"):
        table.add_column(heading)
    group = ""
    for finding in findings:
        first = finding.group if finding.group != group else ""
        if first:
            table.add_section()
        group = finding.group
        detail = escape(finding.detail)
        if finding.cure:
            detail += f"\n[bold]do:[/] {escape(finding.cure)}"
        works = "[green]yes[/]" if finding.works else "[red]no[/]" if finding.needed else "no"
        table.add_row(first, escape(finding.name), works, detail)
    console.print(table)
    lacking = missing(findings)
    if lacking:
        console.print(f"[red]`rsyscall-ns run --all` will not work[/]: {', '.join(lacking)}")
    else:
        console.print("[green]`rsyscall-ns run --all` works here[/]")


def missing(findings: Sequence[Finding]) -> list[str]:
    """Return what ``run --all`` needs, and can't have."""
    return [finding.name for finding in findings if finding.needed and not finding.works]
