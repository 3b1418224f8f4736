"""launch: a program in a child of its own, in one round trip."""

from __future__ import annotations

import os
from errno import EACCES, ENOENT

import pytest
import trio

from rsyscall_ns import (
    CLONE,
    SIG,
    SIG_IGN,
    SYS,
    CloneFlagsError,
    Command,
    FDClosedError,
    FDTableMismatchError,
    FileDescriptor,
    IdMapNotAllowedError,
    PathError,
    Task,
    UncleanExitError,
)
from tests.support.blocking import current_call
from tests.support.census import children, nothing_left
from tests.support.children import FOREVER, IS_ROOT, TRUE, is_alive, shell, status_field
from tests.support.procfs import fd_links

PLAIN = CLONE(0)
SLEEPING = {SYS.nanosleep, SYS.clock_nanosleep}
ROOM = 4 << 20  # bytes
NAMESPACES = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS
SEVEN = NAMESPACES | CLONE.NEWNET | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWCGROUP
FLAGS = [PLAIN, CLONE.NEWUSER, NAMESPACES, SEVEN]


def bit(sig: int) -> int:
    """Return a signal's bit in what procfs shows."""
    return 1 << (sig - 1)


RESET = bit(SIG.PIPE) | bit(SIG.XFSZ)  # what only Python ignores


def ignored_by(pid: int) -> int:
    """Return the signals that a process ignores, as bits."""
    return int(status_field(pid, "SigIgn"), 16)


async def read_all(fd: FileDescriptor) -> bytes:
    """Read up to the end, and close."""
    parts: list[bytes] = []
    while part := await fd.read():
        parts.append(part)
    await fd.close()
    return b"".join(parts)


async def output(task: Task, command: Command, flags: CLONE = PLAIN) -> bytes:
    """Run a program and return what it wrote."""
    read, write = await task.fs.pipe2()
    async with task.launch(command, flags, stdout=write) as process:
        await write.close()
        data = await read_all(read)
        assert (await process.check()).clean()
    return data


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_program_runs_and_is_reaped(local: Task, flags: CLONE) -> None:
    with nothing_left(local):
        async with local.launch(TRUE, flags) as process:
            assert (await process.wait()).clean()
            assert process.command is TRUE


async def test_leaving_the_block_kills_and_reaps(local: Task) -> None:
    with nothing_left(local):
        async with local.launch(FOREVER) as process:
            pid = process.near.id
            assert is_alive(pid)
        assert not is_alive(pid)
        assert process.death_state is not None
        assert process.death_state.killed_with() == SIG.KILL


async def test_its_status_is_told(local: Task) -> None:
    async with local.launch(shell("exit 9")) as process:
        with pytest.raises(UncleanExitError, match="exited with status 9"):
            await process.check()


async def test_ids_are_mapped_before_the_program_runs(local: Task) -> None:
    assert (await output(local, shell("id -u"), CLONE.NEWUSER)).strip() == b"%d" % os.geteuid()
    read, write = await local.fs.pipe2()
    command = shell("id -u; id -g")
    async with local.launch(
        command, CLONE.NEWUSER, uid_map=True, gid_map=True, stdout=write
    ) as process:
        await write.close()
        assert (await read_all(read)).split() == [b"0", b"0"]
        await process.check()


async def test_it_is_the_first_of_its_pid_namespace(local: Task) -> None:
    assert await output(local, shell("echo $$"), CLONE.NEWUSER | CLONE.NEWPID) == b"1\n"


async def test_standard_streams_may_be_exchanged(local: Task) -> None:
    """Each source is copied before the first target is overwritten."""
    async with await local.fs.open("/dev/null", os.O_RDWR) as null:
        read, write = await local.fs.pipe2()
        command = shell("echo out; echo err >&2; readlink /proc/self/fd/0")
        async with local.launch(command, stdin=null, stdout=write, stderr=write) as process:
            await write.close()
            assert (await read_all(read)).splitlines() == [b"out", b"err", b"/dev/null"]
            await process.check()


async def test_it_has_the_fds_that_were_passed_and_no_other(local: Task) -> None:
    async with (
        await local.fs.open("/dev/null") as passed,
        await local.fs.open("/dev/zero"),
        await local.fs.open("/dev/full") as shared,
    ):
        await shared.disable_cloexec()
        async with local.launch(FOREVER, pass_fds=[passed]) as process:
            # not while it starts: then it has files of its own open
            while current_call(process.near.id) not in SLEEPING:
                await trio.lowlevel.checkpoint()
            others = {0, 1, 2}
            found = {n: to for n, to in fd_links(process.near.id).items() if n not in others}
            assert found == {
                passed.near.number: "/dev/null",
                shared.near.number: "/dev/full",
            }


