"""A stub: a child that is a program of its own, which shares nothing with us but an arena."""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import random
import subprocess
from contextlib import AsyncExitStack
from errno import EFAULT
from pathlib import Path
from typing import Final

import pytest
import trio

from rsyscall_ns import (
    BYTES,
    CLONE,
    SIG,
    SYS,
    AddressSpaceMismatchError,
    ArenaFullError,
    CloneFlagsError,
    Command,
    NamespaceFD,
    O,
    StubNotStartedError,
    Task,
    TaskLostError,
    W,
    open_local_task,
)
from rsyscall_ns.memory.arena import RESERVED
from rsyscall_ns.near.abi.capability_block import pack_capabilities
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.tasks.stub import PROGRAM
from rsyscall_ns.transport.ring import RingInterface
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT, TRUE, Memory, shell, thread_of
from tests.support.seccomp import answer_with_enosys
from tests.support.stopping import stopped_at

MOST_RESIDENT: Final = 64  # KiB
KINDS: Final[dict[str, Memory]] = {
    "shared": {},
    "own": {"own_memory": True},
    "stub": {"stub": True},
}


async def text(task: Task, path: str) -> str:
    async with await task.fs.open(path) as file:
        found = b""
        while part := await file.read(4096):
            found += part
    return found.decode()


async def field(task: Task, name: str) -> str:
    """Return a line of the task's own status."""
    lines = (await text(task, "/proc/thread-self/status")).splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:"))


async def flags_of(task: Task, number: int) -> int:
    return await task.sysif.call(SYS.fcntl, number, fcntl.F_GETFD)


def bell_of(task: Task) -> int:
    assert isinstance(task.sysif, RingInterface)
    return task.sysif.server_doorbell


async def test_its_memory_has_the_program_the_arena_a_stack_and_what_the_kernel_adds(
    local: Task,
) -> None:
    async with local.spawn(stub=True) as stub:
        lines = (await text(stub, "/proc/self/maps")).splitlines()

    names = {line.split(maxsplit=5)[5] for line in lines}
    assert {name for name in names if not name.startswith("[v")} == {
        "/memfd:rsyscall_ns-stub (deleted)",
        "/memfd:rsyscall_ns-arena (deleted)",
        "[stack]",
    }
    assert not [line for line in lines if line.split()[1].startswith("rwx")]


async def test_what_is_in_our_memory_is_not_in_its(local: Task) -> None:
    ours = ctypes.create_string_buffer(b"secret")
    async with (
        local.spawn(stub=True) as stub,
        await stub.fds.memfd_create("copy") as file,
    ):
        there = file.near.number
        result = await stub.sysif.call(SYS.write, there, ctypes.addressof(ours), 6)

    assert result == -EFAULT


async def test_it_takes_a_few_pages(local: Task) -> None:
    async with local.spawn(stub=True) as stub:
        resident = int((await field(stub, "VmRSS")).split()[0])

    assert 0 < resident <= MOST_RESIDENT
    assert len(PROGRAM.read_bytes()) < 8192


async def test_pointers_of_its_memory_are_its_alone(local: Task) -> None:
    async with local.spawn(stub=True) as stub, await stub.fs.open("/dev/null", O.WRONLY) as there:
        mine, theirs = await local.ptr(b"mine", BYTES), await stub.ptr(b"theirs", BYTES)

        with pytest.raises(AddressSpaceMismatchError):
            await there.write(mine)

        assert await there.write(theirs) == 6
        mine.free()


async def test_what_it_shares_with_us_can_be_used_up_and_goes_with_it(local: Task) -> None:
    async with local.spawn(stub=True) as stub:
        with pytest.raises(ArenaFullError, match="free some"):
            await stub.malloc(BYTES, RESERVED)
        assert stub.arena.mapped == RESERVED

    assert stub.arena.mapped == 0
    with pytest.raises(TaskLostError):
        await stub.cred.getuid()


async def test_it_dies_with_its_client_and_nobody_can_trace_it(local: Task) -> None:
    async with local.spawn(stub=True) as stub:
        where = await stub.malloc(BYTES, 4)
        assert await stub.sysif.call(SYS.prctl, PR.GET_PDEATHSIG, where.near.value) == 0
        assert int.from_bytes(where.peek(), "little") == SIG.KILL
        assert await stub.sysif.call(SYS.prctl, PR.GET_DUMPABLE) == 0


