"""``rsyscall-ns doctor`` says what works here, and what to do about the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trio

from rsyscall_ns import CAP
from tests.cli.test_run import KINDS, PROGRAM, run
from tests.support.networks import bridge_error

LIMITED = "echo 0 > /proc/sys/user/max_{}_namespaces && exec {}"


def doctor() -> tuple[int, dict[str, Any]]:
    done = run("doctor", "--json")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def doctor_without(kind: str) -> subprocess.CompletedProcess[str]:
    """Run it as root of a user namespace in which no namespace of a kind can be made."""
    script = LIMITED.format(kind, '"$@"')
    return run(
        "run", "--user", "--map-zero", "--", "sh", "-c", script, "sh", *PROGRAM, "doctor", "--json"
    )


def by_name(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["name"]: finding for finding in report["findings"]}


def test_where_run_all_works_it_says_so() -> None:
    status, report = doctor()

    works = run("run", "--all", "--", "true").returncode == 0
    assert (status == 0) == report["run_all"] == works


def test_each_finding_says_how_it_works_or_what_to_do() -> None:
    findings = by_name(doctor()[1])

    assert set(KINDS) < set(findings)
    assert {
        "overlay",
        "landlock",
        "userfaultfd",
        "io_uring",
        "FUSE",
        "tun",
        "bridge",
        "veth",
    } < set(findings)
    for finding in findings.values():
        assert finding["detail"]
        assert not (finding["works"] and finding["cure"])


@pytest.mark.parametrize("kind", ["net", "uts", "time"])
def test_a_kind_that_cannot_be_made_is_named_with_its_cure(kind: str) -> None:
    done = doctor_without(kind)

    report = json.loads(done.stdout)
    finding = by_name(report)[kind]
    assert done.returncode == 1
    assert not report["run_all"]
    assert not finding["works"]
    assert "ENOSPC" in finding["detail"]
    assert finding["cure"] == f"sysctl -w user.max_{kind}_namespaces=15000"


def test_it_makes_what_networks_of_containers_are_made_of() -> None:
    findings = by_name(doctor()[1])

    for name, error in (("bridge", trio.run(bridge_error)), ("veth", None)):
        if error is None:
            assert findings[name]["works"], findings[name]
        else:
            assert findings[name]["cure"]
    text = Path("/proc/self/status").read_text(encoding="ascii")
    own = int(text.partition("CapEff:")[2].split()[0], 16)
    assert findings["veth to the host"]["works"] == bool(own & CAP.NET_ADMIN)


def test_networks_without_their_extra_or_a_namespace_are_named_with_their_cure() -> None:
    lines = "import sys; sys.modules['pyroute2'] = None; "
    lines += "from rsyscall_ns.cli.main import main; sys.argv[1:] = ['doctor', '--json']; main()"
    done = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True, check=False
    )
    without = by_name(json.loads(done.stdout))
    refused = by_name(json.loads(doctor_without("net").stdout))

    for name in ("bridge", "veth"):
        assert without[name]["detail"] == "pyroute2 is not installed"
        assert without[name]["cure"] == "pip install 'rsyscall_ns[network]'"
        assert not refused[name]["works"]
        assert refused[name]["cure"] == "sysctl -w user.max_net_namespaces=15000"


def test_the_table_ends_with_the_answer() -> None:
    done = run("doctor")

    assert "namespaces" in done.stdout
    assert "rsyscall-ns run --all" in done.stdout.splitlines()[-1]


def test_it_leaves_no_control_group_and_no_directory(tmp_path: Path) -> None:
    run("doctor", env={"TMPDIR": str(tmp_path)})

    assert list(tmp_path.iterdir()) == []
    assert list(Path("/sys/fs/cgroup").rglob("rsyscall-ns-doctor.*")) == []
