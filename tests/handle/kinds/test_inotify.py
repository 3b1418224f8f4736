"""What inotify tells of files, and how long it is waited for."""

from __future__ import annotations

from errno import EINVAL, ENOSPC
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    BYTES,
    IN,
    SYS,
    FDKindError,
    FileDescriptor,
    InotifyEvent,
    InotifyFD,
    O,
    Task,
    inotify_events,
)
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left


async def test_what_happens_in_a_directory_is_told_with_its_names(
    task: Task, tmp_path: Path
) -> None:
    inotify = await task.fs.inotify_init1()
    with nothing_left(task):
        watch = await inotify.add_watch(tmp_path, IN.CREATE | IN.MOVE | IN.DELETE)
        (tmp_path / "one").mkdir()
        (tmp_path / "one").rename(tmp_path / "two")
        made, gone, come = await inotify.read_events()
        assert made == InotifyEvent(watch, IN.CREATE | IN.ISDIR, 0, "one")
        assert (gone.mask, gone.name) == (IN.MOVED_FROM | IN.ISDIR, "one")
        assert (come.mask, come.name) == (IN.MOVED_TO | IN.ISDIR, "two")
        assert gone.cookie == come.cookie != 0
        await inotify.rm_watch(watch)
        assert await inotify.read_events() == [InotifyEvent(watch, IN.IGNORED)]


async def test_events_are_iterated_over_one_by_one(task: Task, tmp_path: Path) -> None:
    inotify = await task.fs.inotify_init1()
    await inotify.add_watch(tmp_path, IN.CREATE)
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
    found: list[str] = []
    async for event in inotify:
        found.append(event.name)
        if len(found) == 3:
            break
    assert found == ["a", "b", "c"]


async def test_events_are_read_into_the_callers_memory(task: Task, tmp_path: Path) -> None:
    inotify = await task.fs.inotify_init1()
    path = await task.ptr(bytes(tmp_path) + b"\0")
    await inotify.add_watch(path, IN.CREATE)
    path.free()
    (tmp_path / "name").touch()
    filled = await inotify.read_events(await task.malloc(BYTES, 4096))
    (event,) = inotify_events(await filled.read())
    assert event.name == "name"
    filled.free()


async def test_waiting_for_an_event_can_be_cancelled_and_others_go_on(
    task: Task, tmp_path: Path
) -> None:
    inotify = await task.fs.inotify_init1()
    await inotify.add_watch(tmp_path, IN.CREATE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(inotify.read_events)
        if task.sysif.same_thread:
            await wait_all_tasks_blocked()
        else:
            await until_blocked(task, SYS.read)
        nursery.cancel_scope.cancel()
    (tmp_path / "later").touch()
    (event,) = await inotify.read_events()
    assert event.name == "later"


async def test_errors_are_those_of_the_manual(task: Task, tmp_path: Path) -> None:
    inotify = await task.fs.inotify_init1(O.NONBLOCK)
    (tmp_path / "file").touch()
    (tmp_path / "other").touch()
    with nothing_left(task):
        with pytest.raises(FileNotFoundError) as caught:
            await inotify.add_watch(tmp_path / "missing")
        assert caught.value.filename == str(tmp_path / "missing")
        with pytest.raises(NotADirectoryError):
            await inotify.add_watch(tmp_path / "file", IN.OPEN | IN.ONLYDIR)
        with pytest.raises(OSError, match="Invalid argument") as wrong:
            await inotify.add_watch(tmp_path / "file", IN.NONE)
        assert wrong.value.errno == EINVAL
        await inotify.add_watch(tmp_path / "file", IN.OPEN)
        with pytest.raises(FileExistsError):
            await inotify.add_watch(tmp_path / "file", IN.OPEN | IN.MASK_CREATE)
        with pytest.raises(OSError, match="Invalid argument"):
            await inotify.rm_watch(1000)
        with pytest.raises(OSError, match="Invalid argument"):
            await task.fs.inotify_init1(O.CREAT)
        async with await task.fs.open(tmp_path / "file"):
            with pytest.raises(OSError, match="Invalid argument") as small:
                await inotify.read_events(1)
            assert small.value.errno in {EINVAL, ENOSPC}
            assert (await inotify.read_events())[0].mask == IN.OPEN


async def test_only_an_inotify_becomes_one(task: Task) -> None:
    made = await task.fs.inotify_init1()
    assert await made.is_cloexec()
    plain = await made.as_kind(FileDescriptor)
    again = await plain.as_kind(InotifyFD)
    assert isinstance(await again.dup(), InotifyFD)
    for other in (await task.fs.open("/dev/null"), (await task.fs.pipe2())[0]):
        with pytest.raises(FDKindError, match="InotifyFD"):
            await other.as_kind(InotifyFD)
