"""Every constant of the tables has the value that the C headers of both machines give it."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import pytest

from tests.near.abi import tables
from tests.support.cheaders import differing

FAMILIES = [found.name for found in pkgutil.iter_modules(tables.__path__)]
MACHINES = ("x86_64", "aarch64")


def constants(family: str) -> dict[str, int]:
    module = import_module(f"{tables.__name__}.{family}")
    found = dict(getattr(module, "NAMES", {}))
    for prefix, enumeration in getattr(module, "ENUMS", {}).items():
        for name, member in enumeration.__members__.items():
            found.setdefault(prefix + name, int(member))
    return found


def machines(family: str) -> tuple[str, ...]:
    """Return which machines have the family's headers."""
    found: tuple[str, ...] = getattr(
        import_module(f"{tables.__name__}.{family}"), "ON_MACHINES", MACHINES
    )
    return found


@pytest.mark.parametrize(
    ("family", "machine"), [(family, one) for family in FAMILIES for one in machines(family)]
)
def test_the_c_headers_agree(family: str, machine: str) -> None:
    headers = import_module(f"{tables.__name__}.{family}").HEADERS
    ours = constants(family)

    wrong, lacking = differing(machine, headers, ours)

    assert wrong == set()
    assert lacking != ours.keys(), "no header has any of them: is one missing in the table?"
