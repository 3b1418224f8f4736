"""Fds travel between processes; where there is no room for one, nothing is lost or mixed up."""

from __future__ import annotations

import fcntl
import os
import select
from errno import EBADF, EMFILE
from signal import SIGKILL
from typing import final

import pytest
import trio

from rsyscall_ns import CLONE, SYS, FileDescriptor, O, Task, TaskLostError
from rsyscall_ns.transport.ring import RingInterface
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left, open_fds
from tests.support.limits import fd_table_full
from tests.support.procview import fd_numbers, link_of


def is_cloexec(number: int) -> bool:
    return bool(fcntl.fcntl(number, fcntl.F_GETFD) & fcntl.FD_CLOEXEC)


async def test_an_exported_fd_is_a_copy_of_ours_and_close_on_exec(task: Task) -> None:
    reader, writer = await task.fs.pipe2()

    number = await task.sysif.export_fd(reader.near.number)

    try:
        await writer.write(b"through")
        assert os.read(number, 100) == b"through"
        assert is_cloexec(number)
    finally:
        os.close(number)
    assert reader.valid
    await reader.close()
    await writer.close()


async def test_an_imported_fd_is_a_copy_and_close_on_exec(task: Task) -> None:
    ours, theirs = os.pipe()

    number = await task.sysif.import_fd(theirs)

    os.close(theirs)
    assert await task.sysif.call(SYS.fcntl, number, fcntl.F_GETFD) == fcntl.FD_CLOEXEC
    assert await task.sysif.call(SYS.close, number) == 0
    assert os.read(ours, 1) == b""  # the last copy was closed
    os.close(ours)


async def test_an_fd_that_is_not_open_is_not_exported(task: Task) -> None:
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        await task.sysif.export_fd(12345)
    assert caught.value.errno == EBADF


async def test_an_fd_that_is_not_open_is_not_imported(task: Task) -> None:
    with nothing_left(), pytest.raises(OSError, match="Bad file descriptor") as caught:
        await task.sysif.import_fd(12345)
    assert caught.value.errno == EBADF
    # and the next one is not mistaken for it
    assert await task.sysif.call(SYS.close, await task.sysif.import_fd(0)) == 0


async def test_many_fds_travel_at_once_and_none_is_mistaken_for_another(child: Task) -> None:
    async def one(index: int) -> None:
        reader, writer = os.pipe()
        there = await child.sysif.import_fd(reader)
        os.write(writer, bytes([index]))
        back = await child.sysif.export_fd(there)
        assert os.read(back, 2) == bytes([index])
        for number in (reader, writer, back):
            os.close(number)
        assert await child.sysif.call(SYS.close, there) == 0

    with nothing_left(child):
        async with trio.open_nursery() as nursery:
            for index in range(40):
                nursery.start_soon(one, index)


async def test_a_passing_does_not_swallow_the_wakeup_of_another_call(child: Task) -> None:
    """The doorbell brings fds and says "completions are there": taking one keeps the other."""
    reader, theirs = await child.fs.pipe2()
    writer = await child.sysif.export_fd(theirs.near.number)
    for turn in range(200):
        got: list[object] = []

        async def read(got: list[object] = got) -> None:
            got.append(await reader.read(1))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await until_blocked(child)
            os.write(writer, bytes([turn]))
            os.close(await child.sysif.export_fd(0))
        assert got == [bytes([turn])]
    os.close(writer)


async def test_an_fd_goes_from_child_to_local_to_grandchild_and_still_works(local: Task) -> None:
    async with local.spawn() as child, child.spawn() as grandchild:
        reader, writer = await child.fs.pipe2()
        mine = await reader.pass_to(local)
        theirs = await writer.pass_to(grandchild)
        straight = await writer.pass_to(grandchild)

        assert mine.task is local
        assert theirs.task is grandchild
        await theirs.write(b"a")
        await straight.write(b"b")
        assert await mine.read(10) == b"ab"
        assert await reader.is_cloexec()
        assert await theirs.is_cloexec()


async def test_passing_keeps_what_kind_of_fd_it_is(local: Task) -> None:
    async with local.spawn() as child:
        first, second = await child.net.socketpair()
        mine = await first.pass_to(local)
        assert type(mine) is type(first)
        await mine.send(b"hello")
        assert await second.recv(10) == b"hello"


async def test_passing_to_the_same_table_makes_a_new_entry(task: Task) -> None:
    file = await task.fs.open("/dev/null")
    copy = await file.pass_to(task)
    assert copy.near != file.near
    await file.close()
    assert copy.valid
    assert await copy.read(1) == b""
    await copy.close()


