"""Writes the modules of system-call numbers from the table beside this file.

Owns the form of ``x86_64.py`` and ``aarch64.py``; a test runs it again and compares. Use:
``python -m rsyscall_ns.near.nr.generate``.
"""

from __future__ import annotations

from pathlib import Path

from .table import TABLE, parse

__all__ = ["ARCHITECTURES", "main", "render"]

ARCHITECTURES = ("x86_64", "aarch64")
HERE = Path(__file__).parent


def render(architecture: str, table: str) -> str:
    """Return the source of the module for one architecture, given the table's text."""
    lines = [f'"""System-call numbers of {architecture}. Made by generate.py; do not edit."""', ""]
    for name, row in parse(table).items():
        number = row.number(architecture)
        if number is not None:
            lines.append(f"{name} = {number}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write both modules."""
    table = TABLE.read_text(encoding="utf-8")
    for architecture in ARCHITECTURES:
        (HERE / f"{architecture}.py").write_text(render(architecture, table), encoding="utf-8")


if __name__ == "__main__":
    main()