async def test_signals_are_as_a_shell_would_leave_them(local: Task) -> None:
    async with local.launch(FOREVER) as process:
        assert int(status_field(process.near.id, "SigBlk"), 16) == 0
        assert ignored_by(process.near.id) == ignored_by(os.getpid()) & ~RESET


async def test_a_signal_that_the_parent_chose_to_ignore_stays_ignored(local: Task) -> None:
    async with local.spawn() as child:
        await child.signals.sigaction(SIG.XFSZ, SIG_IGN)
        async with child.launch(FOREVER) as process:
            expected = ignored_by(os.getpid()) & ~RESET | bit(SIG.XFSZ)
            assert ignored_by(process.near.id) == expected


@pytest.mark.parametrize("flags", FLAGS, ids=str)
async def test_a_program_that_is_not_there_leaves_nothing(local: Task, flags: CLONE) -> None:
    missing = Command("/missing", ["missing"])
    await output(local, TRUE)
    with nothing_left(local), pytest.raises(FileNotFoundError) as caught:
        async with local.launch(missing, flags):
            pytest.fail("it was not there")
    assert caught.value.filename == "/missing"
    assert caught.value.errno == ENOENT


async def test_a_file_that_is_no_program_leaves_nothing(local: Task) -> None:
    with nothing_left(local), pytest.raises(PermissionError) as caught:
        async with local.launch(Command("/etc/passwd", ["x"])):
            pytest.fail("it is no program")
    assert (caught.value.filename, caught.value.errno) == ("/etc/passwd", EACCES)


async def test_a_child_launches_too(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        with nothing_left(local):
            assert await output(child, shell("echo here")) == b"here\n"
            assert await output(child, shell("echo $$"), NAMESPACES) == b"1\n"


async def test_many_at_once_do_not_mix_up_their_streams(local: Task) -> None:
    found: dict[int, bytes] = {}

    async def one(number: int) -> None:
        found[number] = await output(local, shell(f"echo {number}"))

    async def many() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(one, number)

    # have the arena map more than that takes
    local.arena.release(local.arena.allocate(ROOM), ROOM)
    with nothing_left(local):
        await many()
    assert found == {number: b"%d\n" % number for number in range(20)}


# bad input: refused before anything is started


async def test_a_shared_fd_table_is_refused(local: Task) -> None:
    with nothing_left(local), pytest.raises(CloneFlagsError, match="fd table"):
        local.launch(TRUE, CLONE.FILES)


async def test_bad_strings_are_refused(local: Task) -> None:
    with nothing_left(local):
        with pytest.raises(PathError, match="NUL"):
            local.launch(Command("/bin/tr\0ue", ["true"]))
        with pytest.raises(PathError, match="NUL"):
            local.launch(Command("/bin/true", ["tr\0ue"]))


async def test_fds_must_be_open_and_of_the_task(local: Task) -> None:
    fd = await local.fs.open("/dev/null")
    async with local.spawn() as child:
        with pytest.raises(FDTableMismatchError):
            child.launch(TRUE, stdin=fd)
    await fd.close()
    with pytest.raises(FDClosedError):
        local.launch(TRUE, pass_fds=[fd])


@pytest.mark.skipif(IS_ROOT, reason="root may write any id map")
async def test_a_map_that_this_user_may_not_have_is_refused(local: Task) -> None:
    before = children()
    with nothing_left(local), pytest.raises(IdMapNotAllowedError):
        async with local.launch(TRUE, CLONE.NEWUSER, uid_map="0 0 10"):
            pytest.fail("it was allowed")
    assert children() == before


@pytest.mark.parametrize("way", ["stdout", "pass_fds"])
async def test_an_fd_that_is_closed_before_the_start_is_refused(local: Task, way: str) -> None:
    null = await local.fs.open("/dev/null", os.O_RDWR)
    with nothing_left(local):
        given = {"stdout": null} if way == "stdout" else {"pass_fds": [null]}
        launched = local.launch(TRUE, **given)  # pyright: ignore[reportArgumentType] - several kinds
    await null.close()

    with nothing_left(local), pytest.raises(FDClosedError):
        async with launched:
            pass
