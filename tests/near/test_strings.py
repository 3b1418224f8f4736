"""Paths and strings reach the kernel whole, or are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsyscall_ns import PathError
from rsyscall_ns.near.strings import StrPath, c_path, c_string


@pytest.mark.parametrize("value", ["/tmp/a", b"/tmp/a", Path("/tmp/a")])  # noqa: S108 - no file
def test_a_string_ends_with_a_nul(value: StrPath) -> None:
    assert c_string(value) == c_path(value) == b"/tmp/a\0"


@pytest.mark.parametrize("value", ["a\0b", b"a\0b", "\0"])
def test_a_nul_inside_is_refused(value: StrPath) -> None:
    with pytest.raises(PathError, match="NUL"):
        c_string(value)


def test_bytes_that_are_no_text_pass_unchanged() -> None:
    assert c_string(b"\xff\xfe") == b"\xff\xfe\0"
    assert c_string(b"\xff".decode("utf-8", "surrogateescape")) == b"\xff\0"


def test_a_path_may_have_4095_bytes_and_no_more() -> None:
    assert len(c_path("x" * 4095)) == 4096
    with pytest.raises(PathError, match="longer than 4095"):
        c_path("x" * 4096)


def test_text_that_no_path_can_hold_is_refused_with_a_path_error() -> None:
    with pytest.raises(PathError):
        c_string("\ud800")
