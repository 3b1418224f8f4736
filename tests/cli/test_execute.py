"""``rsyscall-ns execute`` and ``chroot``, as their user meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.procfs import mountinfo
from tests.support.roots import FOLDERS, write_root

PROGRAM = [sys.executable, "-c", "from rsyscall_ns.cli import main; main()"]
SYSTEM = [word for name in FOLDERS for word in ("--bind", f"{name}:{name}:ro")]
LINKS = "for k in user pid mnt net uts ipc cgroup time; do readlink /proc/self/ns/$k; done"
OWN = ["--user", "--mnt", "--pid", "--map-zero"]


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *args], capture_output=True, text=True, check=False)


def test_all_gives_new_namespaces_and_a_root_of_its_own() -> None:
    before = mountinfo()
    options = ["--all", "--map-zero", "--hostname", "box", "--tmpfs", "/", *SYSTEM, "--dev"]
    done = run("execute", *options, "--", "sh", "-c", f"id -u; hostname; pwd; ls /; {LINKS}")

    assert done.stderr == ""
    lines = done.stdout.split()
    assert lines[:3] == ["0", "box", "/"]
    assert {"dev", "proc", "usr"} <= set(lines)
    assert "etc" not in lines
    ours = subprocess.run(["sh", "-c", LINKS], capture_output=True, text=True, check=True)
    assert set(lines[-8:]) & set(ours.stdout.split()) == set()
    assert mountinfo() == before


@pytest.mark.parametrize("option", ["--mnt", "--fs"])
def test_the_older_names_of_options_work(option: str) -> None:
    uid, gid = os.geteuid(), os.getegid()
    script = "cat /proc/self/uid_map /proc/self/gid_map"
    options = ["--user", option, "--uid", f"5 {uid} 1", "--gid", f"6 {gid} 1"]
    done = run("execute", *options, "--", "sh", "-c", script)

    assert done.stdout.split() == ["5", str(uid), "1", "6", str(gid), "1"]
    assert run("execute", "--user", "--id", "--", "id", "-u").stdout == "0\n"


def test_binds_tmpfs_and_overlays(tmp_path: Path) -> None:
    for name in ("data", "upper", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "file").write_text("data\n")
    upper = f"upper={tmp_path}/upper,work={tmp_path}/work"
    options = [
        *OWN,
        *("--tmpfs", "/", "--tmpfs", "/small:64k"),
        *SYSTEM,
        *("--bind", f"{tmp_path}/data:/a/data:ro"),
        *("--overlay", f"/over:{tmp_path}/data,{upper}"),
        *("--proc", "/processes", "--env", "COLOUR=green", "--env", "HOME", "--workdir", "/a"),
    ]
    script = (
        "cat data/file; touch data/x 2>/small/x || echo fixed; echo new > /over/made;"
        "grep -c size=64k /processes/self/mountinfo; echo $COLOUR ${HOME-none}"
    )
    done = run("execute", *options, "--", "sh", "-c", script)

    assert done.stderr == ""
    assert done.stdout.split() == ["data", "fixed", "1", "green", "none"]
    assert (tmp_path / "upper" / "made").read_text() == "new\n"


def test_chroot_and_root_are_the_same(tmp_path: Path) -> None:
    root = write_root(tmp_path / "root")
    first = run("chroot", *OWN, *SYSTEM, str(root), "--", "ls", "/")
    plain = run("chroot", *OWN, *SYSTEM, str(root), "ls", "/")
    second = run("execute", *OWN, *SYSTEM, "--root", str(root), "--", "ls", "/")

    assert first.stdout == plain.stdout == second.stdout
    assert "mnt" in first.stdout.split()
    assert "etc" not in first.stdout.split()


def test_what_was_started_is_told() -> None:
    done = run("execute", "--json", *OWN, "--", "sh", "-c", "exit 3")
    told = json.loads(done.stderr)

    assert done.returncode == 3
    assert told["namespaces"] == ["user", "pid", "mnt"]
    assert told["command"] == ["sh", "-c", "exit 3"]
    assert told["mounts"] == [{"kind": "ProcMount", "target": "/proc"}]
    assert told["pid"] > 0
    assert "user, pid, mnt" in run("execute", "-v", *OWN, "--", "true").stderr


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (["--user", "--", "no-such-command"], 127, "command not found"),
        (["--user", "--", "/etc/passwd"], 126, "Permission denied"),
        (["--user", "--mnt", "--bind", "/no/such", "--", "true"], 125, "/no/such"),
        (["--user", "--mnt", "--root", "/no/such", "--", "true"], 125, "/no/such"),
        (["--user", "--workdir", "/proc/self/fd/0", "--", "true"], 125, "symbolic link"),
        (["--hostname", "box", "--", "true"], 2, "uts"),
        (["--uid-map", "x", "--user", "--", "true"], 2, "id map"),
        (["--user", "--mnt", "--bind", "/a:/b:wo", "--", "true"], 2, "SRC"),
        (["--user", "--mnt", "--overlay", "/a", "--", "true"], 2, "LOWER"),
        (["--user", "--mnt", "--tmpfs", "/a:much", "--", "true"], 2, "size"),
        (["--no-such-option", "--", "true"], 2, "--no-such-option"),
        ([], 2, "COMMAND"),
    ],
    ids=str,
)
def test_errors_of_the_user_are_short(args: list[str], status: int, says: str) -> None:
    done = run("execute", *args)

    assert done.returncode == status
    assert done.stdout == ""
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert status == 2 or done.stderr.count("\n") == 1


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_passed_on(sig: signal.Signals) -> None:
    script = f"exec 3<&0; trap 'exit 7' {sig.name[3:]}; echo ready; cat <&3 & wait $!"
    with subprocess.Popen(
        [*PROGRAM, "execute", *OWN, "--", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(sig)
        assert process.wait() == 7


def test_help_names_every_option() -> None:
    text = run("execute", "--help").stdout

    for name in ("all", "user", "fs", "uid", "gid", "id", "proc", "bind", "tmpfs", "overlay"):
        assert f"--{name}" in text
    for name in ("dev", "hostname", "workdir", "env", "json", "verbose", "root"):
        assert f"--{name}" in text
    assert {"chroot", "execute", "run"} <= set(run("--help").stdout.split())


@pytest.mark.parametrize("how", ["run", "execute"])
def test_with_init_the_command_is_below_a_process_1(how: str) -> None:
    options = ["--user", "--pid", "--mnt", "--init"]
    done = run(how, *options, "--", "sh", "-c", "cat /proc/1/comm; kill -USR1 $$")
    assert done.stdout == "rsyscall-init\n"
    assert done.returncode == 128 + signal.SIGUSR1

    assert run(how, "--user", "--init", "--", "true").returncode == 2
    assert run(how, *options, "--", "no-such-program").returncode == 127


@pytest.mark.parametrize("how", ["run", "execute"])
def test_with_init_a_signal_is_passed_on_to_the_command(how: str) -> None:
    script = "trap 'exit 9' TERM; echo ready; while :; do read x; done"
    command = [*PROGRAM, how, "--user", "--pid", "--mnt", "--init", "--", "sh", "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 9
