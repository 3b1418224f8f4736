"""A namespace's fd tells which namespace it is, what it belongs to, and who is in it."""

from __future__ import annotations

import os
from errno import EINVAL, ENOTTY
from typing import NoReturn

import pytest

from rsyscall_ns import (
    CLONE,
    SYS,
    ArgumentRangeError,
    ChildTask,
    CloneFlagsError,
    ForeignUserNamespaceError,
    MntNsInfo,
    NamespaceFD,
    Task,
    struct_of,
)
from rsyscall_ns.near.abi.prctl_h import PR
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT


def skip_if_missing(error: OSError, what: str) -> NoReturn:
    if error.errno == ENOTTY:
        pytest.skip(f"this kernel lacks {what}")
    raise error


async def test_it_is_told_from_others_by_device_and_inode(task: Task) -> None:
    async with await task.ns.open("uts") as one, await task.ns.open("uts") as same:
        async with await task.ns.open("net") as other:
            assert await one.identity() == await same.identity() != await other.identity()
        link = await task.fs.readlink("/proc/self/ns/uts")
        assert link == f"uts:[{(await one.identity())[1]}]"


async def test_its_id_is_its_own(task: Task) -> None:
    async with await task.ns.open("uts") as one, await task.ns.open("net") as other:
        try:
            found = await one.id()
        except OSError as error:
            skip_if_missing(error, "NS_GET_ID (Linux 6.18)")
        assert found == await one.id() != await other.id()


async def test_its_owner_is_a_user_namespace(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as child,
        await child.ns.open("uts") as uts,
        await child.ns.open("user") as user,
        await uts.userns() as owner,
    ):
        assert await owner.is_cloexec()
        assert await owner.identity() == await user.identity()
        assert await owner.nstype() == CLONE.NEWUSER
        assert await user.owner_uid() == await child.cred.geteuid()


async def test_the_parent_of_what_is_ones_own_is_not_told(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER) as child,
        await child.ns.open("user") as user,
        await child.ns.open("uts") as uts,
    ):
        with nothing_left(child), pytest.raises(PermissionError):
            await user.parent()
        with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
            await uts.parent()
        assert caught.value.errno == EINVAL


async def test_the_parent_of_a_childs_is_ones_own(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER) as child,
        await child.ns.open("user") as theirs,
        await theirs.pass_to(local) as seen,
        await seen.parent() as parent,
        await local.ns.open("user") as own,
    ):
        assert await parent.identity() == await own.identity()


async def test_pids_are_translated_between_pid_namespaces(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER | CLONE.NEWPID) as child,
        await local.fs.open(f"/proc/{child.process.near.id}/ns/pid") as file,
    ):
        pid = child.process.near.id
        fd = await file.dup()
        async with await fd.as_kind(NamespaceFD) as seen:
            try:
                assert await seen.pid_in_pidns(pid) == 1
            except OSError as error:
                skip_if_missing(error, "NS_GET_PID_IN_PIDNS (Linux 6.11)")
            assert await seen.tgid_in_pidns(pid) == 1
            assert await seen.pid_from_pidns(1) == await seen.tgid_from_pidns(1) == pid
            with pytest.raises(ProcessLookupError):
                await seen.pid_from_pidns(2)
            with pytest.raises(ProcessLookupError):
                await seen.pid_in_pidns(os.getpid())
            with pytest.raises(ArgumentRangeError, match="pid"):
                await seen.pid_from_pidns(0)


async def test_a_mount_namespace_has_an_id_and_counts_its_mounts(task: Task) -> None:
    async with await task.ns.open("mnt") as fd, await task.ns.open("uts") as other:
        try:
            found = await fd.mnt_info()
        except OSError as error:
            skip_if_missing(error, "NS_MNT_GET_INFO (Linux 6.12)")
        assert found.mnt_ns_id == await fd.mntns_id()
        assert found.nr_mounts > 0
        memory = await task.malloc(struct_of(MntNsInfo))
        again = await fd.mnt_info(into=memory)
        assert (await again.read()).mnt_ns_id == found.mnt_ns_id
        again.free()
        with pytest.raises(OSError, match=r"ioctl\(2\)"):
            await other.mnt_info()
        with pytest.raises(OSError, match=r"ioctl\(2\)"):
            await other.mntns_id()


async def test_all_mount_namespaces_are_walked_through(local: Task, child: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER | CLONE.NEWNS) as maker,
        await maker.ns.open("mnt") as made,
        await made.pass_to(child) as last,
    ):
        if not IS_ROOT:
            with nothing_left(child), pytest.raises(PermissionError):
                await last.mnt_prev()
            return
        try:
            before, info = await last.mnt_prev()
        except OSError as error:
            skip_if_missing(error, "NS_MNT_GET_PREV (Linux 6.12)")
        async with before:
            assert await before.is_cloexec()
            assert info.mnt_ns_id == await before.mntns_id()
            after, info = await before.mnt_next()
            async with after:
                assert info.mnt_ns_id == await after.mntns_id() > await before.mntns_id()


async def test_the_namespaces_of_a_process_are_joined(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER | CLONE.NEWUTS | CLONE.NEWNET) as maker,
        local.spawn() as joiner,
    ):
        await maker.ns.sethostname("made-by-maker")
        assert maker.process.pidfd is not None
        before = joiner.uts_namespace, joiner.user_namespace, joiner.net_namespace
        async with await maker.process.pidfd.pass_to(joiner) as pidfd:
            try:
                await joiner.ns.setns(pidfd, CLONE.NEWUSER | CLONE.NEWUTS)
            except OSError as error:
                skip_if_missing(error, "PIDFD_GET_USER_NAMESPACE (Linux 6.11)")
            assert await joiner.ns.gethostname() == "made-by-maker"
            assert joiner.uts_namespace is not before[0]
            assert joiner.user_namespace is not before[1]
            assert joiner.net_namespace is before[2]
            await joiner.ns.setns(pidfd, CLONE.NEWNET)
            assert joiner.net_namespace is not before[2]


@pytest.mark.parametrize("flags", [0, CLONE.FILES, CLONE.NEWUTS | CLONE.VM])
async def test_of_a_process_only_namespaces_are_joined(child: ChildTask, flags: int) -> None:
    assert child.process.pidfd is not None
    async with await child.process.pidfd.pass_to(child) as pidfd:
        with nothing_left(child), pytest.raises(CloneFlagsError, match="namespaces"):
            await child.ns.setns(pidfd, CLONE(flags))


@pytest.mark.skipif(not IS_ROOT, reason="only root can make a user namespace for somebody else")
async def test_the_user_namespace_of_anothers_process_is_not_joined(local: Task) -> None:
    async with (
        local.spawn() as other,
        local.spawn() as joiner,
    ):
        assert await other.sysif.call(SYS.setresuid, 1234, 1234, 1234) == 0
        assert await other.sysif.call(SYS.prctl, PR.SET_DUMPABLE, 1) == 0  # our memory too
        await other.ns.unshare(CLONE.NEWUSER)
        assert other.process.pidfd is not None
        async with await other.process.pidfd.pass_to(joiner) as pidfd:
            with nothing_left(joiner), pytest.raises(ForeignUserNamespaceError, match="1234"):
                await joiner.ns.setns(pidfd, CLONE.NEWUSER | CLONE.NEWNS)
