"""Writes the modules of system-call numbers from the table beside this file.

Owns the form of ``x86_64.py`` and ``aarch64.py``; a test runs it again and compares. Use:
``python -m rsyscall_ns.near.nr.generate``.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["ARCHITECTURES", "main", "render"]

ARCHITECTURES = ("x86_64", "aarch64")
HERE = Path(__file__).parent


def render(architecture: str, table: str) -> str:
    """Return the source of the module for one architecture, given the table's text."""
    column = 1 + ARCHITECTURES.index(architecture)
    lines = [f'"""System-call numbers of {architecture}. Made by generate.py; do not edit."""', ""]
    for row in table.splitlines():
        cells = row.split("\t")
        if row.startswith("#") or cells[0] == "name" or not cells[column]:
            continue
        lines.append(f"{cells[0]} = {cells[column]}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write both modules."""
    table = (HERE / "syscalls.tsv").read_text()
    for architecture in ARCHITECTURES:
        (HERE / f"{architecture}.py").write_text(render(architecture, table))


if __name__ == "__main__":
    main()
