"""Whatever reads bytes of the kernel's gives a value, or a named error, for any bytes."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import PERF_FORMAT, PERF_SAMPLE
from rsyscall_ns.near import abi
from rsyscall_ns.near.abi.layout import CStruct, Layout
from rsyscall_ns.near.abi.perf_event_h import PerfCounts
from rsyscall_ns.near.abi.perf_records import PerfForm
from rsyscall_ns.near.errors import RsyscallError

Parse = Callable[[bytes], object]


def parsers() -> Iterator[tuple[str, Parse]]:
    """Return all that are called unpack, but for those of C structs, which have tests of theirs."""
    for found in pkgutil.iter_modules(abi.__path__, abi.__name__ + "."):
        module = import_module(found.name)
        for name, thing in vars(module).items():
            if getattr(thing, "__module__", None) != found.name:
                continue
            if inspect.isfunction(thing) and name.startswith("unpack"):
                yield name, thing
            elif inspect.isclass(thing) and "unpack" in vars(thing) and not is_other(thing):
                yield name, vars(thing)["unpack"].__get__(None, thing)


def is_other(cls: type) -> bool:
    """Return whether it unpacks in another way."""
    return issubclass(cls, (CStruct, Layout, PerfCounts, PerfForm))


ALL: dict[str, Parse] = dict(parsers())
ALL["PerfCounts"] = partial(PerfCounts.unpack, form=PERF_FORMAT.GROUP | PERF_FORMAT.ID)
ALL["PerfForm"] = PerfForm(PERF_SAMPLE.IP | PERF_SAMPLE.CALLCHAIN, PERF_FORMAT(0), True).unpack
SMALL = st.lists(st.sampled_from([0, 1, 2, 4, 8, 16, 255]), max_size=300).map(bytes)


@pytest.mark.parametrize("name", ALL)
@given(raw=st.binary(max_size=300) | SMALL)
def test_any_bytes_become_a_value_or_a_named_error(name: str, raw: bytes) -> None:
    with suppress(RsyscallError):
        value = ALL[name](raw)
        if inspect.isgenerator(value):
            list(value)


def test_there_are_parsers() -> None:
    assert {"FuseReply", "Siginfo", "StatMount", "unpack_cmsgs", "unpack_sockaddr"} <= ALL.keys()
