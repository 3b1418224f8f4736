"""Completion of command lines, as the shells themselves do it with our script."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_run import PROGRAM, run

COMPLETE = """
compopt() { echo "paths: $2"; }
eval "$(rsyscall-ns completion bash)"
complete -p rsyscall-ns >&2
COMP_CWORD=$(($# - 1))
COMP_WORDS=("$@")
_rsyscall_ns_completion rsyscall-ns
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Have the program in a folder of its own, first on the path."""
    program = tmp_path / "rsyscall-ns"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def shell(path: str, *command: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PATH": path}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def in_bash(path: str, *words: str) -> list[str]:
    done = shell(path, "bash", "--norc", "-c", COMPLETE, "bash", "rsyscall-ns", *words)
    assert "_rsyscall_ns_completion rsyscall-ns" in done.stderr
    return done.stdout.split("\n")[:-1]


def test_bash_completes_commands_and_options(path: str) -> None:
    assert {"chroot", "execute", "inject", "run"} <= set(in_bash(path, ""))
    assert in_bash(path, "inj") == ["inject"]
    assert in_bash(path, "inject", "--ne") == ["--net", "--new-privs"]
    assert in_bash(path, "completion", "") == ["bash", "zsh", "fish"]


def test_bash_completes_processes_of_ours(path: str) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        found = in_bash(path, "inject", "--net", "")
        own = in_bash(path, "inject", str(process.pid))
    assert {str(process.pid), str(os.getpid())} <= set(found)
    assert str(process.pid) in own
    assert all(pid.startswith(str(process.pid)) for pid in own)
    if os.geteuid() != 0:
        assert "1" not in found


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["chroot", "/"], "dirnames"),
        (["execute", "--root", "/"], "dirnames"),
        (["execute", "--bind", "/"], "default"),
        (["run", "--", "/"], "default"),
        (["inject", "1", "--", "/"], "default"),
    ],
    ids=str,
)
def test_bash_completes_paths_where_paths_are_asked(path: str, words: list[str], kind: str) -> None:
    assert f"paths: {kind}" in in_bash(path, *words)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(path: str) -> None:
    script = "rsyscall-ns completion fish | source; complete -C 'rsyscall-ns inject --ne'"
    assert shell(path, "fish", "--no-config", "-c", script).stdout.split()[0] == "--net"


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_the_script(path: str) -> None:
    script = (
        "autoload -U compinit; compinit -u -D; "
        'eval "$(rsyscall-ns completion zsh)"; echo $_comps[rsyscall-ns]'
    )
    assert shell(path, "zsh", "-f", "-c", script).stdout == "_rsyscall_ns_completion\n"


def test_another_shell_is_wrong_usage() -> None:
    done = run("completion", "csh")
    assert done.returncode == 2
    assert "bash" in done.stderr
