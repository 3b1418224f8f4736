"""Command: what to exec, as a value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsyscall_ns import Command, PathError


def test_it_becomes_what_the_kernel_takes() -> None:
    command = Command("/bin/echo", ["echo", b"by\xfftes", Path("/usr")])

    assert command.path() == b"/bin/echo\0"
    assert command.argv() == [b"echo\0", b"by\xfftes\0", b"/usr\0"]


def test_it_is_a_value() -> None:
    assert Command("/bin/true", ["true"]) == Command("/bin/true", ("true",))
    assert Command("/bin/true", ["true"]) != Command("/bin/true", ["true", "x"])


def test_the_environment_is_ours_with_the_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.setenv("CHANGED", "1")
    monkeypatch.setenv("REMOVED", "1")
    command = Command("/bin/true", ["true"], {"CHANGED": "2", "REMOVED": None, "NEW": ""})

    envp = command.envp()

    assert b"KEPT=1\0" in envp
    assert b"CHANGED=2\0" in envp
    assert b"NEW=\0" in envp
    assert not any(line.startswith(b"REMOVED=") for line in envp)
    assert len(envp) == len(os.environ)  # one less, one more


def test_a_variable_that_is_not_there_can_be_removed() -> None:
    assert Command("/bin/true", ["true"], {"NOT_THERE": None}).envp()


def test_with_args_appends() -> None:
    assert Command("/bin/ls", ["ls"]).with_args("-l", "/").args == ("ls", "-l", "/")


def test_with_env_adds_to_the_changes() -> None:
    command = Command("/bin/true", ["true"], {"A": "1", "B": "1"}).with_env(B="2", C=None)

    assert command.env_updates == {"A": "1", "B": "2", "C": None}


@pytest.mark.parametrize(
    "command",
    [
        Command("/bin/\0true", ["true"]),
        Command("/bin/true", ["tr\0ue"]),
        Command("/bin/true", ["true"], {"A": "1\0B=2"}),
        Command("/bin/true", ["true"], {"A\0": "1"}),
    ],
)
def test_a_nul_byte_is_refused(command: Command) -> None:
    with pytest.raises(PathError, match="NUL"):
        _ = command.path(), command.argv(), command.envp()


def test_a_path_that_is_too_long_is_refused() -> None:
    with pytest.raises(PathError, match="longer"):
        Command("/" + "a" * 5000, ["a"]).path()


def test_one_string_instead_of_a_list_is_refused() -> None:
    with pytest.raises(PathError, match="list"):
        Command("/bin/ls", "ls -l")


@pytest.mark.parametrize("name", ["A=B", ""])
def test_a_variable_s_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(PathError):
        Command("/bin/true", ["true"], {name: "1"}).envp()


def test_shown_it_is_its_arguments() -> None:
    assert str(Command("/bin/ls", ["ls", "-l"])) == "ls -l"
