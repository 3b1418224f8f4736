"""Fds that are made in pairs, dispositions, policies and answers: with memory of the caller's."""

from __future__ import annotations

import signal

import pytest
import trio

from rsyscall_ns import (
    BYTES,
    FD_PAIR,
    MPOL,
    MPOL_F,
    MPOL_MF,
    NUMA_POLICY,
    SA,
    SECCOMP_ADDFD_FLAG,
    SECCOMP_RET,
    SIG,
    SIG_DFL,
    SIG_IGN,
    SYS,
    UINT32,
    UINT64,
    ArgumentRangeError,
    InterruptSignalError,
    NumaPolicy,
    SeccompNotifAddfd,
    SerializerError,
    Sigaction,
    Task,
    UseAfterFreeError,
    struct_of,
)
from tests.handle.calls.test_dispositions import kept
from tests.handle.calls.test_mem import needs_numa
from tests.handle.calls.test_seccomp import listening
from tests.support.census import nothing_left


async def test_the_numbers_of_two_fds_are_filled_in(task: Task) -> None:
    pair = await task.malloc(FD_PAIR)

    reader, writer = await task.fs.pipe2(into=pair)
    assert pair.peek() == (reader.near.number, writer.near.number)
    await writer.write(b"through")
    assert await reader.read() == b"through"
    one, other = await task.net.socketpair(into=pair)
    assert pair.peek() == (one.near.number, other.near.number)
    await one.send(b"across")
    assert await other.recv() == b"across"

    for fd in (reader, writer, one, other):
        await fd.close()
    pair.free()


async def test_memory_that_can_not_take_two_numbers_makes_no_fds(task: Task) -> None:
    small = await task.malloc(FD_PAIR, 7)
    gone = await task.malloc(FD_PAIR)
    gone.free()
    with nothing_left(task):
        with pytest.raises(SerializerError, match="at least 8"):
            await task.fs.pipe2(into=small)
        with pytest.raises(UseAfterFreeError):
            await task.net.socketpair(into=gone)
    small.free()


async def test_a_disposition_with_flags_lies_in_memory(task: Task) -> None:
    wanted = await task.ptr(Sigaction(SIG_IGN, SA.RESTART | SA.NODEFER))
    old = await task.malloc(struct_of(Sigaction))
    with kept(signal.SIGUSR2):
        first = await task.signals.sigaction(SIG.USR2)

        assert await task.signals.sigaction(SIG.USR2, wanted, into=old) is old
        assert old.peek().handler == first
        assert (await task.signals.sigaction(SIG.USR2, into=old)).peek() == wanted.value
        assert await task.signals.sigaction(SIG.USR2, Sigaction(SIG_DFL, SA.RESTART)) == SIG_IGN
        assert (await task.signals.sigaction(SIG.USR2, into=old)).peek().flags == SA.RESTART
    for pointer in (wanted, old):
        pointer.free()


async def test_a_handler_in_memory_is_refused(child: Task) -> None:
    handler = await child.ptr(Sigaction(0x1234))
    with pytest.raises(ArgumentRangeError, match="disposition"):
        await child.signals.sigaction(SIG.USR2, handler)
    with pytest.raises(ArgumentRangeError, match="disposition"):
        await child.signals.sigaction(SIG.USR2, handler.value)
    handler.poke(Sigaction(SIG_IGN))
    interrupt = child.sysif.interrupt_signal()
    assert interrupt is not None
    with pytest.raises(InterruptSignalError):
        await child.signals.sigaction(interrupt, handler)
    assert await child.signals.sigaction(SIG.USR2, handler) == SIG_DFL
    handler.free()


async def test_that_children_leave_no_status_is_said_in_memory(child: Task) -> None:
    action = await child.ptr(Sigaction(SIG_DFL, SA.NOCLDWAIT))
    await child.signals.sigaction(SIG.CHLD, action)
    action.free()
    there = await child.malloc(struct_of(Sigaction))
    assert (await child.signals.sigaction(SIG.CHLD, into=there)).peek().flags == SA.NOCLDWAIT
    there.free()


async def test_a_policy_lies_in_memory(child: Task) -> None:
    await needs_numa(child)
    allowed = await child.mem.allowed_nodes()
    wanted = await child.ptr(NumaPolicy(MPOL.BIND, allowed), NUMA_POLICY)
    there = await child.malloc(NUMA_POLICY)

    await child.mem.set_mempolicy(wanted)
    assert await child.mem.get_mempolicy(into=there) is there
    assert there.peek() == wanted.value
    assert (await child.mem.get_mempolicy(MPOL_F.MEMS_ALLOWED, into=there)).peek().nodes == allowed
    wanted.poke(NumaPolicy())
    await child.mem.set_mempolicy(wanted)
    assert await child.mem.get_mempolicy() == NumaPolicy()

    for pointer in (wanted, there):
        pointer.free()


async def test_a_mapping_is_bound_by_a_policy_in_memory(task: Task) -> None:
    await needs_numa(task)
    node = min(await task.mem.allowed_nodes())
    policy = NumaPolicy(MPOL.BIND, frozenset({node}), MPOL_F.STATIC_NODES)
    wanted = await task.ptr(policy, NUMA_POLICY)
    small = await task.ptr(bytes(135), BYTES)
    async with await task.mem.mmap(4096) as mapping:
        await mapping.mbind(wanted, MPOL_MF.STRICT)
        assert await task.mem.get_mempolicy(MPOL_F.ADDR, mapping.near) == policy
        with pytest.raises(SerializerError, match="at least 136"):
            await mapping.mbind(small.as_type(NUMA_POLICY))
    wanted.free()


async def test_an_answer_is_asked_for_in_memory(task: Task) -> None:
    action = await task.ptr(SECCOMP_RET.ALLOW, UINT32)
    assert await task.seccomp.get_action_avail(action)
    action.poke(0x00123456)
    assert not await task.seccomp.get_action_avail(action)
    action.free()


async def test_a_notification_is_asked_for_and_given_an_fd_in_memory(
    local: Task, child: Task
) -> None:
    results: list[int] = []

    async def call() -> None:
        results.append(await child.sysif.call(SYS.getppid))

    async with listening(local, child) as listener, await local.fs.open("/dev/zero") as zero:
        number = await local.ptr(1, UINT64)
        assert not await listener.id_valid(number)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            told = await listener.recv()
            number.poke(told.id)
            assert await listener.id_valid(number)
            whole = await local.ptr(told)
            assert await listener.id_valid(whole)
            flags = SECCOMP_ADDFD_FLAG.SETFD
            request = await local.ptr(SeccompNotifAddfd(told.id, flags, newfd=77))
            assert await listener.addfd(request, zero) == 77
            assert request.peek().srcfd == zero.near.number
            await listener.send(told.id, 5)
        assert results == [5]
        for pointer in (number, whole, request):
            pointer.free()
