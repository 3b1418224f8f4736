"""What is public stands in one of four lists, and in the one where it is looked for."""

from __future__ import annotations

import subprocess
import sys
from enum import Enum
from types import ModuleType

import pytest

import rsyscall_ns
from rsyscall_ns import constants, errors, objects, structs

LISTS = (constants, errors, objects, structs)
EACH = [(part, name) for part in LISTS for name in dir(part)]


def right_list(value: object) -> ModuleType:
    """Return where a value belongs."""
    home = getattr(value, "__module__", "")
    if isinstance(value, type) and issubclass(value, BaseException):
        return errors
    if isinstance(value, int | bytes) or (isinstance(value, type) and issubclass(value, Enum)):
        return constants
    return structs if home.startswith("rsyscall_ns.near.abi") else objects


def test_each_name_is_in_one_list_and_in_the_package() -> None:
    names = [name for _, name in EACH]

    assert sorted(names) == dir(rsyscall_ns)
    assert len(names) == len(set(names)) > 400


@pytest.mark.parametrize(("part", "name"), EACH, ids=lambda one: getattr(one, "__name__", one))
def test_a_name_is_in_the_list_where_it_is_looked_for(part: ModuleType, name: str) -> None:
    value = getattr(part, name)

    assert getattr(rsyscall_ns, name) is value
    if getattr(value, "__module__", "").startswith("rsyscall_ns"):  # a union or a number has none
        assert right_list(value) is part


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Conatiner'"):
        rsyscall_ns.Conatiner  # type: ignore[attr-defined] # noqa: B018 - asking is the test


def test_the_package_alone_imports_nothing_of_itself() -> None:
    code = (
        "import rsyscall_ns, sys; print(*[m for m in sys.modules if m.startswith('rsyscall_ns.')])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set(done.stdout.split()) == {part.__name__ for part in LISTS}
