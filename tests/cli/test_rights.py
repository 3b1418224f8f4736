"""What is taken from a command, by the options of each command line that runs one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsyscall_ns import CAP
from tests.cli.test_completion import in_bash
from tests.cli.test_completion import path as path  # noqa: PLC0414 - a fixture
from tests.cli.test_run import PROGRAM, run

STATUS = ["grep", "-E", "^(Cap|NoNewPrivs|Seccomp:)", "/proc/self/status"]
WAYS = ["run", "execute", "chroot", "inject"]
TWO = CAP.CHOWN | CAP.KILL


@pytest.fixture
def target() -> Iterator[str]:
    """Run a process in a user namespace, in which it is root."""
    command = [*PROGRAM, "run", "--user", "--map-zero", "--new-privs", "--", "sh", "-c"]
    with subprocess.Popen(
        [*command, "echo $$; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


def found(way: str, target: str, *options: str) -> dict[str, int]:
    """Return what a command has by these options, as root of a user namespace."""
    own = [target] if way == "inject" else ["--map-zero"] + ["/"] * (way == "chroot")
    done = run(way, "--user", *options, *own, "--", *STATUS)
    assert done.returncode == 0, done.stderr
    lines = (line.split(":") for line in done.stdout.splitlines())
    return {key: int(value, 16) for key, value in lines}


def ours() -> dict[str, int]:
    text = Path("/proc/self/status").read_text(encoding="ascii")
    lines = (line.partition(":") for line in text.splitlines())
    return {key: int(value, 16) for key, _, value in lines if key in {"NoNewPrivs", "Seccomp"}}


@pytest.mark.parametrize("way", WAYS)
def test_the_command_has_the_capabilities_that_are_named(way: str, target: str) -> None:
    two = found(way, target, "--capabilities", "chown,CAP_KILL")
    none = found(way, target, "--capabilities=none")

    assert {two[f"Cap{name}"] for name in ("Bnd", "Prm", "Eff")} == {int(TWO)}
    assert {none[f"Cap{name}"] for name in ("Bnd", "Prm", "Eff", "Inh", "Amb")} == {0}
    assert found(way, target)["CapEff"] > TWO


@pytest.mark.parametrize("way", WAYS)
def test_whether_programs_give_rights_is_chosen(way: str, target: str) -> None:
    assert found(way, target, "--no-new-privs")["NoNewPrivs"] == 1
    assert found(way, target, "--new-privs")["NoNewPrivs"] == ours()["NoNewPrivs"]


@pytest.mark.parametrize("way", WAYS)
def test_whether_input_can_be_pushed_into_a_terminal_is_chosen(way: str, target: str) -> None:
    assert found(way, target, "--no-tty-injection")["Seccomp"] == 2
    assert found(way, target, "--tty-injection")["Seccomp"] == ours()["Seccomp"]


def test_capabilities_can_be_kept_without_being_root() -> None:
    options = ["--user", "--capabilities", "chown,kill", "--keep-caps"]
    for way in (["run"], ["execute"], ["chroot"]):
        place = ["/"] if way == ["chroot"] else []
        done = run(*way, *options, *place, "--", "grep", "CapAmb", "/proc/self/status")
        assert done.returncode == 0, done.stderr
        assert int(done.stdout.split()[1], 16) == TWO


@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_capability_is_refused_by_name(way: str, target: str) -> None:
    done = run(way, "--user", "--capabilities", "chown,fly", target, "--", "true")

    assert done.returncode == 2
    assert "'fly' is no capability" in done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_bash_completes_them(path: str, way: str) -> None:
    assert in_bash(path, way, "--cap") == ["--capabilities"]
    assert in_bash(path, way, "--no-n") == ["--no-new-privs"]
    assert set(in_bash(path, way, "--capabilities", "chown,net_b")) == {
        "chown,net_bind_service",
        "chown,net_broadcast",
    }
