"""A pidfd: signals with data, fds and namespaces of the process, and what is known of it."""

from __future__ import annotations

import os
from contextlib import suppress
from errno import EINVAL, ESRCH

import pytest

from rsyscall_ns import (
    CLONE,
    EPOLL,
    KCMP,
    MADV,
    PIDFD,
    PIDFD_GET,
    PIDFD_INFO,
    PIDFD_SIGNAL,
    SI,
    SIG,
    SIG_BLOCK,
    SIG_SETMASK,
    ArgumentRangeError,
    FDKindError,
    FileDescriptor,
    KcmpEpollSlot,
    NamespaceFD,
    PidfdInfo,
    Process,
    SocketFD,
    Task,
    ValueSiginfo,
    struct_of,
)
from rsyscall_ns.near.ids import Address
from tests.support.census import nothing_left
from tests.support.children import FOREVER, TRUE

QUEUED = 50


async def test_a_pidfd_of_any_process_is_opened_and_closed_on_exec(task: Task) -> None:
    async with task.launch(FOREVER) as process:
        async with await process.pidfd_open() as mine:
            assert await mine.is_cloexec()
        async with await Process(task, process.near).pidfd_open(PIDFD.NONBLOCK) as other:
            await other.send_signal(SIG.KILL)
        assert (await process.wait()).killed_with() == SIG.KILL


async def test_a_pidfd_of_nobody_is_refused(task: Task) -> None:
    async with task.launch(TRUE) as process:
        await process.wait()
        with pytest.raises(ProcessLookupError):
            await Process(task, process.near).pidfd_open()


async def test_a_signal_is_sent_with_what_comes_along(task: Task) -> None:
    old = await task.signals.sigprocmask(SIG_BLOCK, [QUEUED])
    async with await task.process.pidfd_open() as pidfd:
        info = ValueSiginfo(QUEUED, 0, SI.QUEUE, 1, 2, 2**64 - 1)
        pointer = await pidfd.task.ptr(info)
        for form in (info, pointer):
            await pidfd.send_signal(QUEUED, form)
            assert await task.signals.sigwaitinfo([QUEUED]) == info
        pointer.free()
        with pytest.raises(OSError, match="pidfd_send_signal") as other:
            await pidfd.send_signal(SIG.USR1, info)
        assert other.value.errno == EINVAL
        with pytest.raises(ArgumentRangeError, match="signal"):
            await pidfd.send_signal(65)
    await task.signals.sigprocmask(SIG_SETMASK, old)


async def test_a_signal_goes_to_the_group_of_the_process(task: Task) -> None:
    async with task.spawn() as leader:
        await leader.process.setpgid()
        assert leader.process.pidfd is not None
        try:
            await leader.process.pidfd.send_signal(0, flags=PIDFD_SIGNAL.PROCESS_GROUP)
        except OSError:
            pytest.skip("this kernel signals no groups by a pidfd")
        with pytest.raises(OSError, match="pidfd_send_signal"):
            await leader.process.pidfd.send_signal(0, flags=PIDFD_SIGNAL(1 << 20))
        await leader.process.pidfd.send_signal(SIG.KILL, flags=PIDFD_SIGNAL.PROCESS_GROUP)
        assert (await leader.process.wait()).killed_with() == SIG.KILL


async def test_a_copy_of_an_fd_is_taken_as_its_kind(local: Task, child: Task) -> None:
    theirs, peer = await child.net.socketpair()
    async with await child.process.pidfd_open() as pidfd:
        with nothing_left(local):
            for target in (theirs, theirs.near.number):
                async with await pidfd.pidfd_getfd(target, SocketFD) as mine:
                    assert type(mine) is SocketFD
                    assert mine.task is local
                    assert await mine.is_cloexec()
                    await mine.send(b"a")
                    assert await peer.read() == b"a"
            async with await pidfd.pidfd_getfd(theirs) as plain:
                assert type(plain) is FileDescriptor
            with pytest.raises(FDKindError):
                await pidfd.pidfd_getfd(theirs, NamespaceFD)
            with pytest.raises(OSError, match="pidfd_getfd"):
                await pidfd.pidfd_getfd(2**20)
            with pytest.raises(ArgumentRangeError):
                await pidfd.pidfd_getfd(-1)


