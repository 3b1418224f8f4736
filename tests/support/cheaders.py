"""What the C compiler says that names and structs of C headers are."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

__all__ = ["c_values", "compiler", "named"]

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
