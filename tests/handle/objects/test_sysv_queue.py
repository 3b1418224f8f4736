"""System V message queues: types, waiting without holding the loop, and whose they are."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from errno import E2BIG, EACCES, EAGAIN, EIDRM, EINVAL, ENOENT, ENOMSG, ENOSYS, EPERM

import pytest
import trio
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from rsyscall_ns import (
    CLONE,
    IPC,
    MSGRCV,
    SYS,
    SYSV_MESSAGE,
    ArgumentRangeError,
    IpcNamespaceMismatchError,
    SerializerError,
    SysVMessage,
    SysVQueue,
    SysVRemovedError,
    Task,
    struct_of,
)
from rsyscall_ns import MsqidDs as Ds
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left

LONG = 8192  # the longest message that every system takes


@pytest.fixture
async def queue(task: Task) -> AsyncGenerator[SysVQueue, None]:
    async with await task.ipc.msgget() as made:
        yield made


async def send(queue: SysVQueue, *types: int) -> None:
    for kind in types:
        await queue.msgsnd(SysVMessage(b"%d" % kind, kind))


async def fill(queue: SysVQueue) -> None:
    room = (await queue.stat()).qbytes
    for _ in range(room // LONG):
        await queue.msgsnd(SysVMessage(bytes(LONG), 9), MSGRCV.NOWAIT)
    with pytest.raises(BlockingIOError, match="msgsnd"):
        await queue.msgsnd(SysVMessage(bytes(LONG), 9), MSGRCV.NOWAIT)


async def test_a_message_comes_by_its_type(queue: SysVQueue) -> None:
    await send(queue, 5, 3, 4, 3)

    assert await queue.msgrcv(type=4) == SysVMessage(b"4", 4)
    assert await queue.msgrcv(type=5, flags=MSGRCV.EXCEPT) == SysVMessage(b"3", 3)
    assert await queue.msgrcv(type=-4) == SysVMessage(b"3", 3)
    assert await queue.msgrcv() == SysVMessage(b"5", 5)


async def test_a_message_is_sent_from_and_received_into_memory(
    task: Task, queue: SysVQueue
) -> None:
    message = SysVMessage(b"from memory", 2)
    there, room = await task.ptr(message, SYSV_MESSAGE), await task.malloc(SYSV_MESSAGE, 64)
    await queue.msgsnd(there)
    filled = await queue.msgrcv(room)
    assert await filled.read() == message
    assert not room.valid
    there.free()
    filled.free()


async def test_a_message_that_is_too_long_is_an_error_or_is_cut(queue: SysVQueue) -> None:
    await queue.msgsnd(SysVMessage(b"abcdef"))
    with pytest.raises(OSError, match="msgrcv") as caught:
        await queue.msgrcv(3)
    assert caught.value.errno == E2BIG
    assert await queue.msgrcv(3, flags=MSGRCV.NOERROR) == SysVMessage(b"abc")


async def test_a_copy_leaves_the_message_there(queue: SysVQueue) -> None:
    await send(queue, 1, 2)
    try:
        found = await queue.msgrcv(type=1, flags=MSGRCV.COPY | MSGRCV.NOWAIT)
    except OSError as error:
        if error.errno != ENOSYS:
            raise
        pytest.skip("the kernel has no MSG_COPY (CONFIG_CHECKPOINT_RESTORE)")
    assert found == SysVMessage(b"2", 2)
    assert (await queue.stat()).qnum == 2


async def test_who_does_not_wait_is_told(queue: SysVQueue) -> None:
    with pytest.raises(OSError, match="msgrcv") as caught:
        await queue.msgrcv(flags=MSGRCV.NOWAIT)
    assert caught.value.errno == ENOMSG
    await fill(queue)


async def test_receiving_waits_for_a_message(task: Task, queue: SysVQueue) -> None:
    got: list[SysVMessage | None] = []

    async def receive() -> None:
        got.append(await queue.msgrcv(type=7))

    async with task.spawn() as other, trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        if not task.sysif.same_thread:
            await until_blocked(task, SYS.msgrcv)
        await wait_all_tasks_blocked()
        await send(queue.for_task(other), 6, 7)
    assert got == [SysVMessage(b"7", 7)]


async def test_sending_waits_for_room(task: Task, queue: SysVQueue) -> None:
    await fill(queue)
    async with task.spawn() as other, trio.open_nursery() as nursery:
        nursery.start_soon(queue.msgsnd, SysVMessage(bytes(LONG), 2))
        if not task.sysif.same_thread:
            await until_blocked(task, SYS.msgsnd)
        await wait_all_tasks_blocked()
        theirs = queue.for_task(other)
        assert not theirs.owned
        while (await theirs.msgrcv()).type != 2:
            pass


async def test_waiting_can_be_cancelled_and_takes_nothing(task: Task, queue: SysVQueue) -> None:
    with nothing_left(task):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(queue.msgrcv)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    await send(queue, 1)
    assert (await queue.msgrcv()).type == 1


async def test_a_queue_that_is_removed_ends_the_wait(task: Task, queue: SysVQueue) -> None:
    async with task.spawn() as other, trio.open_nursery() as nursery:

        async def receive() -> None:
            with pytest.raises(OSError, match="msgrcv") as caught:
                await queue.msgrcv()
            assert caught.value.errno in {EIDRM, EINVAL}

        nursery.start_soon(receive)
        await wait_all_tasks_blocked()
        await queue.for_task(other).remove()
    assert queue.valid  # its own handle knows nothing of it, and its end is no error


async def test_what_a_queue_is_can_be_read_and_set(task: Task, queue: SysVQueue) -> None:
    await send(queue, 1, 2)
    found = await queue.stat()
    assert (found.qnum, found.cbytes) == (2, 2)
    assert found.perm.mode & 0o777 == 0o600
    assert (found.perm.uid, found.perm.cuid) == (os.geteuid(), os.geteuid())
    assert found.lspid == task.process.near.id

    await queue.set(evolve(found, qbytes=100, perm=evolve(found.perm, mode=0o640)))

    room = await queue.stat(await task.malloc(struct_of(Ds)))
    changed = await room.read()
    assert (changed.qbytes, changed.perm.mode & 0o777) == (100, 0o640)
    again = await room.write(evolve(changed, qbytes=50))
    await queue.set(again)
    again.free()
    assert (await queue.stat()).qbytes == 50


async def test_a_removed_queue_is_gone(task: Task) -> None:
    queue = await task.ipc.msgget()
    other = queue.for_task(task)
    await queue.remove()
    await queue.remove()
    assert not queue.valid
    assert "removed" in repr(queue)
    with pytest.raises(SysVRemovedError, match="was removed"):
        await queue.stat()
    for call in (other.stat(), other.remove(), other.msgrcv()):
        with pytest.raises(OSError, match="msg") as caught:
            await call
        assert caught.value.errno == EINVAL
    assert other.valid


async def test_only_the_scope_of_who_made_it_removes_a_queue(task: Task) -> None:
    key = os.getpid() << 8 | 1
    async with await task.ipc.msgget(key, IPC.CREAT | IPC.EXCL) as made:
        async with await task.ipc.msgget(key) as found:
            assert found.near == made.near
            assert (made.owned, found.owned) == (True, False)
        await found.stat()
        with pytest.raises(FileExistsError, match="msgget"):
            await task.ipc.msgget(key, IPC.CREAT | IPC.EXCL)
    with pytest.raises(FileNotFoundError, match="msgget") as caught:
        await task.ipc.msgget(key)
    assert caught.value.errno == ENOENT


async def test_a_queue_is_removed_when_its_scope_is_cancelled(task: Task) -> None:
    async with trio.open_nursery() as nursery, await task.ipc.msgget() as queue:
        other = queue.for_task(task)
        nursery.cancel_scope.cancel()
        await trio.lowlevel.checkpoint()
    assert not queue.valid
    with pytest.raises(OSError, match="msgctl") as caught:
        await other.stat()
    assert caught.value.errno == EINVAL


async def test_a_queue_of_another_namespace_is_refused_before_any_call(
    local: Task, task: Task
) -> None:
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWIPC) as inside:
        async with await local.ipc.msgget() as outer:
            with pytest.raises(IpcNamespaceMismatchError, match="same ipc namespace"):
                outer.for_task(inside)
        assert await inside.ipc.queues() == []
        queue = await inside.ipc.msgget()
        await inside.ns.unshare(CLONE.NEWIPC)
        with pytest.raises(IpcNamespaceMismatchError):
            await queue.stat()


async def test_who_may_not_is_told(task: Task) -> None:
    async with (
        task.spawn(CLONE.NEWUSER) as inside,
        await inside.ipc.msgget(mode=0o400) as queue,
    ):
        # its root has no rights over an ipc namespace that is not its own
        with pytest.raises(PermissionError, match="msgsnd") as caught:
            await queue.msgsnd(SysVMessage(b""))
        assert caught.value.errno == EACCES
        found = await queue.stat()
        with pytest.raises(PermissionError, match="msgctl") as caught:
            await queue.set(evolve(found, qbytes=1 << 30))
        assert caught.value.errno == EPERM


async def test_what_can_not_be_is_refused_before_any_call(task: Task, queue: SysVQueue) -> None:
    for kind in (0, -1, 2**63):
        with pytest.raises(ArgumentRangeError, match="message type"):
            SysVMessage(b"", kind)
    for size in (-1, 1 << 25):
        with pytest.raises(ArgumentRangeError, match="size"):
            await queue.msgrcv(size)
    with pytest.raises(ArgumentRangeError, match="mode"):
        await task.ipc.msgget(mode=0o1000)
    small = await task.malloc(SYSV_MESSAGE, 4)
    with pytest.raises(ArgumentRangeError, match="size"):
        await queue.msgrcv(small)
    with pytest.raises(ArgumentRangeError, match="size of the message"):
        await queue.msgsnd(small)
    small.free()
    with pytest.raises(OSError, match="msgsnd") as caught:
        await queue.msgsnd(SysVMessage(bytes(1 << 20)))
    assert caught.value.errno in {EINVAL, EAGAIN}


@given(st.binary(max_size=40))
def test_any_bytes_are_a_message_or_a_named_error(data: bytes) -> None:
    try:
        message = SysVMessage.unpack(data)
    except SerializerError:
        assert len(data) < 8 or int.from_bytes(data[:8], "little", signed=True) < 1
    else:
        assert message.pack() == data
