"""What calls take is read from the table as the kernel writes it."""

from __future__ import annotations

import pytest

from rsyscall_ns.near.nr.signatures import Parameter, signature, signatures

WORDS = 6


def parameter(call: str, name: str) -> Parameter:
    """Return one parameter of a call."""
    known = signature(call)
    assert known is not None
    return next(found for found in known.parameters if found.name == name)


def test_every_row_of_the_table_is_a_call_of_at_most_six_parameters() -> None:
    assert len(signatures()) > 380
    assert all(len(known.parameters) <= WORDS for known in signatures().values())
    assert all(known.least <= len(known.parameters) for known in signatures().values())


def test_a_parameter_has_its_name_and_type() -> None:
    known = signature("openat")

    assert known is not None
    assert [found.name for found in known.parameters] == ["dfd", "filename", "flags", "mode"]
    assert known.least == 3


@pytest.mark.parametrize(
    ("call", "name", "text"),
    [
        ("openat", "filename", True),
        ("mount", "type", True),
        ("mount", "data", False),
        ("write", "buf", False),
        ("read", "buf", False),
        ("sethostname", "name", False),
        ("setxattr", "name", True),
    ],
)
def test_a_string_is_told_from_a_buffer(call: str, name: str, *, text: bool) -> None:
    assert parameter(call, name).text == text
    assert parameter(call, name).pointer


@pytest.mark.parametrize(
    ("call", "name", "fd"),
    [
        ("openat", "dfd", True),
        ("mmap", "fd", True),
        ("splice", "fd_in", True),
        ("dup3", "oldfd", True),
        ("dup3", "newfd", False),
        ("close_range", "max_fd", False),
        ("select", "n", False),
        ("poll", "ufds", False),
    ],
)
def test_an_fd_that_is_used_is_told_from_other_numbers(call: str, name: str, *, fd: bool) -> None:
    assert parameter(call, name).fd == fd


@pytest.mark.parametrize(
    ("call", "name", "least", "most"),
    [
        ("openat", "flags", -(2**31), 2**32 - 1),
        ("openat", "mode", 0, 0o177777),
        ("read", "count", 0, 2**63 - 1),
        ("mmap", "addr", -(2**63), 2**64 - 1),
        ("read", "buf", -(2**63), 2**64 - 1),
    ],
)
def test_a_number_must_fit_its_c_type(call: str, name: str, least: int, most: int) -> None:
    assert parameter(call, name).range == (least, most)


def test_where_the_kernel_keeps_no_names_a_call_takes_words() -> None:
    known = signature("uselib")

    assert known is not None
    assert [found.name for found in known.parameters] == [f"arg{n}" for n in range(1, 7)]
    assert known.least == 0


def test_a_call_that_there_is_not_has_no_signature() -> None:
    assert signature("reticulate") is None
