"""A file system is served over a FuseFD; who serves it never uses it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from errno import EINVAL, ENODEV, ENOSYS, ENOTCONN, EPERM
from pathlib import Path

import pytest
import trio
import trio.testing

from rsyscall_ns import (
    BYTES,
    CLONE,
    FUSE,
    FUSE_NOTIFY,
    FUSE_ROOT_ID,
    MOUNT_ATTR,
    UMOUNT,
    ArgumentRangeError,
    FDKindError,
    FuseFD,
    FuseInitIn,
    FuseNotifyInvalEntryOut,
    FuseNotifyInvalInodeOut,
    FuseRequest,
    Task,
)
from tests.support.census import nothing_left
from tests.support.fusefiles import FuseFiles

FILES = {"hello": b"Hello, world!\n", "long": bytes(range(256)) * 2000, "empty": b""}


@pytest.fixture
async def inside(local: Task) -> AsyncGenerator[Task, None]:
    """Make a child that is root in a user and a mount namespace of its own."""
    flags = CLONE.NEWUSER | CLONE.NEWNS
    async with local.spawn(flags, uid_map=True, gid_map=True) as child:
        try:
            await (await child.dev.open_fuse()).close()
        except OSError as error:
            pytest.skip(f"/dev/fuse can't be opened here: {error}")
        yield child


async def mounted(task: Task, path: Path) -> FuseFD:
    """Mount a file system there; returns what it is served through."""
    fuse = await task.dev.open_fuse()
    async with await task.mount.fsopen("fuse") as context:
        await context.set_string("fd", str(fuse.near.number))  # it takes no set_fd
        await context.set_string("rootmode", "40000")
        await context.set_string("user_id", "0")
        await context.set_string("group_id", "0")
        await context.create()
        async with await context.fsmount(MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV) as mount:
            await mount.move_to(path)
    return fuse


@asynccontextmanager
async def served(
    maker: Task, server: Task, path: Path, files: FuseFiles
) -> AsyncGenerator[None, None]:
    """Mount a file system and have it served; unmounting it ends that."""
    made = await mounted(maker, path)
    fuse = await made.pass_to(server)
    await made.close()  # with the server's own all who wait are woken
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(files.serve, fuse)
            try:
                yield
            finally:
                with trio.CancelScope(shield=True):
                    await maker.mount.umount2(path, UMOUNT.DETACH)


@asynccontextmanager
async def server_of(kind: str, local: Task, inside: Task) -> AsyncGenerator[Task, None]:
    if kind == "direct":
        yield local
        return
    async with inside.spawn() as made:
        yield made


@pytest.fixture(params=["direct", "ring"])
async def server(
    request: pytest.FixtureRequest, local: Task, inside: Task
) -> AsyncGenerator[Task, None]:
    """Give who serves: the interpreter, or a child."""
    async with server_of(request.param, local, inside) as made:
        yield made


async def test_files_are_read_by_another_process(
    inside: Task, server: Task, tmp_path: Path
) -> None:
    files = FuseFiles(FILES)
    async with inside.spawn() as reader, served(inside, server, tmp_path, files):
        for name, content in FILES.items():
            assert await reader.fs.read_bytes(tmp_path / name) == content
        assert sorted(await reader.fs.listdir(tmp_path)) == sorted(FILES)
        with pytest.raises(FileNotFoundError):
            await reader.fs.read_bytes(tmp_path / "nothing")
        async with await reader.fs.open(tmp_path / "hello") as file:
            found = await file.statx()
            assert (found.size, found.mode) == (len(FILES["hello"]), 0o100444)
            with pytest.raises(OSError, match=r"pwrite64\(2\)"):
                await file.pwrite(b"x", 0)
    assert files.kernel is not None
    assert files.kernel.major == 7
    assert files.seen[0] == FUSE.INIT
    assert {FUSE.LOOKUP, FUSE.OPEN, FUSE.READ, FUSE.READDIR} <= set(files.seen)


async def test_an_error_of_the_server_is_the_callers(
    inside: Task, server: Task, tmp_path: Path
) -> None:
    files = FuseFiles(FILES)
    async with inside.spawn() as user, served(inside, server, tmp_path, files):
        with pytest.raises(OSError, match=r"mkdirat\(2\)") as caught:
            await user.fs.mkdir(tmp_path / "new")
        assert caught.value.errno == ENOSYS


async def test_when_the_server_goes_nobody_waits_for_it(
    local: Task, inside: Task, tmp_path: Path
) -> None:
    fuse = await (made := await mounted(inside, tmp_path)).pass_to(local)
    await made.close()
    async with inside.spawn() as reader, trio.open_nursery() as nursery:
        errors: list[int | None] = []

        async def read() -> None:
            with pytest.raises(OSError, match=r"openat\(2\)") as caught:
                await reader.fs.read_bytes(tmp_path / "hello")
            errors.append(caught.value.errno)

        nursery.start_soon(read)
        init = await fuse.read_request()
        await fuse.reply(init, FuseFiles(FILES).init(init))
        asked = await fuse.read_request()
        assert asked.opcode == FUSE.LOOKUP
        assert asked.names(1) == ("hello",)
        await fuse.close()
    assert errors == [103]  # ECONNABORTED
    with pytest.raises(OSError, match="tmp") as caught:
        await inside.fs.open(tmp_path / "hello")
    assert caught.value.errno == ENOTCONN
    await inside.mount.umount2(tmp_path, UMOUNT.DETACH)


async def test_an_answer_can_lie_in_memory(local: Task, inside: Task, tmp_path: Path) -> None:
    fuse = await (made := await mounted(inside, tmp_path)).pass_to(local)
    await made.close()
    files = FuseFiles(FILES)
    init = await fuse.read_request()
    answer = await local.ptr(files.init(init))
    await fuse.reply(init, answer)
    answer.free()
    async with inside.spawn() as reader, trio.open_nursery() as nursery:
        nursery.start_soon(files.serve, fuse)
        assert await reader.fs.read_bytes(tmp_path / "hello") == FILES["hello"]
        await inside.mount.umount2(tmp_path, UMOUNT.DETACH)


async def test_a_cancelled_read_takes_no_request(
    inside: Task, server: Task, tmp_path: Path
) -> None:
    made = await mounted(inside, tmp_path)
    fuse = await made.pass_to(server)
    await made.close()
    init = await fuse.read_request()
    with trio.move_on_after(0) as scope:
        await fuse.read_request()
    assert scope.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(cancelled_read, fuse, nursery.cancel_scope)
    files = FuseFiles(FILES)
    await fuse.reply(init, files.init(init))
    async with inside.spawn() as reader, trio.open_nursery() as nursery:
        nursery.start_soon(files.serve, fuse)
        assert await reader.fs.read_bytes(tmp_path / "hello") == FILES["hello"]
        await inside.mount.umount2(tmp_path, UMOUNT.DETACH)


async def cancelled_read(fuse: FuseFD, scope: trio.CancelScope) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fuse.read_request)
        await trio.testing.wait_all_tasks_blocked()
        scope.cancel()


async def test_requests_are_read_into_the_callers_memory(inside: Task, tmp_path: Path) -> None:
    async with await mounted(inside, tmp_path) as fuse:
        filled = await fuse.read_request_into(await inside.malloc(BYTES, 8192))
        request = FuseRequest.unpack(await filled.read())
        filled.free()
        assert request.opcode == FUSE.INIT
        assert request.argument(FuseInitIn).all_flags
        small = await inside.malloc(BYTES, 100)
        with pytest.raises(ArgumentRangeError, match="room"):
            await fuse.read_request_into(small)
        small.free()
        with pytest.raises(ArgumentRangeError, match="room"):
            await fuse.read_request(100)
        with pytest.raises(ArgumentRangeError, match="errno"):
            await fuse.reply_error(request, 0)
    await inside.mount.umount2(tmp_path, UMOUNT.DETACH)


async def test_a_clone_serves_the_same_file_system(
    local: Task, inside: Task, tmp_path: Path
) -> None:
    files = FuseFiles(FILES)
    made = await mounted(inside, tmp_path)
    init = await made.read_request()
    await made.reply(init, files.init(init))
    copy = await made.clone()
    assert await copy.is_cloexec()
    first, second = await made.pass_to(local), await copy.pass_to(local)
    await made.close()
    await copy.close()
    async with inside.spawn() as reader, trio.open_nursery() as nursery:
        nursery.start_soon(files.serve, first)
        nursery.start_soon(files.serve, second)
        assert await reader.fs.read_bytes(tmp_path / "long") == FILES["long"]
        await inside.mount.umount2(tmp_path, UMOUNT.DETACH)


async def test_only_what_is_mounted_can_be_cloned_and_used(inside: Task) -> None:
    async with await inside.dev.open_fuse() as fuse:
        with nothing_left(inside), pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
            await fuse.clone()
        assert caught.value.errno in {EINVAL, EPERM}  # before Linux 6.18, and since
        for call in (
            fuse.read_request,
            lambda: fuse.notify(FUSE_NOTIFY.INC_EPOCH, b""),
            lambda: fuse.reply(FuseRequest(FUSE.READ, 1), b""),
        ):
            with pytest.raises(OSError, match=r"(read|write)\(2\)") as caught:
                await call()
            assert caught.value.errno == EPERM


async def test_what_is_not_asked_can_not_be_answered(inside: Task, tmp_path: Path) -> None:
    async with await mounted(inside, tmp_path) as fuse:
        await fuse.read_request()
        with pytest.raises(FileNotFoundError):
            await fuse.reply(FuseRequest(FUSE.READ, 12345), b"")
        with pytest.raises(OSError, match=r"write\(2\)"):
            await fuse.notify(FUSE_NOTIFY.INVAL_INODE, b"too short")
        with pytest.raises(OSError, match=r"ioctl\(2\)"):
            async with await inside.fs.open("/") as file:
                await fuse.backing_open(file)
        with pytest.raises(OSError, match=r"ioctl\(2\)"):
            await fuse.backing_close(1)
        with pytest.raises(ArgumentRangeError, match="backing"):
            await fuse.backing_close(0)
    await inside.mount.umount2(tmp_path, UMOUNT.DETACH)


async def test_an_unmounted_file_system_has_no_more_requests(
    inside: Task, server: Task, tmp_path: Path
) -> None:
    made = await mounted(inside, tmp_path)
    async with await made.pass_to(server) as fuse:
        await made.close()
        await fuse.read_request()
        await inside.mount.umount2(tmp_path)
        with pytest.raises(OSError, match=r"read|preadv2") as caught:
            await fuse.read_request()
    assert caught.value.errno == ENODEV


async def test_the_kernel_is_told_what_is_old(inside: Task, server: Task, tmp_path: Path) -> None:
    files = FuseFiles(FILES)
    made = await mounted(inside, tmp_path)
    fuse = await made.pass_to(server)
    await made.close()
    init = await fuse.read_request()
    await fuse.reply(init, files.init(init))
    await fuse.notify(FUSE_NOTIFY.INVAL_INODE, FuseNotifyInvalInodeOut(FUSE_ROOT_ID))
    with pytest.raises(FileNotFoundError):  # a node of which the kernel knows nothing
        await fuse.notify(FUSE_NOTIFY.INVAL_INODE, FuseNotifyInvalInodeOut(7))
    name = FuseNotifyInvalEntryOut(FUSE_ROOT_ID, len("hello")).pack() + b"hello\0"
    with pytest.raises(FileNotFoundError):
        await fuse.notify(FUSE_NOTIFY.INVAL_ENTRY, name)
    await fuse.close()
    await inside.mount.umount2(tmp_path, UMOUNT.DETACH)


async def test_a_mount_can_wait_for_the_answer_to_init(inside: Task, tmp_path: Path) -> None:
    files = FuseFiles(FILES)
    async with await inside.dev.open_fuse() as made, inside.spawn() as server:
        try:
            await made.sync_init()
        except OSError as error:
            pytest.skip(f"this kernel lacks FUSE_DEV_IOC_SYNC_INIT (Linux 6.18): {error}")
        fuse = await made.pass_to(server)
        number = made.near.number
        async with trio.open_nursery() as nursery:
            nursery.start_soon(files.serve, fuse)
            data = f"fd={number},rootmode=40000,user_id=0,group_id=0"
            await inside.mount.mount("none", tmp_path, "fuse", data=data)
            assert files.seen == [FUSE.INIT]
            await inside.mount.umount2(tmp_path, UMOUNT.DETACH)


async def test_the_kind_is_checked(task: Task) -> None:
    file = await task.fs.open("/dev/null")
    with pytest.raises(FDKindError, match="/dev/fuse"):
        await file.as_kind(FuseFD)
    with nothing_left(task), pytest.raises(FDKindError, match="/dev/fuse"):
        await task.dev.open_fuse("/dev/null")
    await file.close()
