"""2022-0492: neither a release_agent nor the host's cgroups can be written from inside."""

from __future__ import annotations

import sys
from typing import Final

import pytest

from rsyscall_ns import CAP, PIPE, Container, DevMount, SysfsMount
from rsyscall_ns.containers.options import Arguments
from tests.support.children import IS_ROOT
from tests.support.roots import ROOT

# every tree: as it is mounted, and mounted once more; what is written is what was there
TRIES: Final = """
import ctypes, os, tempfile
libc = ctypes.CDLL(None, use_errno=True)
mounts = [line.split() for line in open("/proc/self/mountinfo")]
places = [line[4] for line in mounts if line[line.index("-") + 1].startswith("cgroup")]
print("mounted", len(places))
for line in open("/proc/self/cgroup"):
    _, names, _ = line.rstrip().split(":", 2)
    place = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", 2) else None)
    kind, data = (b"cgroup", names.encode()) if names else (b"cgroup2", None)
    if libc.mount(b"none", place.encode(), kind, 0, data) == 0:
        places.append(place)
for place in places:
    try:
        with open(f"{place}/release_agent") as file:
            before = file.read()
        number = os.open(f"{place}/release_agent", os.O_WRONLY)
        os.write(number, before.encode() or b"\\n")
    except OSError:
        continue
    print("written", place)
"""
COMMAND: Final = [sys.executable, "-Ic", TRIES]
CONFINED: Final[Arguments] = {"all": True, "map_zero": True, "stdout": PIPE}


async def test_a_root_of_its_own_shows_no_cgroups() -> None:
    mounts = [*ROOT, DevMount(), SysfsMount("/sys")]
    show = ["grep", "-c", "cgroup", "/proc/self/mountinfo"]
    rooted: Arguments = {**CONFINED, "mounts": mounts}
    done = await Container(show, **rooted).run()
    assert done.stdout == b"0\n"
    done = await Container(["ls", "-A", "/sys/fs/cgroup"], **rooted).run()
    assert done.stdout == b""


async def test_no_release_agent_can_be_written_in_a_user_namespace() -> None:
    done = await Container(COMMAND, **CONFINED).run()
    assert done.exitcode == 0
    assert b"written" not in done.stdout


@pytest.mark.skipif(not IS_ROOT, reason="nobody else can have a container without a user namespace")
async def test_without_the_right_to_mount_no_tree_can_be_had() -> None:
    mounts = [*ROOT, DevMount()]
    text = "mount -t cgroup -o memory x /dev || mount -t cgroup2 x /dev || echo no"
    given: Arguments = {"mnt": True, "pid": True, "cgroup": True, "mounts": mounts, "stdout": PIPE}
    given["capabilities"] = CAP.CHOWN
    done = await Container(["sh", "-c", f"({text}) 2>&1"], **given).run()
    assert done.stdout.endswith(b"no\n")
