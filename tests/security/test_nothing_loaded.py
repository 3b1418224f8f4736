"""2019-14271: who joins a mount namespace loads nothing from it, not even by looking."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Final

import pytest

from rsyscall_ns import (
    CLONE,
    IN,
    NS_MNT,
    NS_USER,
    InotifyFD,
    NamespaceSet,
    O,
    Task,
)

PLANTED: Final = ("nsswitch.conf", "passwd", "ld.so.cache", "ld.so.preload", "localtime")


@pytest.fixture
async def box(local: Task) -> AsyncIterator[Task]:
    """Make a mount namespace in which somebody has planted files."""
    uid, gid = f"0 {os.getuid()} 1", f"0 {os.getgid()} 1"
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS, uid_map=uid, gid_map=gid) as task:
        for place in ("/etc", "/usr/lib"):
            await task.mount.mount("none", place, "tmpfs")
            for name in PLANTED:
                async with await task.fs.open(f"{place}/{name}", O.WRONLY | O.CREAT, 0o644):
                    pass
        yield task


async def test_no_planted_file_is_opened(local: Task, box: Task) -> None:
    watch = await box.fs.inotify_init1()
    for place in ("/etc", "/usr/lib"):
        await watch.add_watch(place, IN.OPEN | IN.ACCESS)
    ours: InotifyFD = await watch.pass_to(local)
    async with (
        NamespaceSet(box.process.near.id, NS_USER | NS_MNT, task=local) as ns,
        ns.open_task() as task,
    ):
        assert await task.cred.getuid() == 0
        assert await task.fs.exists("/etc/passwd")
        await task.ns.gethostname()
        maps = ""
        async with await task.fs.open("/proc/thread-self/maps") as file:
            while part := await file.read(4096):
                maps += part.decode()
        async with await task.fs.open("/etc/localtime"):  # at last: the only one that is told
            pass

    names = [event.name for event in await ours.read_events()]
    assert names == ["localtime"]
    files = {line.split(maxsplit=5)[5] for line in maps.splitlines() if len(line.split()) > 5}
    assert all(name.startswith(("[", "/memfd:rsyscall_ns-")) for name in files)
