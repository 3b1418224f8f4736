"""Errors of who makes a child, becomes another program, waits for a lock, or filters calls."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from rsyscall_ns import (
    AT,
    CLONE,
    RLIMIT,
    SECCOMP_RET,
    SIG,
    SYS,
    UMOUNT,
    Flock,
    LockType,
    O,
    Rlimit,
    Task,
    filter_calls,
)
from rsyscall_ns.near.calls import process as near_process
from tests.support.blocking import until_blocked
from tests.support.children import IS_ROOT, TRUE
from tests.support.provoked import Case, Provoked, Scene, Use, cases, powerless, provoke

PAGE = 4096
PLAIN_USER = 65534
NO_SUCH = 2**22  # one more than the highest id of any process
ARGS = struct.Struct("<11Q")  # struct clone_args
APART = CLONE.VM | CLONE.CLEAR_SIGHAND  # nothing is copied, and a child would die at once
OF_ONES_OWN = CLONE.NEWUSER | CLONE.NEWPID
MOUNTED = CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWCGROUP
NOTIFIED = filter_calls({"getppid": SECCOMP_RET.USER_NOTIF})
FIRST, SECOND = Flock(LockType.WRLCK, 0, 0, 1), Flock(LockType.WRLCK, 0, 1, 1)


async def numbered(task: Task, ids: Sequence[int], size: int | None = None) -> None:
    """Make a child that has these ids, the one in the innermost namespace first."""
    place = await task.ptr(struct.pack(f"<{len(ids)}i", *ids))
    try:
        count = len(ids) if size is None else size
        wanted = ARGS.pack(APART, 0, 0, 0, SIG.CHLD, PAGE, PAGE, 0, place.near.value, count, 0)
        with task.transient(wanted) as args:
            await near_process.clone3(task.sysif, args.address, ARGS.size)
    finally:
        place.free()


def rooted(use: Use[Task]) -> Use[Scene]:
    """Use a child that is the first of a namespace of processes, and root there."""

    async def run(p: Scene) -> None:
        async with p.task.spawn(OF_ONES_OWN) as child:
            await use(child)

    return run


async def unlimited(p: Scene) -> None:
    """Make a child where there may be no process more."""
    async with p.task.spawn() as child:
        await child.process.prlimit(RLIMIT.NPROC, Rlimit(0, 0))
        if IS_ROOT:
            await child.cred.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        async with child.spawn():
            pass


async def unwritable(p: Scene) -> None:
    """Start a child in a control group of somebody else."""

    async def run(task: Task) -> None:
        async with task.spawn(MOUNTED) as child:
            await mount_cgroups(child, Path("/tmp"))  # noqa: S108 - in its mount namespace alone
            async with await child.fs.open("/tmp", O.PATH) as group, child.spawn(cgroup=group):  # noqa: S108 - that
                pass

    await powerless(run)(p.task)


async def mount_cgroups(task: Task, path: Path) -> None:
    try:
        await task.mount.mount("none", path, "cgroup2")
    except OSError as error:
        pytest.skip(f"no cgroup2 here: {error.strerror}")


async def undecided(p: Scene) -> None:
    """Start a child in a control group below one of threads, which is neither that nor a domain."""
    async with p.task.spawn(MOUNTED, uid_map=True, gid_map=True) as keeper:
        await mount_cgroups(keeper, p.folder)
        above = p.folder / f"made-by-a-test.{keeper.process.near.id}"
        below = above / "below"
        try:
            await keeper.fs.mkdir(above)
        except OSError as error:
            pytest.skip(f"no cgroup can be made here: {error.strerror}")
        try:
            async with await keeper.fs.open(above / "cgroup.type", O.WRONLY) as kind:
                await kind.write_all(b"threaded")
            await keeper.fs.mkdir(below)
            async with await keeper.fs.open(below, O.PATH) as group, keeper.spawn(cgroup=group):
                pass
        finally:
            with trio.CancelScope(shield=True):
                for path in (below, above):
                    if await keeper.fs.is_dir(path):
                        await keeper.fs.unlink(path, AT.REMOVEDIR)
                await keeper.mount.umount2(p.folder, UMOUNT.DETACH)


async def no_group(p: Scene) -> None:
    """Start a child in a folder that is no control group."""
    async with await p.task.fs.open(p.folder, O.PATH) as folder, p.task.spawn(cgroup=folder):
        pass


async def crowded(p: Scene) -> None:
    """Become a program as a user who had too many processes when the child became that user."""
    async with p.task.spawn() as other, p.task.spawn() as child:
        await child.process.prlimit(RLIMIT.NPROC, Rlimit(0, 0))
        for task in (other, child):
            await task.cred.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        await child.exec(TRUE)


async def crossed(p: Scene) -> None:
    """Wait for a lock of who waits for ours."""
    path = p.folder / "file"
    async with (
        p.task.spawn() as one,
        p.task.spawn() as other,
        await one.fs.open(path, O.RDWR | O.CREAT, 0o600) as here,
        await other.fs.open(path, O.RDWR) as there,
    ):
        await here.setlk(FIRST)
        await there.setlk(SECOND)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.setlkw, SECOND)
            await until_blocked(one, SYS.fcntl)
            with pytest.raises(OSError, match="fcntl") as caught:
                await there.setlkw(FIRST)
            await there.setlk(Flock(LockType.UNLCK))
        raise caught.value


async def listened_twice(p: Scene) -> None:
    """Filter for a second listener."""
    async with p.task.spawn() as child, await child.seccomp.new_listener(NOTIFIED):
        await child.seccomp.new_listener(NOTIFIED)


PROVOKED: Provoked[Scene] = {
    "clone": [
        ("EEXIST", rooted(lambda t: numbered(t, [1]))),
        ("EINVAL", rooted(lambda t: numbered(t, [0]))),
        ("EINVAL", rooted(lambda t: numbered(t, [NO_SUCH]))),
        ("EINVAL", rooted(lambda t: numbered(t, [9] * 33))),
        ("EINVAL", rooted(lambda t: numbered(t, [9], 0))),
        ("EINVAL", lambda p: numbered(p.task, [9] * 32)),
        ("EPERM", lambda p: powerless(lambda t: numbered(t, [t.process.near.id]))(p.task)),
        ("EPERM", rooted(lambda t: numbered(t, [9, 9]))),
        ("EAGAIN", unlimited),
        ("EACCES", unwritable),
        ("EBADF", no_group),
        ("EOPNOTSUPP", undecided),
    ],
    "fcntl": [("EDEADLK", crossed)],
    "seccomp": [("EBUSY", listened_twice)],
}
ROOTS: Provoked[Scene] = {"execve": [("EAGAIN", crowded)]}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await provoke(task, case, Scene(task, tmp_path))


@pytest.mark.skipif(not IS_ROOT, reason="who is not root can't become another user")
@cases(ROOTS)
async def test_an_error_that_root_gets_is_the_kernels_own(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await provoke(task, case, Scene(task, tmp_path))
