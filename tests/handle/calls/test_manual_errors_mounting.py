"""Errors of id maps of mounts, and of what can't be mounted: each keeps its errno."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rsyscall_ns import (
    CLONE,
    MOUNT_ATTR,
    MS,
    MountAttr,
    MountFD,
    NamespaceFD,
    O,
    Task,
)
from tests.support.children import IS_ROOT
from tests.support.mounting import put, tmpfs
from tests.support.provoked import Case, Provoked, Scene, cases, powerless, provoke

NO_FD = 2**20 + 5  # no process has an fd as high
IDMAP = MountAttr(attr_set=MOUNT_ATTR.IDMAP)
OWN = CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWIPC
BLOCK = 0o060600
Use = Callable[[Scene], Awaitable[object]]


def inside(use: Callable[[Task, Path], Awaitable[object]]) -> Use:
    """Use a child that is root in namespaces of its own."""

    async def run(p: Scene) -> None:
        async with p.task.spawn(OWN, uid_map=True, gid_map=True) as child:
            await use(child, p.folder)

    return run


def mount(use: Callable[[Task, MountFD], Awaitable[object]]) -> Use:
    """Use a mount that is mounted nowhere."""

    async def run(task: Task, _: Path) -> None:
        async with await tmpfs(task) as made:
            await use(task, made)

    return inside(run)


@asynccontextmanager
async def ids(task: Task, kind: str = "user") -> AsyncGenerator[NamespaceFD, None]:
    """Make a user namespace below that of a task."""
    async with (
        task.spawn(CLONE.NEWUSER, uid_map="5 0 1", gid_map="6 0 1") as other,
        await other.ns.open(kind) as theirs,
        await theirs.pass_to(task) as here,
    ):
        yield here


async def bare(task: Task, made: MountFD, attr: MountAttr) -> None:
    """Change a mount by a struct that says itself which user namespace."""
    place = await task.ptr(attr)
    try:
        await made.mount_setattr(place)
    finally:
        place.free()


def numbered(number: int) -> Use:
    """Map ids as an fd says that is given by its number."""
    wanted = MountAttr(attr_set=MOUNT_ATTR.IDMAP, userns_fd=number)
    return mount(lambda t, m: bare(t, m, wanted))


async def unnamed(task: Task, made: MountFD) -> None:
    """Map ids as an fd says that names something without opening it."""
    async with await task.fs.open("/proc/self/ns/user", O.PATH) as fd:
        with fd.borrow() as near_id:
            await bare(task, made, MountAttr(attr_set=MOUNT_ATTR.IDMAP, userns_fd=near_id.number))


async def no_namespace(task: Task, made: MountFD) -> None:
    """Map ids as a file says."""
    async with await task.fs.open("/") as fd:
        with fd.borrow() as near_id:
            await bare(task, made, MountAttr(attr_set=MOUNT_ATTR.IDMAP, userns_fd=near_id.number))


async def of_another_kind(task: Task, made: MountFD) -> None:
    """Map ids as a namespace of host names says."""
    async with await task.ns.open("uts") as fd:
        await made.mount_setattr(IDMAP, userns=fd)


async def of_its_own(task: Task, made: MountFD) -> None:
    """Map ids as the user namespace of the file system says."""
    async with await task.ns.open("user") as fd:
        await made.mount_setattr(IDMAP, userns=fd)


async def unmapped(task: Task, made: MountFD) -> None:
    """Take off a map of ids."""
    del task
    await made.mount_setattr(MountAttr(attr_clr=MOUNT_ATTR.IDMAP))


async def twice(task: Task, made: MountFD) -> None:
    """Map ids of what has them mapped."""
    async with ids(task) as fd:
        await made.mount_setattr(IDMAP, userns=fd)
        await made.mount_setattr(IDMAP, userns=fd)


async def attached(task: Task, folder: Path) -> None:
    """Map ids of what is mounted."""
    await put(task, folder)
    async with ids(task) as fd:
        await task.mount.mount_setattr(folder, IDMAP, userns=fd)


async def unable(task: Task, folder: Path) -> None:
    """Map ids of a file system that can't have that."""
    del folder
    async with (
        await task.mount.fsopen("mqueue") as context,
        ids(task) as fd,
    ):
        await context.create()
        async with await context.fsmount() as made:
            await made.mount_setattr(IDMAP, userns=fd)


