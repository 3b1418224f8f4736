"""Any bytes are a value of a serializer, and the same value again, or are refused by name."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import memory
from rsyscall_ns.memory.serializers import Serializer
from rsyscall_ns.near.errors import RsyscallError, SerializerError


def serializers() -> dict[str, Serializer[Any]]:
    """Return all that the package has."""
    modules = [
        import_module(module.name)
        for module in pkgutil.iter_modules(memory.__path__, memory.__name__ + ".")
    ]
    return {
        name: thing
        for module in modules
        for name, thing in vars(module).items()
        if name.isupper() and not isinstance(thing, int) and hasattr(thing, "to_bytes")
    }


ALL = serializers()
FIXED = {name: one for name, one in ALL.items() if one.size}


def test_there_are_serializers() -> None:
    assert {"BYTES", "INT32", "SIGSET", "NUMA_POLICY", "FD_PAIR", "SOCKADDR"} <= ALL.keys()


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
def test_bytes_become_a_value_and_the_same_value_again(name: str, data: st.DataObject) -> None:
    serializer = ALL[name]
    least, most = (serializer.size, serializer.size) if serializer.size else (0, 300)
    raw = data.draw(st.binary(min_size=least, max_size=most))

    try:
        value = serializer.from_bytes(raw)
        again = serializer.to_bytes(value)
    except RsyscallError:
        return
    assert serializer.from_bytes(again) == value
    assert serializer.size in {0, len(again)}


@pytest.mark.parametrize("name", FIXED)
@given(data=st.data())
def test_bytes_that_are_too_few_or_too_many_are_refused(name: str, data: st.DataObject) -> None:
    serializer = FIXED[name]
    raw = data.draw(
        st.binary(max_size=serializer.size - 1) | st.binary(min_size=serializer.size + 1)
    )

    with pytest.raises(SerializerError, match=f"takes {serializer.size} bytes.*{len(raw)}"):
        serializer.from_bytes(raw)
