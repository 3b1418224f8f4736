"""Who owns an fd, through which task it is used, and when it is closed."""

from __future__ import annotations

import gc
import os
from collections.abc import Awaitable, Callable
from errno import EBADF
from signal import SIGKILL

import pytest
import trio

from rsyscall_ns import (
    AF,
    CLONE,
    SOCK,
    SYS,
    FDClosedError,
    FDKindError,
    FDNotInheritedError,
    FDTableMismatchError,
    FDTargetError,
    FileDescriptor,
    NamespaceFD,
    NamespaceMismatchError,
    O,
    PidFD,
    SocketFD,
    Task,
    W,
)
from tests.support.census import nothing_left
from tests.support.procview import fd_numbers
from tests.support.steps import Counting


async def test_closing_twice_is_fine_and_the_handle_forgets_its_number(task: Task) -> None:
    with nothing_left(task):
        file = await task.fs.open("/dev/null")
        await file.close()
        await file.close()

    assert not file.valid
    assert "closed" in repr(file)


async def test_every_use_of_a_closed_handle_is_refused_before_any_call(task: Task) -> None:
    file = await task.fs.open("/dev/null")
    other = await task.fs.open("/dev/null")
    await file.close()
    task.sysif = counting = Counting(task.sysif)

    uses: list[Callable[[], Awaitable[object]]] = [
        lambda: file.read(1),
        lambda: file.write(b"x"),
        lambda: file.pread(1, 0),
        lambda: file.pwrite(b"x", 0),
        file.dup,
        lambda: file.dup3(other),
        lambda: other.dup3(file),
        file.disable_cloexec,
        file.enable_cloexec,
        file.is_cloexec,
        lambda: file.lseek(0),
        lambda: file.fcntl(1),
        lambda: file.ioctl(1),
        file.getdents,
        lambda: file.as_kind(SocketFD),
        lambda: file.pass_to(task),
        lambda: task.fs.chdir(file),
    ]
    for use in uses:
        with pytest.raises(FDClosedError):
            await use()
    with pytest.raises(FDClosedError):
        file.for_task(task)
    with pytest.raises(FDClosedError):
        file.inherit(task)
    assert counting.calls == 0
    assert other.valid
    task.sysif = counting.inner


async def test_an_fd_of_another_table_is_refused_before_any_call(local: Task) -> None:
    async with local.spawn() as child:
        ours, theirs = await local.fs.open("/dev/null"), await child.fs.open("/dev/null")
        ours_ns = await local.ns.open("net")
        local.sysif = here = Counting(local.sysif)
        child.sysif = there = Counting(child.sysif)

        uses: list[Callable[[], Awaitable[object]]] = [
            lambda: child.fs.chdir(ours),
            lambda: local.fs.chdir(theirs),
            lambda: theirs.dup3(ours),
            lambda: ours.dup3(theirs),
            lambda: child.ns.setns(ours_ns, CLONE.NEWNET),
            lambda: child.ns.setns(ours_ns),
        ]
        for use in uses:
            with pytest.raises(FDTableMismatchError, match="pass_to") as caught:
                await use()
            assert isinstance(caught.value, NamespaceMismatchError)
        with pytest.raises(FDTableMismatchError):
            ours.for_task(child)
        with pytest.raises(FDTableMismatchError), theirs.borrow(local):
            pass

        assert (here.calls, there.calls) == (0, 0)
        assert ours.valid
        assert theirs.valid
        local.sysif, child.sysif = here.inner, there.inner


