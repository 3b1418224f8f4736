"""What an error of a call that is not there says."""

from __future__ import annotations

import os
from errno import ENOSYS

import pytest

from rsyscall_ns import MissingCallError, RsyscallError
from rsyscall_ns.near.errors import kernel_error, missing_call, version


def running(monkeypatch: pytest.MonkeyPatch, release: str, machine: str) -> None:
    uname = os.uname()
    fields = (uname.sysname, uname.nodename, release, uname.version, machine)
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(fields))


def test_a_call_that_is_newer_than_the_kernel_names_the_one_that_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running(monkeypatch, "6.1.0-13-amd64", "x86_64")

    error = missing_call("statmount", "child 5")

    assert "statmount(2) in child 5" in str(error)
    assert "it came with Linux 6.8, and this kernel is 6.1.0-13-amd64" in str(error)


def test_one_that_the_kernel_should_have_was_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, "6.8.2", "x86_64")

    assert "Linux has it since 6.8" in str(missing_call("statmount", "child 5"))
    assert "a filter of system calls" in str(missing_call("statmount", "child 5"))


def test_one_of_another_machine_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, "6.18.0", "aarch64")

    assert "there is none on aarch64" in str(missing_call("open", "child 5"))


def test_one_that_is_gone_says_when_or_why() -> None:
    assert "removed in Linux 6.7" in str(missing_call("lookup_dcookie", "child 5"))
    assert "no kernel up to 6.18 has it" in str(missing_call("reticulate", "child 5"))


def test_it_is_an_os_error_with_errno_and_path() -> None:
    error = kernel_error(ENOSYS, "openat2", "child 5", "/some/path")

    assert isinstance(error, MissingCallError)
    assert isinstance(error, OSError)
    assert isinstance(error, RsyscallError)
    assert (error.errno, error.filename) == (ENOSYS, "/some/path")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("6.8", (6, 8)),
        ("2.6.16", (2, 6, 16)),
        ("6.1.0-13-amd64", (6, 1, 0)),
        ("6.18.44-fc-v657", (6, 18, 44)),
        ("5.15.0+", (5, 15)),
    ],
)
def test_a_version_is_what_its_numbers_are(text: str, numbers: tuple[int, ...]) -> None:
    assert version(text) == numbers
