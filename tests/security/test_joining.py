"""Who joins a container is out of its reach: its root can neither trace nor read the helper.

2016-9962 (ptrace on joining), 2016-8659 (a helper that has privileges is dumpable).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import AsyncIterator
from errno import EFAULT, EPERM
from typing import Final

import pytest

from rsyscall_ns import BYTES, CLONE, NS_ALL, SYS, NamespaceSet, Task
from rsyscall_ns.containers.swift import joins_of_process
from rsyscall_ns.near.program import Call, Program
from tests.support.children import IS_ROOT

PTRACE_ATTACH: Final = 16
PTRACE_SEIZE: Final = 0x4206
PR_GET_DUMPABLE: Final = 3
PR_SET_DUMPABLE: Final = 4
CHANGES: Final = {SYS.setns, SYS.setgroups, SYS.setresgid, SYS.setresuid}
VECTOR: Final = 16  # bytes of a struct iovec
FLAGS: Final = (
    CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS | CLONE.NEWNET | CLONE.NEWUTS | CLONE.NEWIPC
)


@pytest.fixture
async def container(local: Task) -> AsyncIterator[Task]:
    """Make a container, whose root is our own user."""
    uid, gid = f"0 {os.getuid()} 1", f"0 {os.getgid()} 1"
    async with local.spawn(FLAGS, uid_map=uid, gid_map=gid) as task:
        yield task


@pytest.fixture
async def helper(local: Task, container: Task) -> AsyncIterator[Task]:
    """Make a task that lives in there."""
    pid = container.process.near.id
    async with NamespaceSet(pid, NS_ALL, task=local) as ns, ns.open_task() as task:
        yield task


async def read_of(attacker: Task, pid: int, address: int) -> int:
    """Read a few bytes of a process's memory; returns what the kernel says."""
    with attacker.transient(8) as room, attacker.transient(2 * VECTOR) as vectors:
        content = room.address.value.to_bytes(8, "little") + (8).to_bytes(8, "little")
        content += address.to_bytes(8, "little") + (8).to_bytes(8, "little")
        attacker.arena.view(vectors.address.value, len(content))[:] = content
        ours = vectors.address.value
        return await attacker.sysif.call(SYS.process_vm_readv, pid, ours, 1, ours + VECTOR, 1, 0)


async def test_the_root_of_a_container_can_not_trace_who_joins(
    container: Task, helper: Task
) -> None:
    pid = await helper.sysif.call(SYS.getpid)  # as the container knows it
    assert await container.cred.getuid() == 0
    assert await container.sysif.call(SYS.kill, pid, 0) == 0  # it is there

    for request in (PTRACE_ATTACH, PTRACE_SEIZE):
        assert await container.sysif.call(SYS.ptrace, request, pid, 0, 0) == -EPERM
    place = (await helper.malloc(BYTES, 8)).near.value
    assert await read_of(container, pid, place) == -EPERM
    pidfd = await container.sysif.call(SYS.pidfd_open, pid, 0)
    assert pidfd >= 0
    assert await container.sysif.call(SYS.pidfd_getfd, pidfd, 0, 0) == -EPERM
    await container.sysif.call(SYS.close, pidfd)


async def test_its_files_in_proc_are_shut(container: Task, helper: Task) -> None:
    pid = await helper.sysif.call(SYS.getpid)
    try:
        await container.mount.mount("proc", "/proc", "proc")
    except PermissionError:
        pytest.skip("a proc of one's own can't be mounted in a user namespace here")

    for name in ("mem", "maps", "environ", "auxv"):
        with pytest.raises(PermissionError):
            async with await container.fs.open(f"/proc/{pid}/{name}") as file:
                await file.read(1)
    with pytest.raises(PermissionError):
        await container.fs.listdir(f"/proc/{pid}/map_files")
    # a root that is the host's root sees how many fds there are, and nothing of them
    for name in ("exe", "cwd", "root", "fd/0", "fd/3"):
        with pytest.raises(PermissionError):
            await container.fs.readlink(f"/proc/{pid}/{name}")
        with pytest.raises(PermissionError):
            await container.fs.open(f"/proc/{pid}/{name}")


async def test_nothing_of_the_interpreters_memory_is_in_there(helper: Task) -> None:
    ours = ctypes.create_string_buffer(b"secret")
    number = (await helper.fds.memfd_create("copy")).near.number

    result = await helper.sysif.call(SYS.write, number, ctypes.addressof(ours), 6)

    assert result == -EFAULT


async def test_a_helper_stays_shut_when_its_rights_have_changed(helper: Task) -> None:
    assert await helper.cred.effective_capabilities() != 0
    assert await helper.sysif.call(SYS.prctl, PR_GET_DUMPABLE) == 0


@pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
async def test_an_equal_outside_can_not_trace_a_stub(local: Task) -> None:
    user = 54321
    async with (
        local.spawn(own_memory=True) as one,
        local.spawn(own_memory=True) as other,
    ):
        for task in (one, other):
            if await task.sysif.call(SYS.setresuid, user, user, user) < 0:
                pytest.skip(f"this user namespace has no user {user}")
        async with one.spawn(stub=True) as stub:
            pid = stub.process.near.id
            assert await other.sysif.call(SYS.ptrace, PTRACE_ATTACH, pid, 0, 0) == -EPERM
            place = (await stub.malloc(BYTES, 8)).near.value
            assert await read_of(other, pid, place) == -EPERM


async def test_on_the_short_way_it_is_shut_after_its_last_change_of_rights(
    local: Task, container: Task
) -> None:
    program = Program()
    async with joins_of_process(local, container.process.near.id, NS_ALL) as joins:
        assert joins is not None
        joins.append(program, None)
    steps = [program.step(at) for at in range(len(program))]
    calls = [(step.number, *step.args[:2]) for step in steps if isinstance(step, Call)]

    changes = [at for at, call in enumerate(calls) if call[0] in CHANGES]
    assert {calls[at][0] for at in changes} == CHANGES
    assert (SYS.prctl, PR_SET_DUMPABLE, 0) in calls[max(changes) :]
    assert (SYS.prctl, PR_SET_DUMPABLE, 1) not in calls
