"""Pidfds and namespace fds do what only their kind can."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from signal import SIGKILL

import pytest

from rsyscall_ns import (
    CLONE,
    SIG,
    SYS,
    ArgumentRangeError,
    FileDescriptor,
    InInterpreterError,
    NamespaceFD,
    PidFD,
    Task,
    W,
)
from rsyscall_ns.near import ids
from tests.support.procview import is_there

KINDS = {
    "cgroup": CLONE.NEWCGROUP,
    "ipc": CLONE.NEWIPC,
    "mnt": CLONE.NEWNS,
    "net": CLONE.NEWNET,
    "pid": CLONE.NEWPID,
    "time": CLONE.NEWTIME,
    "user": CLONE.NEWUSER,
    "uts": CLONE.NEWUTS,
}


@asynccontextmanager
async def pidfd_of(task: Task, pid: int) -> AsyncGenerator[PidFD, None]:
    number = await task.sysif.call(SYS.pidfd_open, pid)
    plain = FileDescriptor(task, ids.FileDescriptor(number))
    async with await plain.as_kind(PidFD) as pidfd:
        yield pidfd


async def test_a_signal_goes_through_a_pidfd(local: Task, task: Task) -> None:
    async with local.spawn() as victim:
        async with pidfd_of(task, victim.process.near.id) as pidfd:
            await pidfd.send_signal(0)
            await pidfd.send_signal(SIG.KILL)
        state = await victim.process.waitid(W.EXITED)
        assert state is not None
        assert state.killed_with() == SIG.KILL


async def test_a_signal_to_one_that_was_reaped_is_an_error(local: Task) -> None:
    async with local.spawn() as victim, pidfd_of(local, victim.process.near.id) as pidfd:
        os.kill(victim.process.near.id, SIGKILL)
        await victim.process.waitid(W.EXITED)
        with pytest.raises(ProcessLookupError):
            await pidfd.send_signal(SIG.TERM)


async def test_a_pidfd_of_a_zombie_is_one_all_the_same(local: Task) -> None:
    async with local.spawn() as victim:
        os.kill(victim.process.near.id, SIGKILL)
        await victim.process.waitid(W.EXITED | W.NOWAIT)
        async with pidfd_of(local, victim.process.near.id) as pidfd:
            assert pidfd.valid


@pytest.mark.parametrize("sig", [-1, 65, 2**32])
async def test_a_signal_that_does_not_exist_is_refused(task: Task, sig: int) -> None:
    async with pidfd_of(task, task.process.near.id) as pidfd:
        with pytest.raises(ArgumentRangeError, match="signal"):
            await pidfd.send_signal(sig)


@pytest.mark.parametrize(("kind", "flag"), KINDS.items())
async def test_a_namespace_fd_knows_its_kind(task: Task, kind: str, flag: CLONE) -> None:
    if not is_there(f"/proc/self/ns/{kind}"):
        pytest.skip(f"this kernel has no {kind} namespaces")
    async with await task.ns.open(kind) as fd:
        assert await fd.nstype() == flag
        assert await fd.is_cloexec()
        copy = await (await fd.dup()).as_kind(FileDescriptor)
        async with await copy.as_kind(NamespaceFD) as again:
            assert await again.nstype() == flag


async def test_a_namespace_fd_is_the_tasks_own_namespace(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as child,
        await child.ns.open("uts") as theirs,
        await local.ns.open("uts") as ours,
    ):
        copy = await theirs.pass_to(local)
        first, second = (os.fstat(fd.near.number).st_ino for fd in (copy, ours))
        assert first != second
        await copy.close()


async def test_a_child_joins_what_another_made_and_its_beliefs_follow(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER) as parent,
        parent.spawn(CLONE.NEWUTS) as maker,
        parent.spawn() as joiner,
    ):
        await maker.ns.sethostname("made-by-maker")
        before = joiner.uts_namespace
        async with await maker.ns.open("uts") as fd:
            theirs = await fd.pass_to(joiner)

        await joiner.ns.setns(theirs, CLONE.NEWUTS)

        assert await joiner.ns.gethostname() == "made-by-maker"
        assert joiner.uts_namespace is not before
        await theirs.close()


async def test_the_interpreter_itself_joins_and_leaves_nothing(local: Task) -> None:
    async with await local.ns.open("uts") as fd:
        with pytest.raises(InInterpreterError, match="child"):
            await local.ns.setns(fd)
    with pytest.raises(InInterpreterError, match="child"):
        await local.ns.unshare(CLONE.NEWUTS)
