"""Namespaces of a process as one object: where they come from, and a task that lives there."""

from __future__ import annotations

import os
import shutil
from typing import Final

import pytest
import trio

from rsyscall_ns import (
    AF,
    CLONE,
    NS_ALL,
    NS_MNT,
    NS_NET,
    NS_PID,
    NS_TIME,
    NS_USER,
    NS_UTS,
    SIG,
    SOCK,
    SYS,
    ArgumentRangeError,
    Command,
    CommandNotFoundError,
    NamespaceFD,
    NamespaceNotAllowedError,
    NamespaceSet,
    NamespacesNotOpenError,
    O,
    PathError,
    PidFD,
    SocketFD,
    Task,
)
from tests.support.census import nothing_left
from tests.support.procfs import link

KINDS: Final = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


def pid_of(task: Task) -> int:
    return task.process.near.id


def inode(pid: int | str, kind: str) -> int:
    return os.stat(f"/proc/{pid}/ns/{kind}").st_ino  # noqa: PTH116 - of what it points to


async def places(task: Task) -> dict[str, str]:
    return {kind: await task.fs.readlink(f"/proc/thread-self/ns/{kind}") for kind in KINDS}


async def test_it_is_the_same_from_a_pid_a_process_a_pidfd_and_a_task(
    local: Task, box: Task
) -> None:
    async with await box.process.pidfd_open() as theirs, await theirs.pass_to(local) as pidfd:
        assert isinstance(pidfd, PidFD)
        async with (
            NamespaceSet(pid_of(box), task=local) as one,
            NamespaceSet(box.process, task=local) as two,
            NamespaceSet(pidfd, task=local) as three,
            NamespaceSet(box, task=local) as four,
            NamespaceSet(os.getpid(), task=local) as ours,
        ):
            assert one == two == three == four != ours
            assert one.kinds & ~NS_TIME == NS_ALL & ~NS_TIME
            assert one[NS_UTS].inode == inode(pid_of(box), "uts") != ours[NS_UTS].inode


async def test_a_path_and_an_fd_are_of_one_kind(local: Task, box: Task) -> None:
    path = f"/proc/{pid_of(box)}/ns/net"
    async with (
        await (await local.fs.open(path)).as_kind(NamespaceFD) as fd,
        NamespaceSet(path, task=local) as one,
        NamespaceSet(fd, task=local) as other,
        NamespaceSet(pid_of(box), NS_NET, task=local) as third,
    ):
        assert one == other == third
        assert [member.kind for member in one] == [NS_NET]
        assert len(one) == 1


async def test_without_a_task_the_interpreters_own_is_used(box: Task) -> None:
    async with NamespaceSet(pid_of(box)) as ns, ns.open_task() as task:
        assert await task.ns.gethostname() == "box"


async def test_a_member_knows_its_owner_and_its_parent(local: Task, box: Task) -> None:
    async with NamespaceSet(pid_of(box), task=local) as ns:
        async with await ns[NS_UTS].owner() as owner:
            assert owner == ns[NS_USER]
            assert owner.kind == NS_USER
        async with await ns[NS_PID].parent() as parent:
            assert parent.inode == inode("self", "pid")
        assert await ns[NS_UTS].owner_uid() == await ns[NS_USER].owner_uid() == os.geteuid()


async def test_a_task_lives_in_all_of_them(local: Task, box: Task) -> None:
    with nothing_left(local):
        async with NamespaceSet(pid_of(box), task=local) as ns, ns.open_task() as task:
            assert await places(task) == await places(box)
            assert await task.ns.gethostname() == "box"
            assert await task.sysif.call(SYS.getpid) > 1
            assert await task.cred.getuid() == await task.cred.getgid() == 0
            assert await places(local) != await places(box)


async def test_it_lives_in_the_one_that_was_asked_for_and_else_where_we_are(
    local: Task, box: Task
) -> None:
    async with (
        NamespaceSet(pid_of(box), NS_USER | NS_UTS, task=local) as ns,
        ns.open_task() as task,
    ):
        there, ours, theirs = await places(task), await places(local), await places(box)

    assert there == {**ours, "user": theirs["user"], "uts": theirs["uts"]}


async def test_fds_come_out_of_there(local: Task, box: Task) -> None:
    async with NamespaceSet(pid_of(box), task=local) as ns, ns.open_task() as task:
        socket = await (await task.net.socket(AF.INET, SOCK.STREAM)).pass_to(local)

    assert isinstance(socket, SocketFD)
    async with socket:
        address = await socket.getsockname()
        assert address is not None


async def test_a_time_namespace_is_joined(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER | CLONE.NEWTIME, stub=True) as box,
        NamespaceSet(box, NS_TIME | NS_USER, task=local) as ns,
        ns.open_task() as task,
    ):
        there = await task.fs.readlink("/proc/thread-self/ns/time")
        assert there == await box.fs.readlink("/proc/thread-self/ns/time")
        assert there != link("self", "ns/time")
        async with task.spawn() as child:
            assert await child.fs.readlink("/proc/thread-self/ns/time") == there


async def test_those_that_we_are_in_need_no_rights(local: Task) -> None:
    async with NamespaceSet(os.getpid(), task=local) as ns, ns.open_task() as task:
        assert await places(task) == await places(local)


