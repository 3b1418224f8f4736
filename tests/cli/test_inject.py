"""``rsyscall-ns inject``, as its user meets it: a command in namespaces of a process that runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.test_run import KINDS, LINKS, PROGRAM, namespaces_of, one_line, run
from tests.cli.test_terminal import INTERRUPT_KEY, Terminal
from tests.support.children import IS_ROOT

SHOW = ["--", "sh", "-c", LINKS]
OWN = ["--user", "--pid"]


@contextmanager
def target(*options: str) -> Generator[int, None, None]:
    """Have a process in namespaces of its own; gives its pid."""
    command = [*PROGRAM, "execute", "--json", *options, "--", "sh", "-c", "echo ready; read x"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            assert process.stderr is not None
            yield json.loads(process.stderr.readline())["pid"]
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


@pytest.fixture(scope="module")
def box() -> Generator[str, None, None]:
    """Have one in new namespaces of all kinds, on a host with a name."""
    with target("--all", "--map-zero", "--hostname", "box") as pid:
        yield str(pid)


def of_process(pid: str) -> dict[str, str]:
    return {kind: Path(f"/proc/{pid}/ns/{kind}").readlink().name for kind in KINDS}


@pytest.mark.parametrize("options", [[], ["--all"], ["--all", "--net"]], ids=" ".join)
def test_without_options_and_with_all_it_is_in_all_of_them(box: str, options: list[str]) -> None:
    done = run("inject", *options, box, *SHOW)

    assert done.stderr == ""
    assert namespaces_of(done.stdout) == of_process(box)


@pytest.mark.parametrize("kind", ["user", "net", "uts", "ipc", "cgroup", "time", "mnt", "fs"])
def test_it_is_in_those_that_were_asked_for_alone(box: str, kind: str) -> None:
    asked = {"user", "mnt" if kind == "fs" else kind}
    options = ["--user", f"--{kind}"]
    if "mnt" in asked:  # /proc in there has a "self" for processes in there only
        asked.add("pid")
        options.append("--pid")
    found = namespaces_of(run("inject", *options, box, *SHOW).stdout)

    ours, theirs = of_process("self"), of_process(box)
    assert found == {name: (theirs if name in asked else ours)[name] for name in KINDS}


def test_a_pid_namespace_is_joined(box: str) -> None:
    done = run("inject", box, "--", "sh", "-c", "echo $$; cat /proc/1/comm; echo /proc/[0-9]*")

    own, first, *shown = done.stdout.split()
    assert int(own) > 1
    assert first == "sh"
    assert {"/proc/1", f"/proc/{own}"} <= set(shown)
    assert f"/proc/{os.getpid()}" not in shown


def test_the_dashes_can_be_left_out_and_streams_are_ours(box: str) -> None:
    done = subprocess.run(
        [*PROGRAM, "inject", box, "sh", "-c", "hostname; id -u; cat; echo no >&2"],
        input="in\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == ["box", "0", "in"]
    assert done.stderr == "no\n"


@pytest.mark.parametrize("options", [[], OWN, ["--user", "--net"]], ids=" ".join)
def test_statuses_are_the_commands(box: str, options: list[str]) -> None:
    assert run("inject", *options, box, "--", "sh", "-c", "exit 3").returncode == 3
    assert run("inject", *options, box, "--", "sh", "-c", "kill -USR1 $$").returncode == (
        128 + signal.SIGUSR1
    )


def test_what_was_started_is_told(box: str) -> None:
    done = run("inject", "--json", "--user", "--uts", box, "--", "sh", "-c", "echo $$")
    told = json.loads(done.stderr)

    assert told == {
        "pid": int(done.stdout),
        "command": ["sh", "-c", "echo $$"],
        "namespaces": ["user", "uts"],
        "target": int(box),
    }
    text = run("inject", "-v", "--user", "--uts", box, "--", "true").stderr
    assert f"in the user, uts namespaces of process {box}\n" in text


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        ("no-such-command", 127, "command not found"),
        ("/no/such/command", 127, "/no/such/command"),
        ("/etc/passwd", 126, "Permission denied"),
    ],
)
def test_a_command_that_cant_be_run_gives_one_line(
    box: str, command: str, status: int, says: str
) -> None:
    for options in ([], ["--user", "--net"]):
        done = run("inject", *options, box, "--", command)
        assert done.returncode == status
        assert says in one_line(done)


def test_a_process_that_is_not_there_gives_one_line_and_125() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    done = run("inject", str(process.pid), "--", "true")

    assert done.returncode == 125
    assert f"process {process.pid}: there is no such process" in one_line(done)


@pytest.mark.skipif(IS_ROOT, reason="root may look into any process")
def test_a_process_of_another_user_gives_one_line_and_125() -> None:
    done = run("inject", "1", "--", "true")

    assert done.returncode == 125
    assert "be its user, or root" in one_line(done)


@pytest.mark.skipif(IS_ROOT, reason="root may join without the user namespace")
def test_namespaces_that_cant_be_joined_give_one_line_and_125(box: str) -> None:
    done = run("inject", "--net", box, "--", "touch", "/tmp/never")  # noqa: S108 - never made

    assert done.returncode == 125
    assert "--user" in one_line(done)
    assert not Path("/tmp/never").exists()  # noqa: S108 - never made


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "PID"),
        (["1"], "COMMAND"),
        (["1", "--"], "COMMAND"),
        (["0", "--", "true"], "0"),
        (["x", "--", "true"], "x"),
        (["--no-such-option", "1", "--", "true"], "--no-such-option"),
    ],
    ids=str,
)
def test_wrong_usage_gives_2_and_says_what_is_wrong(args: Sequence[str], says: str) -> None:
    done = run("inject", *args)

    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("sig", ["INT", "TERM", "HUP", "QUIT"])
@pytest.mark.parametrize("options", [[], ["--user", "--net"]], ids=["all", "net"])
def test_signals_are_passed_on(box: str, sig: str, options: list[str]) -> None:
    script = f"exec 3<&0; trap 'exit 7' {sig}; echo ready; cat <&3 & wait $!"
    with subprocess.Popen(
        [*PROGRAM, "inject", *options, box, "--", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(getattr(signal, f"SIG{sig}"))
        assert process.wait() == 7


@pytest.mark.parametrize("options", [[], ["--user", "--net"]], ids=["all", "net"])
def test_killing_it_leaves_no_command_behind(box: str, options: list[str]) -> None:
    command = [*PROGRAM, "inject", *options, box, "--", "sh", "-c", "echo ready; exec sleep 1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
        process.wait()
        # the end of the output: nobody else holds the pipe any more
        assert process.stdout.read() == ""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pty.fork: no thread of ours runs
@pytest.mark.parametrize("options", [[], ["--user", "--net"]], ids=["all", "net"])
def test_the_command_has_the_terminal_and_its_interrupt_key(box: str, options: list[str]) -> None:
    terminal = Terminal("inject", *options, box, "--", "cat")
    os.write(terminal.fd, b"word\n")
    terminal.read_until(b"word\r\nword")
    os.write(terminal.fd, INTERRUPT_KEY)

    assert terminal.status() == 130


def test_help_names_every_option_and_has_examples() -> None:
    text = run("inject", "--help").stdout

    assert all(f"--{kind}" in text for kind in (*KINDS, "all", "fs", "json", "verbose"))
    assert "rsyscall-ns inject --net 4321 -- ip addr" in text
    assert "inject" in run("--help").stdout.split()
