"""Namespace: those of a process, entered as its ancestor did, with its faults mended."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from errno import EAGAIN
from typing import Final

import pytest

from rsyscall_ns import (
    CLONE,
    NS_ALL,
    NS_CGROUP,
    NS_IPC,
    NS_MNT,
    NS_NET,
    NS_PID,
    NS_TIME,
    NS_USER,
    NS_UTS,
    SYS,
    Namespace,
    NamespaceNotAllowedError,
    Task,
    UserNamespaceWarning,
    get_ns_string,
)
from rsyscall_ns.near.abi.capability_block import pack_capabilities
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.procfs import link
from tests.support.somebody import SOMEBODY, running_as_somebody

CAP_SYS_ADMIN: Final = 1 << 21
KINDS: Final = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")


def pid_of(task: Task) -> int:
    return task.process.near.id


@asynccontextmanager
async def warned(ns: Namespace) -> AsyncGenerator[Task]:
    """Open its task, and expect the warning."""
    with pytest.warns(UserNamespaceWarning):
        async with ns.open_task() as task:
            yield task


@pytest.fixture
def somebody() -> Generator[int, None, None]:
    """Give the id of another user's process."""
    if not IS_ROOT:
        pytest.skip("only root can become another user")
    with running_as_somebody("cat") as pid:
        yield pid


def test_the_constants_are_the_clone_flags() -> None:
    kinds = (NS_TIME, NS_MNT, NS_CGROUP, NS_UTS, NS_IPC, NS_USER, NS_PID, NS_NET)
    assert sum(map(int, kinds)) == NS_ALL
    assert NS_NET == CLONE.NEWNET


def test_their_names_are_joined_and_the_user_namespace_comes_last() -> None:
    assert get_ns_string(NS_NET | NS_PID) == "pid|net"
    assert get_ns_string(NS_USER | NS_MNT) == "mnt|user"
    assert get_ns_string(NS_ALL).endswith("|user")
    assert get_ns_string(0) == ""


@pytest.mark.parametrize("types", [0, CLONE.FILES, 1], ids=str)
def test_types_that_are_none_are_a_type_error(types: int) -> None:
    with pytest.raises(TypeError, match="none of the namespaces"):
        Namespace(os.getpid(), types)


async def test_a_bad_pid_is_an_error(local: Task) -> None:
    async with local.spawn() as gone:
        pid = pid_of(gone)
    with nothing_left(local), pytest.raises(FileNotFoundError):
        await Namespace(pid, NS_NET, task=local).run(["true"])


async def test_several_at_once_are_all_entered(local: Task, box: Task) -> None:
    ns = Namespace(pid_of(box), true_user=True, task=local)
    script = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in KINDS)

    with nothing_left(local), pytest.warns(UserNamespaceWarning):
        done = await ns.run(["sh", "-c", script])

    there = done.check().stdout.decode().split()
    assert ns.errors == {}
    assert there == [link(pid_of(box), f"ns/{kind}") for kind in KINDS]


async def test_a_type_that_cant_be_entered_is_told_and_the_others_go_on(local: Task) -> None:
    uid, gid = f"1000 {os.getuid()} 1", f"1000 {os.getgid()} 1"
    async with local.spawn(CLONE.NEWUSER, uid_map=uid, gid_map=gid) as weak:
        with weak.transient(pack_capabilities((0,) * 6)) as none:
            header = none.address.value
            assert await weak.sysif.call(SYS.capset, header, header + 8) == 0
        async with (
            weak.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as between,
            between.spawn(CLONE.NEWUSER | CLONE.NEWNET) as target,
        ):
            ns = Namespace(pid_of(target), NS_ALL, true_user=True, task=weak)
            async with warned(ns) as task:
                there = await task.fs.readlink("/proc/thread-self/ns/net")
                assert there == link(pid_of(target), "ns/net")

    # it belongs to a user namespace above the one that was joined, where nobody in that has rights
    assert set(ns.errors) == {NS_UTS}
    assert isinstance(ns.errors[NS_UTS], NamespaceNotAllowedError)


