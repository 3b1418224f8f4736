"""spawn: what a child is at first, what is refused, and what is left."""

from __future__ import annotations

import os
from errno import EPERM

import pytest
import trio

from rsyscall_ns import (
    CLONE,
    SIG,
    SYS,
    CloneFlagsError,
    FDClosedError,
    FDTableMismatchError,
    IdMapError,
    IdMapNotAllowedError,
    NamespaceNotAllowedError,
    O,
    RsyscallError,
    Task,
    TaskLostError,
    W,
)
from rsyscall_ns.tasks.idmap import IdMapLike
from rsyscall_ns.transport.ring import RingInterface
from tests.support.census import children, nothing_left
from tests.support.children import TRUE, end_by_exit, is_alive, status_field, thread_of
from tests.support.procfs import fd_links, working_directory
from tests.support.steps import Counting


async def test_a_child_is_another_process_and_a_child_of_ours(local: Task) -> None:
    async with local.spawn() as child:
        pid = await child.sysif.call(SYS.getpid)

        assert pid == child.process.near.id != os.getpid()
        assert await child.sysif.call(SYS.getppid) == os.getpid()
        assert pid in children()


async def test_a_child_makes_calls_that_do_not_concern_us(local: Task) -> None:
    cwd = working_directory()
    async with local.spawn() as child:
        await child.fs.chdir("/")
        assert await child.fs.getcwd() == "/"
    assert working_directory() == cwd


async def test_spawn_three_deep(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER) as one,
        one.spawn(CLONE.NEWPID) as two,
        two.spawn(CLONE.NEWNS | CLONE.NEWUTS) as three,
    ):
        await three.ns.sethostname("three")
        assert await two.sysif.call(SYS.getpid) == 1
        assert await three.sysif.call(SYS.getpid) == 2
        assert await three.sysif.call(SYS.getppid) == 1
        assert await three.ns.gethostname() == "three"
        assert await two.ns.gethostname() == os.uname().nodename
        assert [task.parent_task for task in (one, two, three)] == [local, one, two]


async def wait_lost(task: Task) -> None:
    """Wait until a task can make no calls any more."""
    assert isinstance(task.sysif, RingInterface)
    await task.sysif.wait_lost()