async def test_an_entry_is_closed_with_its_last_handle(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn(CLONE.FILES) as child:
            first = await local.fs.open("/dev/null")
            second = first.for_task(child)
            assert second.near == first.near
            assert second.task is child

            await first.close()
            assert await second.read(1) == b""
            await second.close()


async def test_a_forgotten_handle_is_collected_and_closed(task: Task) -> None:
    pid = task.process.near.id
    before = fd_numbers(pid)
    for _ in range(20):
        await task.fs.open("/dev/null")
    gc.collect()

    await task.sweep()

    assert fd_numbers(pid) == before


async def test_forgotten_handles_of_a_child_are_closed_when_it_makes_the_next_fd(
    child: Task,
) -> None:
    numbers = set[int]()
    for _ in range(20):
        numbers.add((await child.fs.open("/dev/null")).near.number)
        gc.collect(0)

    assert len(numbers) <= 2


async def test_a_forgotten_handle_does_not_close_an_entry_that_others_own(task: Task) -> None:
    file = await task.fs.open("/dev/null")
    extra = file.for_task(task)
    del extra
    gc.collect()
    await task.sweep()

    assert await file.read(1) == b""
    await file.close()


async def test_everything_that_makes_an_fd_makes_it_close_on_exec(task: Task) -> None:
    file = await task.fs.open("/dev/null", O.RDWR)
    listener = await task.net.socket(AF.UNIX, SOCK.STREAM)
    made = [
        file,
        listener,
        await file.dup(),
        await (await file.dup()).dup3(await file.dup()),
        *await task.fs.pipe2(),
        *await task.net.socketpair(),
        await task.ns.open("mnt"),
        await file.pass_to(task),
    ]
    for fd in made:
        assert await fd.is_cloexec(), fd
        assert not fd.inheritable


async def test_dup2_is_inherited_by_programs_and_dup3_is_not(task: Task) -> None:
    source = await task.fs.open("/dev/null")
    second = await source.dup2(await source.dup())
    third = await source.dup3(await source.dup())

    assert (await second.is_cloexec(), second.inheritable) == (False, True)
    assert (await third.is_cloexec(), third.inheritable) == (True, False)
    await second.enable_cloexec()
    assert (await second.is_cloexec(), second.inheritable) == (True, False)
    await third.disable_cloexec()
    assert (await third.is_cloexec(), third.inheritable) == (False, True)


async def test_dup3_replaces_what_the_target_was_open_on(task: Task) -> None:
    reader, writer = await task.fs.pipe2()
    target = await task.fs.open("/dev/null", O.WRONLY)
    number = target.near

    made = await writer.dup3(target)

    assert not target.valid
    assert made.near == number
    await writer.close()
    await made.write(b"through the copy")
    assert await reader.read(100) == b"through the copy"


async def test_dup3_refuses_a_target_that_has_other_handles(task: Task) -> None:
    source, target = await task.fs.open("/dev/null"), await task.fs.open("/dev/zero")
    extra = target.for_task(task)

    with pytest.raises(FDTargetError, match="other handles"):
        await source.dup3(target)

    assert target.valid
    assert await extra.read(1) == b"\0"


async def test_dup2_of_an_entry_onto_itself_is_refused_and_changes_nothing(task: Task) -> None:
    file = await task.fs.open("/dev/zero")
    with pytest.raises(FDTargetError, match="same entry"):
        await file.dup2(file)
    assert await file.read(1) == b"\0"


async def test_a_child_inherits_what_was_named_and_nothing_else(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    other = await local.fs.open("/dev/null")
    async with local.spawn(inherit=[reader]) as child:
        theirs = reader.inherit(child)
        assert theirs.near == reader.near
        await writer.write(b"for the child")
        assert await theirs.read(100) == b"for the child"
        with pytest.raises(FDNotInheritedError, match="pass_to"):
            other.inherit(child)
        with pytest.raises(FDNotInheritedError):
            reader.inherit(child)  # claimed already
        async with child.spawn(inherit=[theirs]) as grandchild:
            await writer.write(b"and its child")
            assert await theirs.inherit(grandchild).read(100) == b"and its child"


async def test_a_shared_table_is_inherited_as_it_is_until_it_is_unshared(local: Task) -> None:
    async with local.spawn(CLONE.FILES) as child:
        file = await local.fs.open("/dev/zero")
        shared = file.inherit(child)
        assert shared.near == file.near
        assert shared.table is file.table is child.fd_table

        await child.ns.unshare(CLONE.FILES)

        assert child.fd_table is not local.fd_table
        assert await shared.read(1) == b"\0"  # followed its task into the copy
        with pytest.raises(FDTableMismatchError):
            shared.for_task(local)
        await file.close()
        assert await shared.read(1) == b"\0"
        await shared.close()


async def test_leaving_the_scope_closes_what_was_left_open(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn() as child:
            reader, _ = await child.fs.pipe2()
            ours = await reader.pass_to(local)
        await ours.close()


async def test_closing_an_fd_of_a_dead_child_is_quiet(local: Task) -> None:
    async with local.spawn() as child:
        file = await child.fs.open("/dev/null")
        os.kill(child.process.near.id, SIGKILL)
        await child.process.waitid(W.EXITED)

        await file.close()


async def test_an_fd_that_arrives_from_elsewhere_is_checked_to_be_what_it_should_be(
    task: Task,
) -> None:
    null = await task.fs.open("/dev/null")
    path_only = await task.fs.open("/proc/self", O.PATH)
    directory = await task.fs.open("/proc/self", O.RDONLY | O.DIRECTORY)
    reader, _ = await task.fs.pipe2()
    socket, _ = await task.net.socketpair()
    namespace = await task.ns.open("uts")

    wrong: list[tuple[FileDescriptor, type[FileDescriptor]]] = [
        *((fd, SocketFD) for fd in (null, path_only, directory, reader, namespace)),
        *((fd, NamespaceFD) for fd in (null, path_only, directory, reader, socket)),
        *((fd, PidFD) for fd in (null, path_only, directory, reader, socket, namespace)),
    ]
    for fd, kind in wrong:
        with pytest.raises(FDKindError, match=kind.__name__):
            await fd.as_kind(kind)
        assert fd.valid


async def test_as_kind_consumes_the_handle_and_keeps_the_entry(task: Task) -> None:
    left, right = await task.net.socketpair()
    plain = await left.as_kind(FileDescriptor)
    assert type(plain) is FileDescriptor
    assert not left.valid

    socket = await plain.as_kind(SocketFD)

    assert not plain.valid
    await socket.send(b"still there")
    assert await right.recv(100) == b"still there"
    pidfd = await (await (await task.ns.open("user")).as_kind(FileDescriptor)).as_kind(NamespaceFD)
    assert await pidfd.nstype() == CLONE.NEWUSER


async def test_a_cancelled_close_closes_all_the_same(task: Task) -> None:
    with nothing_left(task):
        file = await task.fs.open("/dev/null")
        with trio.CancelScope() as scope:
            scope.cancel()
            await file.close()
        assert not file.valid


async def test_an_error_of_close_is_raised_and_the_handle_is_closed(task: Task) -> None:
    file = await task.fs.open("/dev/null")
    await task.sysif.call(SYS.close, file.near.number)  # behind its back

    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        await file.close()

    assert caught.value.errno == EBADF
    assert not file.valid
