"""Process 1 that is ours: out of the command's reach, and nothing outlives who has started it.

2016-8659 (a helper that is dumpable), 2019-5736 (a helper's program that can be written), PID 1.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import trio

from rsyscall_ns import CAP, PIPE, SIG, Container
from rsyscall_ns.memory.memfile import new_page
from rsyscall_ns.tasks.stub import PROGRAM
from tests.support.procview import descendants

# each line says what could be done
REACHES: Final = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.kill(1, 0)
for request in (16, 0x4206):
    if libc.ptrace(request, 1, 0, 0) == 0:
        print("traced by", request)
for name in ("mem", "environ", "maps", "auxv"):
    try:
        with open(f"/proc/1/{name}", "rb") as file:
            file.read(1)
        print("read", name)
    except OSError:
        pass
for name, flags in (("exe", os.O_RDWR), ("exe", os.O_RDONLY), ("cwd", os.O_RDONLY)):
    try:
        os.open(f"/proc/1/{name}", flags)
        print("opened", name)
    except OSError:
        pass
"""
SUPERVISOR: Final = """
import sys, trio
from rsyscall_ns import Container, PIPE

async def main(init):
    text = "sleep 1000 & setsid sleep 1000 & echo ready; wait"
    given = dict(user=True, pid=True, mnt=True, init=init, stdout=PIPE)
    async with Container(["sh", "-c", text], **given) as c:
        await c.stdout.receive_some()
        print("ready", flush=True)
        await trio.sleep_forever()

trio.run(main, sys.argv[1] == "init")
"""


REFUSED: Final = 102  # RS_STUB_REFUSED of wire.h


async def test_process_1_can_not_be_traced_or_read_by_an_equal() -> None:
    c = Container(
        [sys.executable, "-Ic", REACHES],
        user=True,
        pid=True,
        mnt=True,
        init=True,
        capabilities=CAP.NONE,
        stdout=PIPE,
    )
    done = await c.run()
    assert done.exitcode == 0
    assert done.stdout == b""


@pytest.mark.parametrize("kind", ["init", "plain"])
async def test_a_killed_supervisor_leaves_no_survivor_in_the_tree(kind: str) -> None:
    process = await trio.lowlevel.open_process(
        [sys.executable, "-c", SUPERVISOR, kind], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.receive_some()
    tree = descendants(process.pid)
    assert len(tree) == (4 if kind == "init" else 3)  # a shell, two that sleep
    pidfds = [os.pidfd_open(pid) for pid in tree]
    process.kill()
    await process.wait()
    for pidfd in pidfds:
        await trio.lowlevel.wait_readable(pidfd)
        os.close(pidfd)


@pytest.mark.parametrize("gone", [False, True], ids=["client there", "client gone"])
async def test_no_command_is_started_for_a_client_that_died_meanwhile(
    tmp_path: Path, *, gone: bool
) -> None:
    """Between its exec and its wish for a death signal nothing else would tell it."""
    made = tmp_path / "made"
    page = new_page("page")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        given = [f"{number:x}" for number in (page, theirs.fileno(), 1, SIG.KILL)]
        if gone:
            ours.close()
        process = await trio.run_process(
            ["init", ":".join(given), "/usr/bin/touch", "touch", str(made)],
            executable=PROGRAM,
            pass_fds=[page, theirs.fileno()],
            check=False,
        )
    os.close(page)
    assert process.returncode == (REFUSED if gone else 0)
    assert made.exists() != gone
