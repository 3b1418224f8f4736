"""Mounts are made, moved, copied and changed, in a mount namespace of the test's own."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from errno import EINVAL, ENODEV, ENOENT
from pathlib import Path

import pytest

from rsyscall_ns import (
    AT,
    AT_FDCWD,
    CLONE,
    FSPICK,
    MOUNT_ATTR,
    MOVE_MOUNT,
    MS,
    OPEN_TREE,
    UMOUNT,
    FDKindError,
    FileDescriptor,
    FsContextFD,
    MountAttr,
    MountFD,
    MountFlagsError,
    O,
    PathError,
    Program,
    Task,
)
from tests.support.census import nothing_left
from tests.support.mounting import mounted, put, tmpfs
from tests.support.procview import mountinfo

FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC, FSCONFIG_CMD_CREATE = 1, 1, 6


@pytest.fixture
async def inside(local: Task) -> AsyncGenerator[Task, None]:
    """Make a child that is root in a user and a mount namespace of its own."""
    before = mountinfo()
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS, uid_map=True, gid_map=True) as child:
        yield child
    assert mountinfo() == before


async def test_a_file_system_is_made_step_by_step_and_mounted(inside: Task, tmp_path: Path) -> None:
    async with await inside.mount.fsopen("tmpfs") as context:
        assert await context.is_cloexec()
        await context.set_flag("ro")
        await context.set_string("source", "of my own")
        await context.set_string("size", "64k")
        await context.create()
        async with await context.fsmount(MOUNT_ATTR.NOEXEC | MOUNT_ATTR.NODEV) as mount:
            assert await mount.is_cloexec()
            assert str(tmp_path) not in await mounted(inside)
            await mount.move_to(tmp_path)

    options = (await mounted(inside))[str(tmp_path)]
    assert options.startswith("rw,nodev,noexec,relatime")
    assert "tmpfs of\\040my\\040own ro,size=64k" in options


async def test_a_parameter_is_given_as_a_pointer_too(inside: Task, tmp_path: Path) -> None:
    async with await inside.mount.fsopen("tmpfs") as context:
        await context.set_string("size", await inside.ptr(b"128k\0"))
        await context.create()
        async with await context.fsmount() as mount:
            await mount.move_to(await inside.ptr(os.fsencode(tmp_path) + b"\0"))
    assert "size=128k" in (await mounted(inside))[str(tmp_path)]


async def test_what_the_kernel_says_of_an_error_is_a_note_on_it(task: Task) -> None:
    async with (
        task.spawn(CLONE.NEWUSER | CLONE.NEWNS) as child,
        await child.mount.fsopen("tmpfs") as context,
    ):
        with pytest.raises(OSError, match=r"fsconfig\(2\)") as caught:
            await context.set_string("no-such-key", "1")
        assert caught.value.errno == EINVAL
        assert caught.value.__notes__ == ["e tmpfs: Unknown parameter 'no-such-key'"]
        with pytest.raises(OSError, match=r"fsconfig\(2\)") as caught:
            await context.set_string("size", "much")
        assert caught.value.__notes__ == ["e tmpfs: Bad value for 'size'"]
        assert await context.read_log() == []


async def test_parameters_of_each_type_reach_the_file_system(inside: Task, tmp_path: Path) -> None:
    for name in ("lower", "lowest", "there"):
        (tmp_path / name).mkdir()
    (tmp_path / "lower" / "file").write_text("below")
    async with (
        await inside.mount.fsopen("overlay") as context,
        await inside.fs.open(tmp_path, O.PATH) as by_fd,
    ):
        await context.set_string("lowerdir", f"{tmp_path}/lower:{tmp_path}/lowest")
        with pytest.raises(OSError, match=r"fsconfig\(2\)"):
            await context.set_binary("lowerdir", b"bytes")
        with pytest.raises(OSError, match=r"fsconfig\(2\)"):
            await context.set_path("no-such-key", tmp_path, dir_fd=by_fd)
        with pytest.raises(OSError, match=r"fsconfig\(2\)"):
            await context.set_path_empty("no-such-key", by_fd)
        with pytest.raises(OSError, match=r"fsconfig\(2\)"):
            await context.set_fd("no-such-key", by_fd)
        await context.create()
        async with await context.fsmount() as mount:
            await mount.move_to(tmp_path / "there")
    assert await inside.fs.read_bytes(tmp_path / "there" / "file") == b"below"


async def test_a_parameter_is_a_file_by_its_fd(inside: Task, tmp_path: Path) -> None:
    for name in ("lower", "lowest"):
        (tmp_path / name).mkdir()
    (tmp_path / "lower" / "file").write_text("below")
    async with (
        await inside.mount.fsopen("overlay") as context,
        await inside.fs.open(tmp_path / "lower", O.PATH) as one,
        await inside.fs.open(tmp_path / "lowest", O.PATH) as two,
    ):
        try:
            await context.set_fd("lowerdir+", one)
        except OSError as error:
            pytest.skip(f"this kernel's overlay takes no fds (Linux 6.13): {error}")
        await context.set_fd("lowerdir+", two)
        await context.create()
        async with await context.fsmount() as mount:
            await mount.move_to(tmp_path)
    assert await inside.fs.read_bytes(tmp_path / "file") == b"below"


async def test_a_file_system_type_that_there_is_not(task: Task) -> None:
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWNS) as child:
        with nothing_left(child), pytest.raises(OSError, match=r"fsopen\(2\)") as caught:
            await child.mount.fsopen("no-such-type")
    assert caught.value.errno == ENODEV


async def test_steps_in_the_wrong_order_are_errors(inside: Task) -> None:
    async with await inside.mount.fsopen("tmpfs") as context:
        with pytest.raises(OSError, match=r"fsmount\(2\)"):
            await context.fsmount()
        with pytest.raises(OSError, match=r"fsconfig\(2\)"):
            await context.reconfigure()
        await context.create_excl()
        with pytest.raises(OSError, match=r"fsconfig\(2\)"):
            await context.create()


async def test_a_mounted_file_system_is_reconfigured(inside: Task, tmp_path: Path) -> None:
    await put(inside, tmp_path)
    async with await inside.mount.fspick(tmp_path, FSPICK.NO_AUTOMOUNT) as context:
        assert await context.is_cloexec()
        await context.set_string("size", "256k")
        await context.reconfigure()
    assert "size=256k" in (await mounted(inside))[str(tmp_path)]


async def test_picking_what_is_not_there_names_it(task: Task, tmp_path: Path) -> None:
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWNS) as child:
        with nothing_left(child), pytest.raises(FileNotFoundError) as caught:
            await child.mount.fspick(tmp_path / "nothing")
    assert caught.value.filename == str(tmp_path / "nothing")


async def test_a_copy_of_a_tree_is_put_somewhere_else(inside: Task, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    await put(inside, here)
    await inside.fs.mkdir(here / "below")
    await put(inside, here / "below")

    async with await inside.mount.open_tree(here, OPEN_TREE.CLONE) as one:
        await one.move_to(there)
    assert str(there / "below") not in await mounted(inside)
    await inside.mount.umount2(there, UMOUNT.DETACH)

    async with (
        await inside.mount.open_tree(here, OPEN_TREE.CLONE | AT.RECURSIVE) as tree,
        await inside.fs.open(there, O.PATH) as place,
    ):
        await tree.move_to(dir_fd=place)
    assert str(there / "below") in await mounted(inside)


async def test_what_is_open_is_copied_from_its_fd(inside: Task, tmp_path: Path) -> None:
    async with await tmpfs(inside) as mount:
        async with await mount.open_tree() as copy:
            await copy.move_to(tmp_path)
        first, second = await mount.statx(), await inside.mount.open_tree(tmp_path)
        assert (await second.statx()).ino == first.ino
        await second.close()


async def test_a_mount_is_moved_by_its_paths_and_fds(inside: Task, tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("one", "two", "three")]
    for name in names:
        name.mkdir()
    await put(inside, names[0])
    await inside.mount.move_mount(names[0], names[1])
    assert str(names[0]) not in await mounted(inside)
    async with (
        await inside.fs.open(tmp_path, O.PATH) as where,
        await inside.fs.open(names[1], O.PATH) as what,
    ):
        await inside.mount.move_mount(
            "", "three", MOVE_MOUNT.F_EMPTY_PATH, from_dir=what, to_dir=where
        )
    assert str(names[1]) not in await mounted(inside)
    assert str(names[2]) in await mounted(inside)


async def test_a_mount_is_put_beneath_another(inside: Task, tmp_path: Path) -> None:
    await put(inside, tmp_path)
    await inside.fs.mkdir(tmp_path / "of the first")
    async with await tmpfs(inside) as second:
        await second.move_to(tmp_path, MOVE_MOUNT.BENEATH)
    assert await inside.fs.listdir(tmp_path) == ["of the first"]
    await inside.mount.umount2(tmp_path, UMOUNT.DETACH)
    assert await inside.fs.listdir(tmp_path) == []


async def test_a_mount_joins_the_peers_of_another(inside: Task, tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("one", "two")]
    for name in names:
        name.mkdir()
    await put(inside, names[0])
    async with await inside.mount.open_tree(names[0], OPEN_TREE.CLONE) as copy:
        await copy.move_to(names[1])
    await inside.mount.mount_setattr(names[0], MountAttr(propagation=MS.SHARED))
    await inside.mount.move_mount(names[0], names[1], MOVE_MOUNT.SET_GROUP)
    options = await mounted(inside)
    first, second = (options[str(name)].split()[1] for name in names)
    assert first == second
    assert first.startswith("shared:")


async def test_a_move_that_fails_names_its_target(inside: Task, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"move_mount\(2\)") as caught:
        await inside.mount.move_mount(tmp_path, tmp_path / "nothing")
    assert caught.value.errno == ENOENT


@pytest.mark.parametrize("flags", [AT.RECURSIVE, AT.REMOVEDIR, 1 << 30])
async def test_flags_that_open_tree_lacks_are_refused(task: Task, flags: int) -> None:
    with nothing_left(task), pytest.raises(MountFlagsError):
        await task.mount.open_tree("/", flags)


async def test_the_root_is_exchanged(inside: Task, tmp_path: Path) -> None:
    await put(inside, tmp_path)
    await inside.fs.mkdir(tmp_path / "old")
    await inside.mount.pivot_root(tmp_path, tmp_path / "old")
    await inside.fs.chdir("/")
    assert await inside.fs.listdir("/") == ["old"]
    await inside.mount.umount2("/old", UMOUNT.DETACH)
    assert await inside.fs.listdir("/old") == []


async def test_a_root_that_is_no_mount_names_itself(inside: Task, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"pivot_root\(2\)") as caught:
        await inside.mount.pivot_root(tmp_path, tmp_path / "nothing")
    assert caught.value.errno == ENOENT


async def test_the_old_calls_take_pointers_too(inside: Task, tmp_path: Path) -> None:
    target = await inside.ptr(os.fsencode(tmp_path) + b"\0")
    source, data = await inside.ptr(b"none\0"), await inside.ptr(b"size=64k\0")
    await inside.mount.mount(source, target, "tmpfs", MS.NODEV, data)
    assert "size=64k" in (await mounted(inside))[str(tmp_path)]
    await inside.mount.umount2(target)
    assert str(tmp_path) not in await mounted(inside)


async def test_kinds_are_checked(task: Task) -> None:
    async with (
        await (await task.fs.open("/", O.PATH)).as_kind(MountFD) as place,
        await task.fs.open("/") as opened,
    ):
        assert place.valid
        for kind in (MountFD, FsContextFD):
            with pytest.raises(FDKindError):
                await opened.as_kind(kind)
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWNS) as child:
        plain = await (await child.mount.fsopen("tmpfs")).as_kind(FileDescriptor)
        async with await plain.as_kind(FsContextFD) as context:
            await context.create()


async def test_text_with_a_nul_is_refused(inside: Task) -> None:
    async with await inside.mount.fsopen("tmpfs") as context:
        with pytest.raises(PathError, match="NUL"):
            await context.set_string("size", b"1\0k")
        with pytest.raises(PathError, match="NUL"):
            await context.set_flag("r\0o")


async def test_an_ordinary_user_may_not_open_a_context(child: Task) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may do what an ordinary user is refused")
    with pytest.raises(PermissionError):
        await child.mount.fsopen("tmpfs")


async def test_a_whole_mount_is_made_in_one_program(inside: Task, tmp_path: Path) -> None:
    program = Program()
    calls = program.calls
    context = calls.fsopen("tmpfs", FSOPEN_CLOEXEC)
    calls.fsconfig(context, FSCONFIG_CMD_CREATE, None, None, 0)
    mount = calls.fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR.NOEXEC)
    calls.move_mount(mount, "", AT_FDCWD, tmp_path, MOVE_MOUNT.F_EMPTY_PATH)

    results = await inside.run(program)

    async with results.fd(context) as of_kind, results.fd(mount) as made:
        assert isinstance(of_kind, FsContextFD)
        assert isinstance(made, MountFD)
    assert "noexec" in (await mounted(inside))[str(tmp_path)]
