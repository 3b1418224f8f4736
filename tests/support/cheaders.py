"""What the C compiler says that names and structs of C headers are."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest
from attrs import frozen

__all__ = [
    "StructLayout",
    "c_values",
    "compiler",
    "compiler_for",
    "differing",
    "named",
    "struct_layout",
]

MARK = b"rsyscall"  # what stands before the numbers in an object file
HEAD = """
#define _GNU_SOURCE
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
"""


def compiler() -> str:
    """Return the C compiler, or skip the test."""
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None:
        pytest.skip("there is no C compiler, so its headers can't be compared with")
    return found


def c_values(
    headers: Iterable[str],
    expressions: Iterable[str],
    *,
    optional: bool = False,
    include: Path | None = None,
) -> Mapping[str, int]:
    """Return the values of C integer expressions.

    ``optional``: they are names of macros, and those that the headers lack are left out.
    """
    return _values(compiler(), tuple(headers), tuple(expressions), optional, include)


def named(values: Mapping[str, int], name: str) -> int:
    """Return one value, or skip the test because this machine's header is older than the name."""
    if name not in values:
        pytest.skip(f"the C headers of this machine are too old to have {name}")
    return values[name]


@cache
def _values(
    cc: str,
    headers: tuple[str, ...],
    expressions: tuple[str, ...],
    optional: bool,  # noqa: FBT001 - a cache key
    include: Path | None,
) -> dict[str, int]:
    lines = [HEAD, *(f"#include <{header}>" for header in headers), "int main(void) {"]
    for expression in expressions:
        line = f'printf("%lld %s\\n", (long long)({expression}), "{expression}");'
        lines.append(f"#ifdef {expression}\n{line}\n#endif" if optional else line)
    lines.append("return 0; }")
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "show.c"), Path(folder, "show")
        source.write_text("\n".join(lines), encoding="ascii")
        path = [] if include is None else [f"-I{include}"]
        subprocess.run([cc, *path, "-o", program, source], check=True)
        text = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    pairs = (line.split(" ", 1) for line in text.splitlines())
    return {name: int(value) for value, name in pairs}


@frozen
class StructLayout:
    """A C struct's size, and the offset and size of each member."""

    size: int
    members: Mapping[str, tuple[int, int]]


def compiler_for(machine: str) -> str:
    """Return the C compiler for a machine, or skip the test."""
    if machine == os.uname().machine:
        return compiler()
    found = shutil.which(f"{machine}-linux-gnu-gcc")
    if found is None:
        pytest.skip(f"there is no C compiler for {machine}, so its headers can't be compared with")
    return found


def struct_layout(machine: str, headers: str, c_name: str, members: Iterable[str]) -> StructLayout:
    """Return how a machine's compiler lays a struct out, with those members that it knows.

    ``headers``: separated by spaces. A struct that it does not know has the size 0. Nothing is
    run: the numbers are read out of the object file.
    """
    names = list(members)
    done, image = _object(compiler_for(machine), _layout_source(headers, c_name, names))
    unknown = set(re.findall(r"has no member named .(\w+)", done.stderr))
    if unknown:
        return struct_layout(
            machine, headers, c_name, [name for name in names if name not in unknown]
        )
    if re.search("No such file|incomplete type|undeclared", done.stderr):
        return StructLayout(0, {})
    assert done.returncode == 0, done.stderr
    count = 1 + 2 * len(names)
    values = struct.unpack_from(f"<{count}Q", image, image.index(MARK) + len(MARK))
    pairs = zip(values[1::2], values[2::2], strict=True)
    return StructLayout(values[0], dict(zip(names, pairs, strict=True)))


def _layout_source(headers: str, c_name: str, names: list[str]) -> str:
    wanted = [f"sizeof({c_name})"]
    for name in names:
        wanted += [f"offsetof({c_name}, {name})", f"sizeof((({c_name} *)0)->{name})"]
    includes = "".join(f"#include <{header}>\n" for header in headers.split())
    numbers = ", ".join(f"(unsigned long long)({one})" for one in wanted)
    return (
        f"{HEAD}{includes}const struct {{ char mark[{len(MARK)}]; "
        f"unsigned long long numbers[{len(wanted)}]; }} found = "
        f'{{"{MARK.decode()}", {{{numbers}}}}};\n'
    )


def _object(cc: str, source: str) -> tuple[subprocess.CompletedProcess[str], bytes]:
    with tempfile.TemporaryDirectory() as folder:
        text, made = Path(folder, "show.c"), Path(folder, "show.o")
        text.write_text(source, encoding="ascii")
        command = [cc, "-fmax-errors=0", "-c", "-o", str(made), str(text)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return done, made.read_bytes() if made.exists() else b""


def suffix(value: int) -> str:
    """Return what a number needs in C: without it, a large one makes the compiler warn."""
    return "U" if value >= 2**63 else ""


def differing(
    machine: str, headers: Iterable[str], constants: Mapping[str, int]
) -> tuple[set[str], set[str]]:
    """Return which constants a machine's C headers have with another value, and which they lack.

    Macros and enumerators are known alike. Compared are the low 32 bits, or 64 of larger ones.
    """
    includes = "".join(f"#include <{header}>\n" for header in headers)
    names = dict(constants)
    while True:
        lines = "".join(
            f"_Static_assert((({kind})({name})) == (({kind}){value}{suffix(value)}),"
            f' "differs:{name}:");\n'
            for name, value in names.items()
            for kind in ("unsigned" if -(2**31) <= value < 2**32 else "unsigned long long",)
        )
        done, _ = _object(compiler_for(machine), f"{HEAD}{includes}{lines}")
        if "No such file" in done.stderr:
            pytest.skip(f"the C headers for {machine} are too old to have all of {headers}")
        lacking = set(re.findall(r"error: .(\w+). undeclared", done.stderr)) & names.keys()
        if not lacking:
            break
        names = {name: value for name, value in names.items() if name not in lacking}
    wrong: set[str] = set(re.findall(r"differs:(\w+):", done.stderr))
    assert done.returncode == 0 or wrong, done.stderr
    return wrong, constants.keys() - names.keys()
