"""The interpreter is killed: no stub outlives it, wherever that lives by then."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from typing import Final

PATIENCE: Final = 30_000  # milliseconds
CODE: Final = """
import os, trio
from rsyscall_ns import CLONE, NamespaceSet, open_local_task

FLAGS = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWUTS

async def main():
    uid, gid = f"0 {os.getuid()} 1", f"0 {os.getgid()} 1"
    async with (
        open_local_task() as local,
        local.spawn(stub=True) as one,
        one.spawn(stub=True) as two,
        local.spawn(FLAGS, uid_map=uid, gid_map=gid) as box,
        NamespaceSet(box.process.near.id, task=local) as ns,
        ns.open_task() as inside,
    ):
        host = inside.process.task
        pids = [task.process.near.id for task in (one, two, host)]
        print(*pids, flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


def test_no_stub_outlives_it() -> None:
    with subprocess.Popen([sys.executable, "-c", CODE], stdout=subprocess.PIPE) as interpreter:
        assert interpreter.stdout is not None
        pids = [int(word) for word in interpreter.stdout.readline().split()]
        pidfds = [os.pidfd_open(pid) for pid in pids]
        interpreter.kill()
    try:
        assert len(pidfds) == 3
        for pidfd in pidfds:
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            assert poll.poll(PATIENCE), "it is still there"
    finally:
        for pidfd in pidfds:
            os.close(pidfd)