async def test_a_grandchild_dies_with_its_parent(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn() as one, one.spawn() as two, two.spawn() as three:
            pids = [task.process.near.id for task in (one, two, three)]
            await thread_of(one).kill()
            await thread_of(one).wait()
            # what tells is the end of each, one after the other
            for task in (two, three):
                await wait_lost(task)
            with pytest.raises(TaskLostError):
                await three.cred.getuid()
        assert not any(is_alive(pid) for pid in pids)


async def test_children_of_one_parent_are_independent(local: Task) -> None:
    async with local.spawn() as one, local.spawn() as two:
        await thread_of(one).kill()
        await thread_of(one).wait()
        assert await two.cred.getuid() == os.getuid()


async def test_a_child_s_parent_death_signal_is_sigkill(local: Task) -> None:
    get = 2  # PR_GET_PDEATHSIG
    async with local.spawn() as child:
        with child.transient(4) as room:
            await child.sysif.call(SYS.prctl, get, room.address.value)
            assert int.from_bytes(room.read(), "little") == SIG.KILL


async def test_a_child_has_an_empty_signal_mask_and_none_of_our_handlers(local: Task) -> None:
    async with local.spawn() as child:
        pid = child.process.near.id
        caught = int(status_field(pid, "SigCgt"), 16)

        assert int(status_field(pid, "SigBlk"), 16) == 0
        assert caught == 1 << (child.sysif.interrupt_signal() or 0) - 1


async def test_what_we_ignore_a_child_ignores_too_and_sigpipe_besides(local: Task) -> None:
    async with local.spawn() as child:
        ignored = int(status_field(child.process.near.id, "SigIgn"), 16)
        ours = int(status_field(os.getpid(), "SigIgn"), 16)

        assert ignored == ours | 1 << SIG.PIPE - 1


# beliefs


async def test_a_child_s_beliefs_are_what_the_flags_say(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNET | CLONE.NEWPID) as child:
        assert child.user_namespace is not local.user_namespace
        assert child.net_namespace is not local.net_namespace
        assert child.pid_namespace is not local.pid_namespace
        assert child.pid_for_children is child.pid_namespace
        assert child.mnt_namespace is local.mnt_namespace
        assert child.uts_namespace is local.uts_namespace
        assert child.address_space is local.address_space
        assert child.fd_table is not local.fd_table


async def test_a_child_that_shares_files_has_our_fd_table(local: Task) -> None:
    async with local.spawn(CLONE.FILES) as child:
        assert child.fd_table is local.fd_table
        file = await local.fs.open("/dev/null", O.RDWR)
        assert await file.for_task(child).write(b"x") == 1
        await file.close()


async def test_beliefs_follow_unshare(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.FILES) as child:
        uts, net, files = child.uts_namespace, child.net_namespace, child.fd_table
        await child.ns.unshare(CLONE.NEWUTS)
        assert child.uts_namespace is not uts
        assert child.net_namespace is net
        inside = child.pid_namespace
        await child.ns.unshare(CLONE.NEWPID)
        assert child.pid_namespace is inside
        assert child.pid_for_children is not inside
        async with child.spawn() as grandchild:
            assert grandchild.pid_namespace is child.pid_for_children
        await child.ns.unshare(CLONE.FILES)
        assert child.fd_table is not files


async def test_beliefs_follow_setns(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as child:
        before = child.uts_namespace
        old = await child.ns.open("uts")
        await child.ns.unshare(CLONE.NEWUTS)
        await child.ns.sethostname("elsewhere")
        await child.ns.setns(old, CLONE.NEWUTS)
        assert child.uts_namespace is not local.uts_namespace
        assert await child.ns.gethostname() == os.uname().nodename
        assert before is not local.uts_namespace


async def test_a_refused_unshare_changes_no_belief(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        before = child.user_namespace, child.uts_namespace
        await without_capabilities(child)
        with pytest.raises(NamespaceNotAllowedError):
            await child.ns.unshare(CLONE.NEWUTS)
        assert (child.user_namespace, child.uts_namespace) == before


# fds


async def test_the_child_has_no_fd_but_the_streams_and_its_doorbell(local: Task) -> None:
    kept = await local.fs.open("/dev/null")
    async with local.spawn() as child:
        fds = fd_links(child.process.near.id)
        streams = {0, 1, 2} & set(fd_links("self"))
        assert streams < set(fds)
        (doorbell,) = set(fds) - streams
        assert fds[doorbell].startswith("socket:")
    await kept.close()


async def test_inherit_names_the_fds_that_the_child_gets(local: Task) -> None:
    one, two = await local.fs.open("/dev/null"), await local.fs.open("/dev/zero")
    async with one, two, local.spawn(inherit=[two]) as child:
        names = fd_links(child.process.near.id).values()
        assert "/dev/zero" in names
        assert await two.inherit(child).read(3) == bytes(3)
        with pytest.raises(RsyscallError, match="inherit"):
            one.inherit(child)
        with pytest.raises(FDTableMismatchError), two.borrow(child):
            pass


async def test_fds_of_a_shared_table_that_the_child_leaves_are_closed(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn(CLONE.FILES) as child:
            file = await child.fs.open("/dev/null")
            await child.ns.unshare(CLONE.FILES)
            assert await file.read() == b""  # the copy in the child's own table
        await local.sweep()


async def test_fds_of_a_shared_table_whose_child_execs_are_closed(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn(CLONE.FILES) as child:
            file = await child.fs.open("/dev/null")
            await (await child.exec(TRUE, stdin=file)).wait()
        await local.sweep()


async def test_fds_of_a_shared_table_whose_child_dies_are_closed(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn(CLONE.FILES) as child:
            file = await child.fs.open("/dev/null")
        await file.close()
        await local.sweep()


# refused before anything was started


@pytest.mark.parametrize(
    "flags",
    [
        CLONE.THREAD,
        CLONE.VFORK,
        CLONE.SIGHAND,
        CLONE.DETACHED,
        CLONE.SETTLS,
        CLONE.CHILD_SETTID,
        CLONE.CHILD_CLEARTID,
        CLONE.PARENT_SETTID,
        CLONE.NEWUSER | CLONE.FS,
        CLONE.NEWNS | CLONE.FS,
        CLONE.NEWPID | CLONE.PARENT,
    ],
)
async def test_flags_that_cannot_work_are_refused(local: Task, flags: CLONE) -> None:
    counting = local.sysif = Counting(local.sysif)
    with nothing_left(local), pytest.raises(CloneFlagsError):
        async with local.spawn(flags):
            pass
    assert counting.calls == 0


async def test_an_id_map_without_newuser_is_refused(local: Task) -> None:
    with pytest.raises(CloneFlagsError, match="NEWUSER"):
        local.spawn(CLONE.NEWUTS, uid_map=True)


@pytest.mark.parametrize("value", ["nonsense", "0 1000 1,0 1001 1", [], -1])
async def test_a_map_that_does_not_parse_is_refused(local: Task, value: IdMapLike) -> None:
    with pytest.raises(IdMapError):
        local.spawn(CLONE.NEWUSER, uid_map=value)
    with pytest.raises(IdMapError):
        local.spawn(CLONE.NEWUSER, gid_map=value)


async def test_a_closed_fd_to_inherit_is_refused(local: Task) -> None:
    fd = await local.fs.open("/dev/null")
    await fd.close()
    with nothing_left(local), pytest.raises(FDClosedError):
        async with local.spawn(inherit=[fd]):
            pass


async def test_another_table_s_fd_to_inherit_is_refused(local: Task) -> None:
    async with local.spawn() as child:
        theirs = await child.fs.open("/dev/null")
        with nothing_left(local), pytest.raises(FDTableMismatchError):
            async with local.spawn(inherit=[theirs]):
                pass


async def without_capabilities(child: Task) -> None:
    """Make a child an ordinary user, whoever we are."""
    with child.transient(bytes.fromhex("22050820") + bytes(4 + 24)) as none:
        at = none.address.value
        assert await child.sysif.call(SYS.capset, at, at + 8) == 0


KINDS = ["NEWNS", "NEWUTS", "NEWNET", "NEWIPC", "NEWPID", "NEWCGROUP", "NEWTIME"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_namespace_without_the_capability_is_refused(local: Task, kind: str) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        await without_capabilities(child)
        with nothing_left(local), pytest.raises(NamespaceNotAllowedError, match=kind) as caught:
            async with child.spawn(CLONE[kind]):
                pass
        assert caught.value.errno == EPERM
        assert "CLONE.NEWUSER" in str(caught.value)
        assert child.children == set()


@pytest.mark.parametrize("value", [7, "0 7 1", "0 1000000 5"])
async def test_a_map_of_ids_that_are_not_ours_needs_a_capability(
    local: Task, value: IdMapLike
) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        await without_capabilities(child)
        for maps in ((value, None), (None, value)):
            with nothing_left(local), pytest.raises(IdMapNotAllowedError):
                async with child.spawn(CLONE.NEWUSER, uid_map=maps[0], gid_map=maps[1]):
                    pass


async def test_spawn_by_a_child_that_has_died_is_an_error(local: Task) -> None:
    async with local.spawn() as child:
        await end_by_exit(child, 0)
        with nothing_left(), pytest.raises(TaskLostError):
            async with child.spawn():
                pass
        await thread_of(child).wait()


async def test_a_cancel_before_spawn_starts_nothing(local: Task) -> None:
    with nothing_left(local), trio.CancelScope() as scope:
        scope.cancel()
        async with local.spawn():
            pytest.fail("not reached")
    assert scope.cancelled_caught


async def test_many_children_at_once(local: Task) -> None:
    async def one(status: int) -> None:
        async with local.spawn() as child:
            await end_by_exit(child, status)
            state = await thread_of(child).waitid(W.EXITED)
            assert state is not None
            assert state.exit_status == status

    with nothing_left(local):
        async with trio.open_nursery() as nursery:
            for status in range(30):
                nursery.start_soon(one, status)