async def test_a_full_table_here_is_an_error_and_nothing_is_lost(child: Task) -> None:
    file = await child.fs.open("/dev/null")
    with nothing_left(child):
        for _ in range(3):
            with fd_table_full(os.getpid()):
                with pytest.raises(OSError, match="Too many open files") as caught:
                    await child.sysif.export_fd(file.near.number)
                assert caught.value.errno == EMFILE
    number = await child.sysif.export_fd(file.near.number)
    assert link_of("self", number) == "/dev/null"
    os.close(number)


async def test_a_full_table_there_is_an_error_and_nothing_is_lost(child: Task) -> None:
    pid = child.process.near.id
    before = fd_numbers(pid)
    for _ in range(3):
        with fd_table_full(pid):
            with pytest.raises(OSError, match="Too many open files") as caught:
                await child.sysif.import_fd(0)
            assert caught.value.errno == EMFILE
    assert fd_numbers(pid) == before
    reader, writer = os.pipe()
    number = await child.sysif.import_fd(reader)
    assert link_of(pid, number) == link_of("self", reader)
    os.close(reader)
    os.close(writer)


@final
class Failing:
    """Makes these calls of every ring with an fd that is not there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.numbers: set[int] = set()
        made = RingInterface.call

        async def call(ring: RingInterface, number: int, *args: int) -> int:
            if number in self.numbers:
                args = 12345, *args[1:]
            return await made(ring, number, *args)

        monkeypatch.setattr(RingInterface, "call", call)


@pytest.mark.parametrize("lasts", [False, True], ids=["at once", "later"])
async def test_an_fd_that_could_not_be_received_is_not_what_the_next_one_gets(
    child: Task, monkeypatch: pytest.MonkeyPatch, *, lasts: bool
) -> None:
    failing = Failing(monkeypatch)
    secret, wanted = os.pipe(), os.pipe()
    with nothing_left(child):
        sent = os.dup(secret[1])
        failing.numbers = {SYS.recvmsg, SYS.recvfrom} if lasts else {SYS.recvmsg}
        with pytest.raises(OSError, match="recvmsg") as caught:
            await child.sysif.import_fd(sent)
        assert caught.value.errno == EBADF
        os.close(sent)
        if lasts:  # nothing is sent as long as the other one lies there
            with pytest.raises(OSError, match="recvfrom"):
                await child.sysif.import_fd(wanted[0])
        failing.numbers = set()

        number = await child.sysif.import_fd(wanted[0])

        assert link_of(child.process.near.id, number) == link_of("self", wanted[0])
        assert await child.sysif.call(SYS.close, number) == 0
    os.close(secret[1])
    assert os.read(secret[0], 1) == b""  # nobody has a copy of it
    for number in (secret[0], *wanted):
        os.close(number)


async def test_a_full_table_refuses_every_call_that_makes_an_fd(task: Task) -> None:
    with nothing_left(task):
        file = await task.fs.open("/dev/null")
        with fd_table_full(task.process.near.id):
            for make in (task.fs.pipe2, file.dup, lambda: task.fs.open("/dev/null")):
                with pytest.raises(OSError, match="Too many open files") as caught:
                    await make()
                assert caught.value.errno == EMFILE
        await file.close()


async def test_a_cancelled_passing_leaves_no_fd_anywhere(local: Task) -> None:
    reader, writer = await local.fs.pipe2()
    async with local.spawn() as child:
        pid = child.process.near.id
        before = fd_numbers(pid)
        ours = open_fds()
        for checkpoints in range(12):
            made: list[FileDescriptor] = []
            async with trio.open_nursery() as nursery:

                async def do_pass(made: list[FileDescriptor] = made) -> None:
                    made.append(await reader.pass_to(child))

                nursery.start_soon(do_pass)
                for _ in range(checkpoints):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
            for handle in made:
                await handle.close()
            assert fd_numbers(pid) == before
            assert open_fds() == ours
    await reader.close()
    await writer.close()


async def test_passing_to_a_child_that_has_just_died_is_refused_by_name(local: Task) -> None:
    file = await local.fs.open("/dev/null")
    async with local.spawn() as child:
        pid = child.process.near.id
        pidfd = os.pidfd_open(pid)
        os.kill(pid, SIGKILL)
        poller = select.poll()
        poller.register(pidfd, select.POLLIN)
        assert poller.poll()  # the event loop has not seen it yet
        os.close(pidfd)
        with pytest.raises(TaskLostError):
            await file.pass_to(child)


async def test_a_child_that_shares_our_table_passes_fds_too(local: Task) -> None:
    async with local.spawn(CLONE.FILES) as child:
        with nothing_left():
            file = await child.fs.open("/dev/zero", O.RDONLY)
            copy = await file.pass_to(local)
            await file.close()
            assert await copy.read(2) == b"\0\0"
            await copy.close()