async def test_the_statuses_of_commands_are_told_and_retry_is_eagain(
    local: Task, box: Task
) -> None:
    ns = Namespace(pid_of(box), NS_USER | NS_UTS, true_user=True, task=local)
    with pytest.warns(UserNamespaceWarning):
        assert (await ns.run(["sh", "-c", f"exit {EAGAIN}"])).status == EAGAIN
    assert ns.retry
    with pytest.warns(UserNamespaceWarning):
        assert (await ns.run(["sh", "-c", "exit 5"])).status == 5
    assert not ns.retry


async def test_a_user_namespace_is_really_joined_with_a_warning(local: Task, box: Task) -> None:
    ns = Namespace(pid_of(box), NS_USER, true_user=True, task=local)
    with pytest.warns(UserNamespaceWarning) as told:  # noqa: PT031 - it is entered in here
        async with ns.open_task() as task:
            there = await task.fs.readlink("/proc/thread-self/ns/user")
            assert await task.cred.getuid() == 0

    assert there == link(pid_of(box), "ns/user")
    warning = told[0].message
    assert isinstance(warning, UserNamespaceWarning)
    assert (warning.gid, warning.uid, warning.pid) == (os.getegid(), os.geteuid(), pid_of(box))


async def test_the_user_namespace_that_we_are_in_is_left_out(local: Task) -> None:
    ns = Namespace(os.getpid(), NS_USER, true_user=True, task=local)
    async with warned(ns) as task:
        assert await task.fs.readlink("/proc/thread-self/ns/user") == link("self", "ns/user")
    assert ns.errors == {}


async def test_without_it_the_ids_are_the_owners_and_no_group_is_kept(
    local: Task, somebody: int
) -> None:
    ns = Namespace(somebody, NS_USER | NS_NET, task=local)

    done = await ns.run(["sh", "-c", "id -u; id -g; id -G; grep CapEff /proc/self/status"])

    uid, gid, groups, _, capabilities = done.check().stdout.split()
    assert (int(uid), int(gid), int(groups)) == (SOMEBODY, SOMEBODY, SOMEBODY)
    assert int(capabilities, 16) == 0


async def test_ids_that_are_given_are_taken(local: Task, somebody: int) -> None:
    ns = Namespace(somebody, NS_USER, SOMEBODY + 1, SOMEBODY + 2, task=local)
    async with ns.open_task() as task:
        assert (await task.cred.getgid(), await task.cred.getuid()) == (SOMEBODY + 1, SOMEBODY + 2)


@pytest.mark.parametrize("keep", [False, True])
async def test_capabilities_are_kept_where_that_is_asked_for(
    local: Task, somebody: int, *, keep: bool
) -> None:
    async with Namespace(somebody, NS_USER, keep_caps=keep, task=local).open_task() as task:
        assert await task.cred.getuid() == SOMEBODY
        has = await task.cred.effective_capabilities()

    assert bool(has & CAP_SYS_ADMIN) == keep


async def test_nothing_of_ours_is_changed(local: Task, box: Task) -> None:
    def ours() -> list[str]:
        return [link("self", f"ns/{kind}") for kind in KINDS] + [link("self", "cwd")]

    before = ours(), os.getuid(), os.getgroups()
    ns = Namespace(pid_of(box), NS_ALL, true_user=True, do_fork=True, task=local)
    async with warned(ns) as task:
        await task.fs.chdir("/")

    assert (ours(), os.getuid(), os.getgroups()) == before


async def test_ids_that_are_ours_need_no_rights(local: Task) -> None:
    async with Namespace(os.getpid(), task=local).open_task() as task:
        assert await task.cred.getuid() == os.getuid()
        assert await task.fs.readlink("/proc/thread-self/ns/user") == link("self", "ns/user")
