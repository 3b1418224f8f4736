"""A process in namespaces of its own, to be joined."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Final

import pytest

from rsyscall_ns import CLONE, Task

EVERYTHING: Final = (
    CLONE.NEWUSER
    | CLONE.NEWPID
    | CLONE.NEWNS
    | CLONE.NEWNET
    | CLONE.NEWUTS
    | CLONE.NEWIPC
    | CLONE.NEWCGROUP
)


@pytest.fixture
async def box(local: Task) -> AsyncIterator[Task]:
    """Make a child in seven new namespaces, root in there, on a host with a name."""
    uid, gid = f"0 {os.getuid()} 1", f"0 {os.getgid()} 1"
    async with local.spawn(EVERYTHING, uid_map=uid, gid_map=gid) as task:
        await task.ns.sethostname("box")
        yield task
