"""Fake procfs (2025-52881, 2019-19921): what matters is written to a verified procfs, or not."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from rsyscall_ns import CLONE, MS, SYS, FakeProcError, O, RsyscallError, Task
from tests.support.census import nothing_left

FLAGS = CLONE.NEWUSER | CLONE.NEWNS
BIND = MS.BIND


@asynccontextmanager
async def with_mounts(local: Task, flags: CLONE = FLAGS) -> AsyncGenerator[Task, None]:
    async with local.spawn(flags, uid_map=True, gid_map=True) as child:
        yield child


async def refused(local: Task, child: Task) -> None:
    """Assert that no user namespace is made, and that nothing is left of the attempt."""
    with nothing_left(local), pytest.raises(FakeProcError, match="/proc"):
        async with child.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True):
            pass
    assert child.children == set()


async def test_a_tmpfs_on_proc_is_refused(local: Task) -> None:
    async with with_mounts(local) as child:
        await child.mount.mount("tmpfs", "/proc", "tmpfs")
        await refused(local, child)


async def test_a_tmpfs_with_planted_files_is_refused_and_nothing_is_written(local: Task) -> None:
    async with with_mounts(local) as child:
        await child.mount.mount("tmpfs", "/proc", "tmpfs")
        pid = await child.sysif.call(SYS.getpid)
        for number in range(pid, pid + 50):
            await child.fs.mkdir(f"/proc/{number}")
            for name in ("uid_map", "gid_map", "setgroups"):
                path = f"/proc/{number}/{name}"
                await (await child.fs.open(path, O.CREAT | O.WRONLY)).close()
        await child.fs.symlink(str(pid), "/proc/self")
        await refused(local, child)
        for number in range(pid, pid + 50):
            assert await child.fs.read_bytes(f"/proc/{number}/uid_map") == b""


async def test_a_procfs_of_another_pid_namespace_is_refused(local: Task) -> None:
    async with with_mounts(local, FLAGS | CLONE.NEWPID) as child:
        # the mount is the host's still: its ids are not those that the child sees
        await refused(local, child)
        await child.mount.mount("proc", "/proc", "proc")
        async with child.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as inner:
            assert await inner.cred.getuid() == 0


async def test_a_file_of_proc_that_is_mounted_over_is_refused(local: Task) -> None:
    async with with_mounts(local) as child:
        await child.mount.mount("tmpfs", "/mnt", "tmpfs")
        await (await child.fs.open("/mnt/planted", O.CREAT | O.WRONLY)).close()
        await child.mount.mount("/mnt", "/proc", flags=BIND)
        await refused(local, child)


async def test_the_child_without_a_user_namespace_needs_no_proc(local: Task) -> None:
    async with with_mounts(local) as child:
        await child.mount.mount("tmpfs", "/proc", "tmpfs")
        async with child.spawn(CLONE.NEWUTS) as other:
            await other.ns.sethostname("fine")


async def test_in_a_chroot_without_any_proc_it_is_an_error_too(local: Task) -> None:
    async with with_mounts(local) as child:
        await child.mount.mount("tmpfs", "/mnt", "tmpfs")
        await child.fs.chroot("/mnt")
        await child.fs.chdir("/")
        with nothing_left(local), pytest.raises((RsyscallError, FileNotFoundError)):
            async with child.spawn(CLONE.NEWUSER, uid_map=True):
                pass
