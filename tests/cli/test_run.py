"""The command line as its user meets it: real processes, their output and their statuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

import pytest

PROGRAM = [sys.executable, "-c", "from rsyscall_ns.cli import main; main()"]
KINDS = ("user", "pid", "mnt", "net", "uts", "ipc", "cgroup", "time")


def run(*args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
    )


@contextmanager
def running(*args: str) -> Generator[subprocess.Popen[str], None, None]:
    """Start it with its output on a pipe, and end it whatever happens."""
    process = subprocess.Popen([*PROGRAM, *args], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def namespaces_of(output: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in output.splitlines())


LINKS = (
    'for k in user pid mnt net uts ipc cgroup time; do echo "$k $(readlink /proc/self/ns/$k)"; done'
)


@pytest.mark.parametrize("kind", KINDS)
def test_each_option_gives_a_namespace_of_its_kind(kind: str) -> None:
    ours = namespaces_of(subprocess.check_output(["sh", "-c", LINKS], text=True))
    done = run("run", "--user", f"--{kind}", "--", "sh", "-c", LINKS)

    assert done.returncode == 0
    theirs = namespaces_of(done.stdout)
    # with a pid namespace alone, /proc is still the old one, and has no "self" for it
    if kind != "pid":
        assert {name for name in ours if ours[name] != theirs[name]} == {"user", kind}


def test_all_gives_new_namespaces_of_all_kinds() -> None:
    ours = namespaces_of(subprocess.check_output(["sh", "-c", LINKS], text=True))
    done = run("run", "--all", "--", "sh", "-c", LINKS)

    theirs = namespaces_of(done.stdout)
    assert {name for name in ours if ours[name] != theirs[name]} == set(KINDS)


def test_without_options_the_command_runs_where_we_are() -> None:
    ours = subprocess.check_output(["sh", "-c", LINKS], text=True)

    assert run("run", "--", "sh", "-c", LINKS).stdout == ours


def test_with_all_the_command_is_process_1_and_ps_sees_nothing_else() -> None:
    done = run("run", "--all", "--", "ps", "-e", "-o", "pid=,args=")

    assert done.stdout.split() == ["1", "ps", "-e", "-o", "pid=,args="]


def test_loopback_is_up_in_a_new_network() -> None:
    script = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.fileno() > 2)"

    assert run("run", "--user", "--net", "--", sys.executable, "-c", script).stdout == "True\n"


def test_ids_are_kept_unless_they_are_mapped_to_zero() -> None:
    kept = run("run", "--user", "--", "sh", "-c", "id -u; id -g")
    zero = run("run", "--user", "--map-zero", "--", "sh", "-c", "id -u; id -g")

    assert kept.stdout.split() == [str(os.geteuid()), str(os.getegid())]
    assert zero.stdout.split() == ["0", "0"]


@pytest.mark.parametrize("status", [0, 1, 3, 255])
def test_the_exit_status_is_the_commands(status: int) -> None:
    assert run("run", "--", "sh", "-c", f"exit {status}").returncode == status


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1])
def test_a_signal_that_kills_gives_128_more(sig: signal.Signals) -> None:
    assert run("run", "--", "sh", "-c", f"kill -{int(sig)} $$").returncode == 128 + sig


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("command", ["no-such-command", "/no/such/command"])
def test_an_unknown_command_gives_one_line_and_127(command: str) -> None:
    done = run("run", "--", command)

    assert done.returncode == 127
    assert command in one_line(done)


def test_what_can_not_be_executed_gives_one_line_and_126() -> None:
    done = run("run", "--", "/etc/passwd")

    assert done.returncode == 126
    assert "Permission denied" in one_line(done)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may have any namespace")
def test_a_namespace_that_this_user_may_not_have_gives_one_line_and_125() -> None:
    done = run("run", "--net", "--", "true")

    assert done.returncode == 125
    assert "CLONE.NEWUSER" in one_line(done)


def test_wrong_usage_gives_2_and_says_what_is_wrong() -> None:
    assert "COMMAND" in run("run").stderr
    assert run("run").returncode == 2
    done = run("run", "--map-zero", "--", "true")
    assert done.returncode == 2
    assert "--user" in done.stderr


def test_a_misspelt_option_is_wrong_usage_and_no_command() -> None:
    done = run("run", "--usr", "--", "true")

    assert done.returncode == 2
    assert "--usr" in done.stderr


def test_help_names_every_option_and_status() -> None:
    text = run("run", "--help").stdout

    assert all(f"--{kind}" in text for kind in (*KINDS, "all", "map-zero"))
    assert all(status in text for status in ("125", "126", "127", "128"))
    assert "run" in run("--help").stdout


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [(), ("--all",)], ids=["plain", "all"])
def test_signals_are_passed_on(sig: signal.Signals, options: Sequence[str]) -> None:
    # cat keeps the shell waiting; it catches the signal, says so, and exits with 7
    script = f"exec 3<&0; trap 'echo got it; exit 7' {sig.name[3:]}; echo ready; cat <&3 & wait $!"
    process = subprocess.Popen(
        [*PROGRAM, "run", *options, "--", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert first_line(process) == "ready\n"
        process.send_signal(sig)
        assert first_line(process) == "got it\n"
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 7


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_a_process_1_without_a_handler_dies_of_a_signal_all_the_same(sig: signal.Signals) -> None:
    script = (
        f"import signal; signal.signal({int(sig)}, signal.SIG_DFL); print('ready', flush=True);"
    )
    script += "signal.pause()"
    with running("run", "--all", "--", sys.executable, "-c", script) as process:
        assert first_line(process) == "ready\n"
        process.send_signal(sig)
        assert process.wait() == 128 + sig


def test_killing_it_leaves_no_command_behind() -> None:
    with running("run", "--all", "--", "sh", "-c", "echo ready; exec sleep 1000") as process:
        assert first_line(process) == "ready\n"
        process.kill()
        process.wait()
        # the end of the output: nobody else holds the pipe any more
        assert process.stdout is not None
        assert process.stdout.read() == ""
