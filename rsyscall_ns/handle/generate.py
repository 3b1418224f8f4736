"""Writes ``by_name.pyi``: the type of ``program.calls``, a method for each system call.

A test runs it again and compares. Use: ``python -m rsyscall_ns.handle.generate``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rsyscall_ns.near.nr.signatures import Parameter, Signature, signatures
from rsyscall_ns.near.nr.table import rows

from .makes import ANY, MAKES, kind_made_by
from .named import is_text

__all__ = ["STUB", "main", "render"]

STUB: Final = Path(__file__).with_name("by_name.pyi")
HEAD: Final = '''"""The calls of a program, by name. Made by generate.py; do not edit."""

from os import PathLike
from typing import Any

from rsyscall_ns.near.program import Ref, Region

from .fds.fd import FileDescriptor
from .fds.holding import FDRef
KINDS
from .pointers.pointer import Pointer

Int = int | Ref
Word = int | Ref | Region | Pointer[Any]
Fd = int | Ref | FileDescriptor
Address = int | Ref | Region | Pointer[Any] | bytes | bytearray | memoryview | None
Text = int | Ref | Region | Pointer[Any] | str | bytes | PathLike[str] | PathLike[bytes] | None
Data = Address | Text

class Calls:
'''


def kind(parameter: Parameter) -> str:
    """Return the type of one argument."""
    if parameter.text:
        return "Text"
    if parameter.pointer:
        return "Data" if is_text(parameter) else "Address"
    if parameter.fd:
        return "Fd"
    return "Word" if parameter.address else "Int"


def method(name: str, known: Signature) -> str:
    """Return the method of one call."""
    parts = ["self"]
    for place, parameter in enumerate(known.parameters):
        default = " = ..." if place >= known.least else ""
        parts.append(f"{parameter.name}: {kind(parameter)}{default}")
    parts.append("*, must_succeed: bool = True")
    result = f"FDRef[{kind_made_by(name).__name__}]" if name in MAKES else "Ref"
    return f"    def {name}({', '.join(parts)}) -> {result}: ...\n"


def kinds() -> str:
    """Return the imports of what is made."""
    places = {place.rpartition(".") for place in MAKES.values() if place != ANY}
    lines = [f"from .kinds.{module} import {name}" for module, _, name in places]
    return "\n".join(sorted(lines))


def render() -> str:
    """Return the whole stub."""
    calls = {name: known for name, known in signatures().items() if rows()[name].family}
    return HEAD.replace("KINDS", kinds()) + "".join(
        method(name, known) for name, known in calls.items()
    )


def main() -> None:
    """Write it."""
    STUB.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