async def test_what_is_known_of_a_process(task: Task) -> None:
    async with task.launch(FOREVER) as process:
        assert process.pidfd is not None
        info = await process.pidfd.get_info()
        assert PIDFD_INFO.PID | PIDFD_INFO.CREDS in info.mask
        assert (info.pid, info.tgid) == (process.near.id, process.near.id)
        assert info.ppid == task.process.near.id
        assert (info.ruid, info.euid, info.fsgid) == (os.getuid(), os.geteuid(), os.getegid())
        room = await task.malloc(struct_of(PidfdInfo))
        room = await process.pidfd.get_info(PIDFD_INFO.PID, into=room)
        assert (await room.read()).pid == process.near.id
        room.free()


async def test_of_a_reaped_process_only_its_end_is_known(task: Task) -> None:
    async with task.launch(FOREVER) as process:
        assert process.pidfd is not None
        async with await process.pidfd.dup() as pidfd:
            assert await pidfd.exit_status() is None
            await process.kill(SIG.TERM)
            await process.wait()
            with pytest.raises(ProcessLookupError) as gone:
                await pidfd.get_info(PIDFD_INFO.PID)
            assert gone.value.errno == ESRCH
            info = await pidfd.get_info(PIDFD_INFO.EXIT | PIDFD_INFO.COREDUMP)
            assert PIDFD_INFO.EXIT in info.mask
            assert info.exit_code == SIG.TERM == await pidfd.exit_status()


@pytest.mark.parametrize("kind", PIDFD_GET, ids=lambda kind: kind.name)
async def test_namespaces_of_a_process_are_opened(task: Task, kind: PIDFD_GET) -> None:
    flag = CLONE[f"NEW{kind.name.split('_', maxsplit=1)[0]}".replace("NEWMNT", "NEWNS")]
    async with task.launch(FOREVER) as process:
        assert process.pidfd is not None
        async with await process.pidfd.open_namespace(kind) as namespace:
            assert type(namespace) is NamespaceFD
            assert await namespace.is_cloexec()
            assert await namespace.nstype() == flag


async def test_memory_of_a_process_is_advised_and_freed(task: Task, local: Task) -> None:
    async with task.launch(FOREVER) as process:
        assert process.pidfd is not None
        with pytest.raises(OSError, match="process_mrelease") as alive:
            await process.pidfd.process_mrelease()
        assert alive.value.errno == EINVAL
        async with await task.process.pidfd_open() as own, await task.mem.mmap(8192) as mapping:
            ranges = [(mapping.near, 4096), (mapping.near + 4096, 4096)]
            # that of another process takes CAP_SYS_NICE
            if os.geteuid() == 0 or task.address_space is local.address_space:
                assert await own.process_madvise(ranges, MADV.COLD) == 8192
            else:
                with pytest.raises(PermissionError, match="process_madvise"):
                    await own.process_madvise(ranges, MADV.COLD)
        with pytest.raises(OSError, match="process_madvise"):
            await process.pidfd.process_madvise([(Address(1), 1)], MADV.COLD)
        for size in (-1, 2**64):
            with pytest.raises(ArgumentRangeError, match="length"):
                await process.pidfd.process_madvise([(Address(1), size)], MADV.COLD)
        await process.pidfd.send_signal(SIG.KILL)
        with suppress(ProcessLookupError):  # its end was faster
            await process.pidfd.process_mrelease()


async def test_what_processes_share_is_compared(local: Task, child: Task) -> None:
    one, two = local.process, child.process
    assert await one.kcmp(two, KCMP.VM) == 0
    assert await two.kcmp(one, KCMP.FILES) in {1, 2}
    assert await two.kcmp(two, KCMP.FS) == 0
    reader, writer = await local.fs.pipe2()
    copy = await reader.dup()
    numbers = [fd.near.number for fd in (reader, copy, writer)]
    assert await one.kcmp(one, KCMP.FILE, numbers[0], numbers[1]) == 0
    assert await one.kcmp(one, KCMP.FILE, numbers[0], numbers[2]) in {1, 2}
    async with await local.fds.epoll_create1() as epoll:
        await epoll.add(reader, EPOLL.IN)
        slot = KcmpEpollSlot(epoll.near.number, numbers[0])
        assert await one.kcmp(one, KCMP.EPOLL_TFD, numbers[1], slot) == 0
        absent = KcmpEpollSlot(epoll.near.number, numbers[2])
        with pytest.raises(FileNotFoundError):
            await one.kcmp(one, KCMP.EPOLL_TFD, numbers[1], absent)
    for fd in (reader, copy, writer):
        await fd.close()