async def of_the_first(p: Scene) -> None:
    """Map ids as the namespace says that is above."""
    async with (
        await p.task.ns.open("user") as above,
        p.task.spawn(OWN, uid_map=True, gid_map=True) as child,
        await above.pass_to(child) as fd,
        await tmpfs(child) as made,
    ):
        await made.mount_setattr(IDMAP, userns=fd)


async def not_its_root(p: Scene) -> None:
    """Change a mount, as who is nobody there."""
    await powerless(lambda t: t.mount.mount_setattr("/", MountAttr(attr_set=MOUNT_ATTR.RDONLY)))(
        p.task
    )


async def stacked(task: Task, folder: Path) -> None:
    """Mount the same onto itself."""
    for _ in range(2):
        await task.mount.mount("none", folder, "mqueue")


async def read_only_busy(task: Task, folder: Path) -> None:
    """Forbid to write where a file is open for that."""
    await put(task, folder)
    async with await task.fs.open(folder / "file", O.CREAT | O.RDWR):
        await task.mount.mount("none", folder, flags=MS.REMOUNT | MS.RDONLY)


async def unsearchable(p: Scene) -> None:
    """Mount below what may not be searched."""
    await powerless(lambda t: t.mount.mount("none", "/proc/1/cwd/a", "tmpfs"))(p.task)


def of_devices() -> str:
    """Return the name of a file system that lies on a device."""
    known = Path("/proc/filesystems").read_text("ascii").splitlines()
    found = [line.strip() for line in known if not line.startswith("nodev")]
    return found[0] if found else pytest.skip("no file system of devices in this kernel")


async def no_device(p: Scene) -> None:
    """Mount a file as a device."""
    file = p.folder / "file"
    file.touch()
    await p.task.mount.mount(file, p.folder, of_devices())


async def forbidden_device(p: Scene) -> None:
    """Mount a device of a file system whose devices may not be used."""
    async with await tmpfs(p.task) as made:
        await made.mount_setattr(MountAttr(attr_set=MOUNT_ATTR.NODEV))
        await p.task.fs.mknod("device", BLOCK, 0x700, dir_fd=made)
        with made.borrow() as near_id:
            device = f"/proc/thread-self/fd/{near_id.number}/device"
            await p.task.mount.mount(device, p.folder, of_devices())


PROVOKED: Provoked[Scene] = {
    "mount_setattr": [
        ("EBADF", numbered(NO_FD)),
        ("EBADF", mount(unnamed)),
        ("EINVAL", numbered(2**40)),
        ("EINVAL", mount(no_namespace)),
        ("EINVAL", mount(of_another_kind)),
        ("EINVAL", mount(of_its_own)),
        ("EINVAL", mount(unmapped)),
        ("EINVAL", inside(attached)),
        ("EINVAL", inside(unable)),
        ("EPERM", mount(twice)),
        ("EPERM", of_the_first),
        ("EPERM", not_its_root),
    ],
    "mount": [
        ("EBUSY", inside(stacked)),
        ("EBUSY", inside(read_only_busy)),
        ("EACCES", unsearchable),
    ],
}
ROOTS: Provoked[Scene] = {
    "mount": [
        ("ENOTBLK", no_device),
        ("EACCES", forbidden_device),
    ],
}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await provoke(task, case, Scene(task, tmp_path))


@pytest.mark.skipif(not IS_ROOT, reason="who is not root may mount no device")
@cases(ROOTS)
async def test_an_error_that_root_gets_is_the_kernels_own(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await provoke(task, case, Scene(task, tmp_path))