@pytest.mark.parametrize(
    ("flags", "inside"),
    [(CLONE(0), None), (CLONE.NEWUSER, 0), (CLONE.NEWUSER, 7), (CLONE.NEWUSER | CLONE.NEWPID, 7)],
    ids=str,
)
async def test_it_has_the_rights_of_any_other_child(
    local: Task, flags: CLONE, inside: int | None
) -> None:
    found: dict[str, list[str]] = {}
    ids = None if inside is None else f"{inside} {os.getuid()} 1"
    for kind in ("shared", "stub"):
        async with local.spawn(flags, uid_map=ids, **KINDS[kind]) as child:
            names = ["CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd", "Uid", "Gid", "Groups"]
            names += ["NoNewPrivs", "SigBlk", "SigIgn", "SigCgt"]
            found[kind] = [await field(child, name) for name in names]

    assert found["stub"] == found["shared"]


async def test_rights_that_its_parent_has_given_up_are_not_got_back_by_its_exec(
    local: Task,
) -> None:
    async with local.spawn(CLONE.NEWUSER, uid_map=f"0 {os.getuid()} 1") as child:
        few = pack_capabilities((1 << 21, 1 << 21, 0, 0, 0, 0))
        with child.transient(few) as sets:
            header = sets.address.value
            assert await child.sysif.call(SYS.capset, header, header + 8) == 0
        async with child.spawn(stub=True) as stub:
            assert int(await field(stub, "CapPrm"), 16) == 1 << 21
            assert int(await field(stub, "CapEff"), 16) == 1 << 21


async def test_it_has_what_it_inherits_and_no_program_after_it_has(local: Task) -> None:
    async with (
        await local.fs.open("/dev/null") as given,
        await local.fs.open("/dev/zero") as kept,
        local.spawn(stub=True, inherit=[given]) as stub,
    ):
        there = given.inherit(stub)
        numbers = {int(name) for name in await stub.fs.listdir("/proc/self/fd")}

        assert there.near.number in numbers
        assert kept.near.number not in numbers
        assert await flags_of(stub, there.near.number) == fcntl.FD_CLOEXEC
        assert await flags_of(stub, bell_of(stub)) == fcntl.FD_CLOEXEC


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grand", KINDS)
async def test_it_has_children_and_is_one_of_every_kind(local: Task, kind: str, grand: str) -> None:
    with nothing_left(local):
        async with local.spawn(**KINDS[kind]) as child, child.spawn(**KINDS[grand]) as grandchild:
            assert await grandchild.cred.getuid() == await local.cred.getuid()
            async with await grandchild.fs.open("/dev/zero") as zero:
                assert await zero.read(3) == bytes(3)


async def test_its_children_can_be_watched_for_stops(local: Task) -> None:
    async with local.spawn(stub=True) as stub, stub.spawn() as child:
        await thread_of(child).kill(SIG.STOP)
        await thread_of(child).waitid(W.STOPPED)
        await thread_of(child).kill(SIG.CONT)
        assert await child.cred.getuid() == await local.cred.getuid()


async def test_it_launches_and_execs(local: Task) -> None:
    gc.collect()
    gc.disable()  # what it had is given back at once
    try:
        await launch_and_exec(local)
    finally:
        gc.enable()


