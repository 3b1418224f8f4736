"""The tables of system-call numbers are the generated ones, and the C headers agree."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsyscall_ns import SYS
from rsyscall_ns.near import nr
from rsyscall_ns.near.nr import aarch64, generate, name_of, x86_64
from tests.support.cheaders import c_values

FOLDER = Path(nr.__file__).parent
MODULES = {"x86_64": x86_64, "aarch64": aarch64}
ALIASES = {"sync_file_range", "sync_file_range2"}  # one call of two names on aarch64
LEAST = 300  # system calls of either architecture


def numbers(architecture: str) -> dict[str, int]:
    pairs = vars(MODULES[architecture]).items()
    return {name: value for name, value in pairs if not name.startswith("_")}


@pytest.mark.parametrize("architecture", generate.ARCHITECTURES)
def test_the_checked_in_module_is_what_the_generator_makes(architecture: str) -> None:
    table = (FOLDER / "syscalls.tsv").read_text(encoding="utf-8")

    made = (FOLDER / f"{architecture}.py").read_text(encoding="utf-8")

    assert made == generate.render(architecture, table)


@pytest.mark.parametrize("architecture", generate.ARCHITECTURES)
def test_every_number_belongs_to_one_name(architecture: str) -> None:
    table = numbers(architecture)

    assert len(table) > LEAST
    double = {name for name in table if list(table.values()).count(table[name]) > 1}
    assert double <= ALIASES


def test_the_numbers_are_those_of_the_c_headers() -> None:
    table = numbers(os.uname().machine)
    there = c_values(("asm/unistd.h",), [f"__NR_{name}" for name in table], optional=True)

    assert len(there) > LEAST
    assert {name: table[name.removeprefix("__NR_")] for name in there} == dict(there)


def test_aarch64_lacks_the_calls_that_newer_ones_replace() -> None:
    assert not {"open", "pipe", "fork", "vfork", "dup2"} & set(numbers("aarch64"))
    assert {"open", "pipe", "fork", "vfork", "dup2"} <= set(numbers("x86_64"))


def test_a_number_has_its_name_in_messages() -> None:
    assert name_of(SYS.openat) == "openat"
    assert name_of(99999) == "system call 99999"
