"""``task.mount``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rsyscall_ns import CLONE, MS, UMOUNT, O, Task
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.procview import is_there, mountinfo


async def test_a_file_system_is_mounted_and_unmounted_in_the_child_only(
    local: Task, tmp_path: Path
) -> None:
    outside = mountinfo()
    flags = CLONE.NEWUSER | CLONE.NEWNS
    async with local.spawn(flags, uid_map=True, gid_map=True) as child:
        with nothing_left(child):
            await child.mount.mount("none", tmp_path, "tmpfs", MS.NODEV | MS.NOSUID, "size=64k")
            async with await child.fs.open(tmp_path / "inside", O.WRONLY | O.CREAT):
                pass
            assert await child.fs.listdir(tmp_path) == ["inside"]
            assert not is_there(f"{tmp_path}/inside")
            text = (await child.fs.read_bytes("/proc/self/mountinfo")).decode()
            line = next(line for line in text.splitlines() if str(tmp_path) in line)
            assert "nosuid" in line
            assert "size=64k" in line
            await child.mount.umount2(tmp_path, UMOUNT.DETACH)
            assert await child.fs.listdir(tmp_path) == []

    assert mountinfo() == outside


async def test_a_mount_that_fails_names_its_target(local: Task, tmp_path: Path) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS) as child:
        uses: list[Callable[[], Awaitable[object]]] = [
            lambda: child.mount.mount("none", tmp_path, "no-such-file-system"),
            lambda: child.mount.umount2(tmp_path),
        ]
        for use in uses:
            with nothing_left(child), pytest.raises(OSError, match="2") as caught:
                await use()
            assert caught.value.errno
            assert caught.value.filename == str(tmp_path)


@pytest.mark.skipif(IS_ROOT, reason="root may do what an ordinary user is refused")
async def test_an_ordinary_user_may_not_mount(child: Task, tmp_path: Path) -> None:
    with pytest.raises(PermissionError) as caught:
        await child.mount.mount("none", tmp_path, "tmpfs")
    assert caught.value.filename == str(tmp_path)
