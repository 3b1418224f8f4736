"""``task.cred``: ids, and what a change of them leaves as it was."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio

from rsyscall_ns import (
    CAP,
    CLONE,
    SIG,
    SYS,
    UINT32S,
    ArgumentRangeError,
    Capabilities,
    ResIds,
    SerializerError,
    Task,
    TaskLostError,
    ThreadCredentialsError,
    W,
    one_of,
)
from rsyscall_ns.handle.processes.credential_change import Kept, put_back
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.program import Program
from tests.support.children import IS_ROOT, same_state, shell, status_field, thread_of

ids_are_several = pytest.mark.skipif(
    not IS_ROOT, reason="only root maps several ids into a user namespace"
)
OTHER = 1234
MANY = "0 0 65536"


@pytest.fixture(params=["our memory", "own memory"])
async def inside(request: pytest.FixtureRequest, local: Task) -> AsyncGenerator[Task, None]:
    """Make a child that is root in a user namespace with many ids, or with one."""
    map_ = MANY if IS_ROOT else True
    own = request.param == "own memory"
    async with local.spawn(CLONE.NEWUSER, uid_map=map_, gid_map=map_, own_memory=own) as child:
        yield child


async def death_signal(task: Task) -> int:
    with task.transient(4) as room:
        assert await task.sysif.call(SYS.prctl, PR.GET_PDEATHSIG, room.address.value) == 0
        return int.from_bytes(room.read(), "little")


async def dumpable(task: Task) -> int:
    return await task.sysif.call(SYS.prctl, PR.GET_DUMPABLE)


def memory_of(task: Task, place: int, size: int) -> bytes:
    with Path(f"/proc/{task.process.near.id}/mem").open("rb", buffering=0) as file:
        file.seek(place)
        return file.read(size)


async def test_all_three_ids_are_told(task: Task) -> None:
    assert await task.cred.getresuid() == ResIds(*os.getresuid())
    assert await task.cred.getresgid() == ResIds(*os.getresgid())


async def test_ids_are_filled_in_where_they_are_asked_to_be(task: Task) -> None:
    room = await task.malloc(one_of(ResIds))

    assert (await task.cred.getresuid(into=room)).peek() == ResIds(*os.getresuid())
    assert (await task.cred.getresgid(into=room)).peek() == ResIds(*os.getresgid())

    room.free()


async def test_ids_do_not_go_into_less_memory_than_they_take(task: Task) -> None:
    room = await task.malloc(one_of(ResIds), 8)

    with pytest.raises(SerializerError):
        await task.cred.getresuid(into=room)
    with pytest.raises(SerializerError):
        await task.cred.getresgid(into=room)

    room.free()


async def test_groups_are_those_of_the_process(task: Task) -> None:
    room = await task.malloc(UINT32S, 4 * 64)

    filled = await task.cred.getgroups(into=room)

    assert list(filled.peek()) == await task.cred.getgroups() == os.getgroups()
    filled.free()


@ids_are_several
async def test_groups_that_were_set_are_the_task_s(inside: Task) -> None:
    many = list(range(100))

    await inside.cred.setgroups(many)

    assert await inside.cred.getgroups() == many
    room = await inside.malloc(UINT32S, 4 * 99)
    with pytest.raises(OSError, match=r"getgroups\(2\)"):
        await inside.cred.getgroups(into=room)
    room.free()
    groups = await inside.ptr([5, 6], UINT32S)
    await inside.cred.setgroups(groups)
    assert await inside.cred.getgroups() == [5, 6]
    groups.free()
    await inside.cred.setgroups([])
    assert await inside.cred.getgroups() == []


@pytest.mark.skipif(IS_ROOT, reason="root may set groups in its user namespaces")
async def test_groups_can_not_be_set_by_who_is_root_only_inside(inside: Task) -> None:
    with pytest.raises(PermissionError, match="setgroups"):
        await inside.cred.setgroups([0])


async def test_one_thread_of_the_interpreter_is_not_changed(local: Task) -> None:
    cred = local.cred
    for refused in (
        cred.setuid(os.getuid()),
        cred.setgid(os.getgid()),
        cred.setreuid(),
        cred.setregid(),
        cred.setresuid(),
        cred.setresgid(),
        cred.setfsuid(os.getuid()),
        cred.setfsgid(os.getgid()),
        cred.setgroups([]),
    ):
        with pytest.raises(ThreadCredentialsError, match=r"set\w+ would change one thread"):
            await refused


async def test_ids_that_there_are_not_are_refused(inside: Task) -> None:
    cred = inside.cred
    for refused in (
        cred.setuid(-1),
        cred.setgid(2**32 - 1),
        cred.setreuid(-2),
        cred.setregid(0, 2**32 - 1),
        cred.setresuid(0, 0, -2),
        cred.setresgid(2**32),
        cred.setfsuid(-2),
        cred.setfsgid(2**32 - 1),
        cred.setgroups([-1]),
        cred.setgroups(range(65537)),
    ):
        with pytest.raises(ArgumentRangeError):
            await refused


async def test_ids_stay_what_they_are_when_set_to_it(inside: Task) -> None:
    cred = inside.cred
    await cred.setuid(0)
    await cred.setgid(0)
    await cred.setreuid(0, 0)
    await cred.setregid(0, 0)
    await cred.setresuid()
    await cred.setresgid(0, -1, 0)

    assert await cred.setfsuid(0) == await cred.setfsgid(0) == 0
    assert await cred.getresuid() == await cred.getresgid() == ResIds(0, 0, 0)


async def test_an_id_that_the_namespace_lacks_is_no_id(inside: Task) -> None:
    with pytest.raises(OSError, match=r"Invalid argument \[setresuid\(2\)"):
        await inside.cred.setresuid(70000, 70000, 70000)
    with pytest.raises(OSError, match=r"Invalid argument \[setgid\(2\)"):
        await inside.cred.setgid(70000)
    with pytest.raises(PermissionError, match="setfsuid"):
        await inside.cred.setfsuid(70000)
    with pytest.raises(PermissionError, match="setfsgid"):
        await inside.cred.setfsgid(70000)


async def test_the_ids_for_files_can_be_asked_for(task: Task) -> None:
    assert await task.cred.setfsuid() == os.geteuid()
    assert await task.cred.setfsgid() == os.getegid()


@ids_are_several
async def test_ids_for_files_are_set_alone(inside: Task) -> None:
    assert await inside.cred.setfsgid(OTHER) == 0
    assert await inside.cred.setfsuid(OTHER) == 0

    assert await inside.cred.setfsuid() == await inside.cred.setfsgid() == OTHER
    assert await inside.cred.getresuid() == ResIds(0, 0, 0)


@ids_are_several
async def test_real_and_effective_ids_are_set_together(inside: Task) -> None:
    await inside.cred.setregid(OTHER, 5)
    await inside.cred.setreuid(OTHER, 6)

    assert await inside.cred.getresgid() == ResIds(OTHER, 5, 5)
    assert await inside.cred.getresuid() == ResIds(OTHER, 6, 6)


@ids_are_several
async def test_who_has_given_up_root_can_not_have_it_back(inside: Task) -> None:
    await inside.cred.setgid(OTHER)
    await inside.cred.setuid(OTHER)

    for refused in (
        inside.cred.setuid(0),
        inside.cred.setgid(0),
        inside.cred.setreuid(0),
        inside.cred.setregid(0),
        inside.cred.setresuid(0),
        inside.cred.setresgid(0),
        inside.cred.setgroups([0]),
        inside.cred.setfsuid(0),
        inside.cred.setfsgid(0),
    ):
        with pytest.raises(PermissionError):
            await refused
    assert await inside.cred.getresuid() == await inside.cred.getresgid() == ResIds(*[OTHER] * 3)
    assert await inside.cred.effective_capabilities() == 0


# what the kernel takes away with a change


@ids_are_several
async def test_the_kernel_takes_both_away_by_itself(inside: Task) -> None:
    before = await dumpable(inside)
    assert await death_signal(inside) == SIG.KILL

    assert await inside.sysif.call(SYS.setresuid, OTHER, OTHER, OTHER) == 0

    assert await death_signal(inside) == 0
    assert await dumpable(inside) == 0 != before
    assert await inside.sysif.call(SYS.prctl, PR.SET_DUMPABLE, before) == 0  # it may be ours


@ids_are_several
async def test_a_task_of_another_user_is_steered_as_before(inside: Task) -> None:
    before = await dumpable(inside)

    await inside.cred.setresgid(OTHER, OTHER, OTHER)
    await inside.cred.setresuid(OTHER, OTHER, OTHER)

    assert await inside.cred.getresuid() == ResIds(OTHER, OTHER, OTHER)
    assert status_field(inside.process.near.id, "Uid") == "\t".join([str(OTHER)] * 4)
    assert await death_signal(inside) == SIG.KILL
    assert await dumpable(inside) == before == 1
    with inside.transient(b"shared") as there:
        assert memory_of(inside, there.address.value, 6) == b"shared"


@ids_are_several
async def test_a_task_of_another_user_can_be_signalled(inside: Task) -> None:
    await inside.cred.setresuid(OTHER, OTHER, OTHER)
    process = thread_of(inside)

    await process.kill(SIG.STOP)
    await same_state(process, W.STOPPED)
    await process.kill(SIG.CONT)
    await same_state(process, W.CONTINUED)
    with trio.move_on_after(0):  # the signal that interrupts gets there too
        await inside.signals.sigsuspend(())
    assert await inside.cred.getuid() == OTHER


@ids_are_several
async def test_a_task_of_another_user_dies_with_its_parent(local: Task) -> None:
    map_ = MANY
    async with (
        local.spawn(CLONE.NEWUSER, uid_map=map_, gid_map=map_) as parent,
        parent.spawn() as child,
    ):
        await child.cred.setresuid(OTHER, OTHER, OTHER)
        pidfd = os.pidfd_open(child.process.near.id)
        await thread_of(parent).kill()

        await trio.lowlevel.wait_readable(pidfd)  # it is dead

        os.close(pidfd)


@ids_are_several
async def test_a_failed_change_leaves_all_as_it_was(inside: Task) -> None:
    before = await dumpable(inside)
    with pytest.raises(OSError, match="setresuid"):
        await inside.cred.setresuid(70000)

    assert await death_signal(inside) == SIG.KILL
    assert await dumpable(inside) == before


@ids_are_several
async def test_what_was_not_set_is_not_set_afterwards(local: Task) -> None:
    async with local.spawn(own_memory=True) as child:
        for option in (PR.SET_PDEATHSIG, PR.SET_DUMPABLE):
            assert await child.sysif.call(SYS.prctl, option, 0) == 0

        await child.cred.setresuid(OTHER, OTHER, OTHER)

        assert await death_signal(child) == await dumpable(child) == 0
        assert await child.sysif.call(SYS.prctl, PR.SET_PDEATHSIG, SIG.KILL) == 0


@ids_are_several
async def test_changes_of_children_with_common_memory_do_not_mix(local: Task) -> None:
    async def rounds(child: Task) -> None:
        for uid in (5, 0, 6, 0):
            await child.cred.setresuid(0, uid, 0)

    async with local.spawn() as one, local.spawn() as two:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(rounds, one)
            nursery.start_soon(rounds, two)

        assert await death_signal(one) == await death_signal(two) == SIG.KILL
    assert await dumpable(local) == 1


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
async def test_a_task_whose_interpreter_has_died_meanwhile_exits(
    child: Task, *, closed: bool
) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    number = await child.sysif.import_fd(theirs.fileno())
    theirs.close()
    if closed:
        ours.close()
    program = Program()
    *_, parent = put_back(program, Kept(SIG.KILL, 2, os.getpid()), number)

    if closed:
        with pytest.raises(TaskLostError):
            await child.sysif.execute(program)
        state = await thread_of(child).wait()
        assert str(state) == "exited with status 0"
        return
    assert (await child.sysif.execute(program)).value(parent) == os.getpid()
    assert await child.cred.getuid() == os.getuid()
    ours.close()


@ids_are_several
async def test_a_task_of_another_user_execs(inside: Task) -> None:
    await inside.cred.setgroups([])
    await inside.cred.setresgid(OTHER, OTHER, OTHER)
    await inside.cred.setresuid(OTHER, OTHER, OTHER)

    process = await inside.exec(shell('test "$(id -u) $(id -g)" = "1234 1234"'))

    assert str(await process.wait()) == "exited with status 0"


@ids_are_several
async def test_who_keeps_capabilities_has_them_back_as_another_user(inside: Task) -> None:
    before = await inside.cred.capget()
    await inside.prctl.set_keepcaps(True)

    await inside.cred.setresuid(OTHER, OTHER, OTHER)

    assert await inside.cred.capget() == Capabilities(permitted=before.permitted)
    await inside.cred.capset(Capabilities(CAP.SETUID, CAP.SETUID))
    assert await inside.cred.effective_capabilities() == CAP.SETUID
    await inside.cred.setresuid(0, 0, 0)
    assert await inside.cred.getresuid() == ResIds(0, 0, 0)
    assert await death_signal(inside) == SIG.KILL
