"""What fanotify tells of files, and what it asks."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from errno import EBUSY, EPERM
from pathlib import Path

import pytest
import trio

from rsyscall_ns import (
    CLONE,
    FAN,
    FAN_INIT,
    FAN_MARK,
    FAN_RESPONSE,
    STATX,
    ArgumentRangeError,
    FanotifyEvent,
    FanotifyFD,
    FanotifyFid,
    FanotifyMount,
    FanotifyPidfd,
    FanotifyRange,
    FDKindError,
    FileDescriptor,
    O,
    Task,
)
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT

NAMED = FAN_INIT.REPORT_FID | FAN_INIT.REPORT_DFID_NAME
ROOT_ONLY = pytest.mark.skipif(not IS_ROOT, reason="needs CAP_SYS_ADMIN in the first namespace")


async def test_files_and_names_are_told_by_their_handles(task: Task, tmp_path: Path) -> None:
    group = await task.fs.fanotify_init(NAMED)
    with nothing_left(task):
        await group.mark(FAN_MARK.ADD, FAN.CREATE | FAN.DELETE | FAN.ONDIR, tmp_path)
        (tmp_path / "name").mkdir()
        (event,) = await group.read_events()
        assert event.mask == FAN.CREATE | FAN.ONDIR
        assert (event.file, event.pidfd) == (None, None)
        folder, _ = await task.fs.name_to_handle_at(tmp_path)
        (record,) = [info for info in event.info if isinstance(info, FanotifyFid) and info.name]
        assert (record.handle, record.name) == (folder, "name")
        assert record.fsid == (await task.fs.statfs(tmp_path)).fsid.val
        await group.mark(FAN_MARK.FLUSH)
        await event.close()


async def test_events_are_iterated_over_one_by_one(task: Task, tmp_path: Path) -> None:
    group = await task.fs.fanotify_init(NAMED)
    directory = await task.fs.open(tmp_path, O.DIRECTORY)
    await group.mark(FAN_MARK.ADD, FAN.CREATE, dir_fd=directory)
    for name in ("a", "b"):
        (tmp_path / name).touch()
    found: list[str] = []
    async for event in group:
        found += [info.name for info in event.info if isinstance(info, FanotifyFid) and info.name]
        if len(found) == 2:
            break
    assert found == ["a", "b"]


async def test_a_group_without_permission_is_refused(task: Task, tmp_path: Path) -> None:
    with nothing_left(task):
        with pytest.raises((OSError, PermissionError)):
            await task.fs.fanotify_init(FAN_INIT.REPORT_NAME)  # needs REPORT_DIR_FID
        if not IS_ROOT:
            with pytest.raises(PermissionError):
                await task.fs.fanotify_init(FAN_INIT.CLASS_CONTENT)
    group = await task.fs.fanotify_init(NAMED)
    with nothing_left(task):
        with pytest.raises(FileNotFoundError) as caught:
            await group.mark(FAN_MARK.ADD, FAN.CREATE, tmp_path / "missing")
        assert caught.value.filename == str(tmp_path / "missing")
        with pytest.raises(OSError, match="Invalid argument"):
            await group.mark(FAN_MARK.ADD, FAN.NONE, tmp_path)
        with pytest.raises(FileNotFoundError):
            await group.mark(FAN_MARK.REMOVE, FAN.CREATE, tmp_path)


@ROOT_ONLY
async def test_events_bring_files_and_processes(task: Task, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    group = await task.fs.fanotify_init(FAN_INIT.REPORT_PIDFD)
    with nothing_left(task):
        await group.mark(FAN_MARK.ADD, FAN.OPEN, tmp_path / "file")
        async with await task.fs.open(tmp_path / "file", O.PATH):
            pass  # opens nothing
        with (tmp_path / "file").open():
            pass
        (event,) = await group.read_events()
        async with event:
            assert event.pid == os.getpid()
            assert event.file is not None
            assert await event.file.is_cloexec()
            assert await event.file.read() == b"content"
            assert event.pidfd is not None
            await event.pidfd.send_signal(0)
            assert isinstance(event.info[0], FanotifyPidfd)
        assert not event.file.valid


@ROOT_ONLY
@pytest.mark.parametrize("answer", [FAN_RESPONSE.ALLOW, FAN_RESPONSE.DENY])
async def test_who_opens_a_file_waits_for_the_answer(
    local: Task, child: Task, tmp_path: Path, answer: FAN_RESPONSE
) -> None:
    (tmp_path / "file").write_bytes(b"content")
    group = await local.fs.fanotify_init(FAN_INIT.CLASS_CONTENT)
    await group.mark(FAN_MARK.ADD, FAN.OPEN_PERM, tmp_path / "file")
    told: list[object] = []

    async def open_it() -> None:
        try:
            async with await child.fs.open(tmp_path / "file") as file:
                told.append(await file.read())
        except PermissionError as error:
            told.append(error.filename)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(open_it)
        (event,) = await group.read_events()
        assert event.mask == FAN.OPEN_PERM
        assert event.pid == child.process.near.id
        assert told == []
        assert event.file is not None
        await group.respond(event.file, answer)
        await event.close()
    allowed = answer == FAN_RESPONSE.ALLOW
    assert told == [b"content"] if allowed else told == [str(tmp_path / "file")]


async def test_only_a_group_becomes_one(task: Task) -> None:
    group = await task.fs.fanotify_init(NAMED)
    assert await group.is_cloexec()
    again = await (await group.as_kind(FileDescriptor)).as_kind(FanotifyFD)
    assert again.valid
    with pytest.raises(FDKindError, match="FanotifyFD"):
        await (await task.fs.inotify_init1()).as_kind(FanotifyFD)


async def test_closing_an_event_closes_what_it_brought_also_when_cancelled(task: Task) -> None:
    file = await task.fs.open("/dev/null")
    event = FanotifyEvent(FAN.OPEN, 1, file, None, ())
    with trio.CancelScope() as scope:
        scope.cancel()
        async with event:
            pass
    assert not file.valid
    assert scope.cancelled_caught
    await event.close()


async def test_mounts_of_a_namespace_are_told(local: Task, tmp_path: Path) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS) as child:
        try:
            group = await child.fs.fanotify_init(FAN_INIT.REPORT_MNT)
        except OSError as error:
            pytest.skip(f"FAN_REPORT_MNT came with Linux 6.15: {error}")
        mask = FAN.MNT_ATTACH | FAN.MNT_DETACH
        await group.mark(FAN_MARK.ADD | FAN_MARK.MNTNS, mask, "/proc/self/ns/mnt")
        await child.mount.mount("none", tmp_path, "tmpfs")
        unique = (await child.fs.statx(tmp_path, STATX.MNT_ID_UNIQUE)).mnt_id
        await child.mount.umount2(tmp_path)
        events = [event async for event in first(group, 2)]
    assert [(event.mask, event.info) for event in events] == [
        (FAN.MNT_ATTACH, (FanotifyMount(unique),)),
        (FAN.MNT_DETACH, (FanotifyMount(unique),)),
    ]


async def first(group: FanotifyFD, count: int) -> AsyncIterator[FanotifyEvent]:
    """Yield so many events."""
    for _ in range(count):
        yield await anext(group)


@ROOT_ONLY
async def test_who_reads_a_file_waits_for_its_content(
    local: Task, child: Task, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"content")
    try:
        group = await local.fs.fanotify_init(FAN_INIT.CLASS_PRE_CONTENT, O.RDWR)
        await group.mark(FAN_MARK.ADD, FAN.PRE_ACCESS, tmp_path / "file")
    except OSError as error:
        pytest.skip(f"FAN_PRE_ACCESS: Linux 6.14, and some file systems: {error}")
    file = await child.fs.open(tmp_path / "file")
    got: list[bytes] = []

    async def read() -> None:
        got.append(await file.pread(4, 3))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        (event,) = await group.read_events()
        async with event:
            assert event.mask == FAN.PRE_ACCESS
            (part,) = event.info
            assert isinstance(part, FanotifyRange)
            assert part.offset <= 3
            assert part.offset + part.count >= 7
            assert event.file is not None
            await event.file.pwrite(b"CONTENT", 0)  # filled in before it is read
            await group.respond(event.file, FAN_RESPONSE.ALLOW)
    assert got == [b"TENT"]


@ROOT_ONLY
async def test_who_is_denied_gets_the_error_that_was_chosen(
    local: Task, child: Task, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"content")
    group = await local.fs.fanotify_init(FAN_INIT.CLASS_PRE_CONTENT)
    await group.mark(FAN_MARK.ADD, FAN.OPEN_PERM, tmp_path / "file")
    got: list[int | None] = []

    async def open_it() -> None:
        try:
            await child.fs.open(tmp_path / "file")
        except OSError as error:
            got.append(error.errno)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(open_it)
        async with await anext(group) as event:
            assert event.file is not None
            with pytest.raises(ArgumentRangeError, match="error"):
                await group.respond(event.file, FAN_RESPONSE.DENY, 256)
            try:
                await group.respond(event.file, FAN_RESPONSE.DENY, EBUSY)
            except OSError:  # Linux before 6.13
                await group.respond(event.file, FAN_RESPONSE.DENY)
    assert got in ([EBUSY], [EPERM])


@ROOT_ONLY
async def test_closing_a_group_closes_what_nobody_has_seen(task: Task, tmp_path: Path) -> None:
    names = ("one", "two", "three")
    for name in names:
        (tmp_path / name).touch()
    with nothing_left(task):
        async with await task.fs.fanotify_init() as group:
            await group.mark(FAN_MARK.ADD, FAN.OPEN | FAN.EVENT_ON_CHILD, tmp_path)
            for name in names:
                (tmp_path / name).read_bytes()
            async with await anext(group) as event:
                assert event.mask == FAN.OPEN