async def launch_and_exec(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn(stub=True) as stub:
            async with stub.launch(TRUE) as program:
                await program.check()
            await (await stub.exec(TRUE)).check()


async def test_a_failed_exec_leaves_it_as_it_was(local: Task) -> None:
    async with local.spawn(stub=True) as stub:
        with pytest.raises(FileNotFoundError):
            await stub.exec(Command("/nonexistent", ["nonexistent"]))
        assert await stub.cred.getuid() == await local.cred.getuid()


async def test_it_lives_in_a_time_namespace_that_is_made_for_it(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWTIME, stub=True) as stub:
        inside = await stub.fs.readlink("/proc/self/ns/time")
        assert inside == await stub.fs.readlink("/proc/self/ns/time_for_children")
        assert inside != await local.fs.readlink("/proc/self/ns/time")


async def test_it_can_join_a_time_namespace(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER, stub=True) as stub:
        await stub.ns.unshare(CLONE.NEWTIME)
        before = await stub.fs.readlink("/proc/self/ns/time")
        path = "/proc/self/ns/time_for_children"
        async with await (await stub.fs.open(path)).as_kind(NamespaceFD) as namespace:
            await stub.ns.setns(namespace, CLONE.NEWTIME)

        assert await stub.fs.readlink("/proc/self/ns/time") != before


async def test_a_blocked_call_is_interrupted_and_loses_nothing(local: Task) -> None:
    turns = random.Random(5)  # noqa: S311 - any will do
    async with local.spawn(stub=True) as stub:
        reader, writer = await local.fs.pipe2()
        there = await reader.pass_to(stub)
        for number in range(200):
            got = b""
            async with trio.open_nursery() as nursery:
                with trio.CancelScope() as scope:
                    nursery.start_soon(self_cancel, scope, turns.randrange(4))
                    got = await there.read(1)
            if number % 2:
                await writer.write(b"x")
                got = got or await there.read(1)
                assert got == b"x"
        await reader.close()
        await writer.close()


async def self_cancel(scope: trio.CancelScope, turns: int) -> None:
    for _ in range(turns):
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_many_at_once(local: Task) -> None:
    with nothing_left(local):
        async with AsyncExitStack() as scope:
            stubs: list[Task] = []

            async def one() -> None:
                stubs.append(await scope.enter_async_context(local.spawn(stub=True)))

            async with trio.open_nursery() as nursery:
                for _ in range(40):
                    nursery.start_soon(one)
            pids = {await stub.sysif.call(SYS.getpid) for stub in stubs}
            assert pids == {stub.process.near.id for stub in stubs}


async def test_no_fd_table_is_shared_with_a_program(local: Task) -> None:
    with pytest.raises(CloneFlagsError, match="of its own, as"):
        local.spawn(CLONE.FILES, stub=True)


async def test_an_exec_that_is_denied_is_an_error_with_a_name(local: Task) -> None:
    async with local.spawn() as child:
        await answer_with_enosys(child, SYS.execveat)
        with nothing_left(local), pytest.raises(StubNotStartedError, match="forbid"):
            async with child.spawn(stub=True):
                pass
        assert await child.cred.getuid() == await local.cred.getuid()


async def test_a_stub_that_may_not_set_itself_up_is_an_error_with_a_name(local: Task) -> None:
    async with local.spawn() as child:
        await answer_with_enosys(child, SYS.mmap)
        with nothing_left(local), pytest.raises(StubNotStartedError):
            async with child.spawn(stub=True):
                pass


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], "RS_STUB_REFUSED"),
        (["0:400000:1000:400000"], "RS_STUB_NO_ROOM"),  # where the program itself is
        (["ffff:100000000000:1000:100000000000"], "RS_STUB_NO_ROOM"),  # no such fd
    ],
    ids=["none", "taken", "no fd"],
)
def test_the_program_by_itself_ends_at_once(arguments: list[str], status: str) -> None:
    with PROGRAM.open("rb") as image:
        number = os.memfd_create("stub", os.MFD_CLOEXEC)
        os.write(number, image.read())
    try:
        done = subprocess.run(
            ["stub", *arguments],
            executable=f"/proc/self/fd/{number}",
            pass_fds=[number],
            check=False,
        )
    finally:
        os.close(number)
    assert done.returncode == getattr(lib, status)


def test_an_interpreter_with_stubs_leaves_none() -> None:
    async def use() -> list[int]:
        async with (
            open_local_task() as local,
            local.spawn(stub=True) as one,
            local.spawn(CLONE.NEWUSER, stub=True) as other,
        ):
            return [one.process.near.id, other.process.near.id]

    for pid in trio.run(use):
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user's stub can be read by nobody")
async def test_its_files_are_the_ones_that_are_asked_for(local: Task) -> None:
    async with local.spawn(stub=True) as stub:
        numbers = set(os.listdir(f"/proc/{stub.process.near.id}/fd"))  # noqa: PTH208 - numbers

        assert numbers == {"0", "1", "2", str(bell_of(stub))}


@pytest.mark.parametrize("way", ["spawn", "stub", "launch"])
async def test_a_child_of_it_makes_a_user_namespace(local: Task, way: str) -> None:
    ids = f"0 {os.getuid()} 1"
    async with local.spawn(stub=True) as stub:
        if way == "launch":
            script = 'test "$(id -u)" = 0'
            async with stub.launch(shell(script), CLONE.NEWUSER, uid_map=ids) as program:
                await program.check()
        else:
            async with stub.spawn(CLONE.NEWUSER, uid_map=ids, stub=way == "stub") as child:
                assert await child.cred.getuid() == 0
                assert await child.sysif.call(SYS.prctl, PR.GET_DUMPABLE) == 0
        assert await stub.sysif.call(SYS.prctl, PR.GET_DUMPABLE) == 0


@pytest.mark.skipif(not IS_ROOT, reason="only root may map other ids than its own")
async def test_id_maps_of_others_are_written_from_outside(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn(CLONE.NEWUSER, uid_map="0 1000 5", stub=True) as stub:
            assert (await text(stub, "/proc/thread-self/uid_map")).split() == ["0", "1000", "5"]
            assert int(await field(stub, "CapEff"), 16) != 0


async def test_a_stub_that_is_killed_while_it_begins_is_told(local: Task) -> None:
    async with local.spawn() as child, stopped_at(child, SYS.execveat) as stops:
        failures: list[BaseException] = []

        async def start() -> None:
            try:
                async with child.spawn(stub=True):
                    pass
            except TaskLostError as error:
                failures.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(start)
            stopped = await stops.next()
            os.kill(stopped.pid, SIG.KILL)
        assert len(failures) == 1