async def test_they_outlive_their_processes(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as box:
        await box.ns.sethostname("late")
        ns = await NamespaceSet(pid_of(box), NS_USER | NS_UTS, task=local).__aenter__()
    try:
        async with ns.open_task() as task:
            assert await task.ns.gethostname() == "late"
    finally:
        await ns.__aexit__()


async def test_what_may_not_be_joined_is_an_error(local: Task, box: Task) -> None:
    async with (
        await (await local.fs.open(f"/proc/{pid_of(box)}/ns/uts")).as_kind(NamespaceFD) as uts,
        local.spawn(CLONE.NEWUSER) as stranger,
        NamespaceSet(uts, task=stranger) as ns,
    ):
        with nothing_left(local), pytest.raises(NamespaceNotAllowedError, match="NEWUTS"):
            async with ns.open_task():
                pass


async def test_a_pid_that_is_nobodys_is_an_error(local: Task) -> None:
    async with local.spawn() as gone:
        pid = pid_of(gone)
    with nothing_left(local):
        with pytest.raises(FileNotFoundError) as caught:
            async with NamespaceSet(pid, task=local):
                pass
        assert str(caught.value.filename).startswith(f"/proc/{pid}/ns")
        with pytest.raises(ArgumentRangeError):
            async with NamespaceSet(0, task=local):
                pass


async def test_outside_of_its_block_it_has_none(local: Task) -> None:
    ns = NamespaceSet(os.getpid(), task=local)
    with pytest.raises(NamespacesNotOpenError):
        assert ns.members
    with pytest.raises(NamespacesNotOpenError):
        async with ns.open_task():
            pass


async def test_a_bind_mount_keeps_one_alive(box: Task) -> None:
    # of a mount namespace of its own
    name = "/tmp/rsyscall_ns-bound"  # noqa: S108 - on a tmpfs of the box's own
    # of a mount namespace of its own
    await box.mount.mount("none", "/tmp", "tmpfs")  # noqa: S108
    async with NamespaceSet(box, NS_UTS, task=box) as ns:
        await ns.bind(NS_UTS, name)
        async with NamespaceSet(name, task=box) as bound:
            assert bound == ns
        with pytest.raises(FileExistsError):
            await ns.bind(NS_UTS, name)
        await NamespaceSet.release(box, name)
        assert not await box.fs.exists(name)
        with pytest.raises(FileNotFoundError):
            # of a mount namespace of its own
            await ns.bind(NS_UTS, "/tmp/none/there")  # noqa: S108


@pytest.mark.skipif(shutil.which("ip") is None, reason="there is no ip(8)")
async def test_ip_netns_knows_one_that_is_bound_where_it_looks(box: Task) -> None:
    await box.mount.mount("none", "/run", "tmpfs")
    await box.fs.mkdir("/run/netns")
    async with NamespaceSet(box, NS_NET, task=box) as ns:
        await ns.bind(NS_NET, "/run/netns/made")

    async with NamespaceSet(box, task=box) as ns:
        done = await ns.run(["ip", "netns", "identify"])

    assert done.stderr == b""
    assert done.stdout == b"made\n"


async def test_a_command_runs_in_there(local: Task, box: Task) -> None:
    script = "cat; hostname; id -u; echo lost >&2; exit 3"
    with nothing_left(local):
        async with NamespaceSet(pid_of(box), task=local) as ns:
            done = await ns.run(["sh", "-c", script], stdin=b"given\n")

    assert done.stdout == b"given\nbox\n0\n"
    assert done.stderr == b"lost\n"
    assert done.status == done.state.exit_status == 3


@pytest.mark.parametrize("kinds", [NS_USER | NS_UTS, NS_ALL], ids=["two", "all"])
async def test_its_end_by_a_signal_is_told(local: Task, box: Task, kinds: CLONE) -> None:
    async with NamespaceSet(pid_of(box), kinds, task=local) as ns:
        done = await ns.run(["sh", "-c", "kill -TERM $$"])
        assert done.state.killed_with() == SIG.TERM
        assert done.status == 128 + SIG.TERM
        assert (await ns.run(Command("/bin/true", ["true"]), capture=False)).check().stdout == b""


async def test_a_command_that_is_not_there_or_none_is_an_error(local: Task, box: Task) -> None:
    async with NamespaceSet(pid_of(box), task=local) as ns:
        with nothing_left(local):
            with pytest.raises(CommandNotFoundError):
                await ns.run(["no-such-program"])
            with pytest.raises(PathError):
                await ns.run("true")
            with pytest.raises(PathError):
                await ns.run([])


async def test_a_program_is_looked_up_in_there(local: Task, box: Task) -> None:
    await box.mount.mount("none", "/opt", "tmpfs")
    async with await box.fs.open("/opt/tool", O.WRONLY | O.CREAT, 0o755) as file:
        await file.write_all(b"#!/bin/sh\necho from inside\n")
    async with NamespaceSet(pid_of(box), NS_USER | NS_MNT, task=local) as ns:
        assert (await ns.run(["/opt/tool"])).stdout == b"from inside\n"


async def test_a_cancelled_command_leaves_nothing(local: Task, box: Task) -> None:
    async with NamespaceSet(pid_of(box), task=local) as ns:
        for turns in (0, 3, 10, 30):
            with nothing_left(local), trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(ns.run, ["sleep", "1000000"])
                    for _ in range(turns):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()
