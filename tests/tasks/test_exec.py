"""exec: what the program gets, and what it does not get."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from rsyscall_ns import (
    CLONE,
    SIG,
    SIG_DFL,
    SIG_SETMASK,
    ChildBusyError,
    Command,
    CommandNotFoundError,
    FDClosedError,
    FDTableMismatchError,
    FileDescriptor,
    NotAChildError,
    O,
    PathError,
    RsyscallError,
    Task,
    TaskLostError,
    W,
)
from tests.support.census import nothing_left
from tests.support.children import FOREVER, PAUSES, TRUE, paused, shell, thread_of
from tests.support.procfs import content, fd_links, link

CAT = Command("/bin/cat", ["cat"])
LIST_FDS = Command("/bin/ls", ["ls", "/proc/self/fd"])


@asynccontextmanager
async def output_of(
    local: Task, child: Task
) -> AsyncGenerator[tuple[FileDescriptor, list[bytes]], None]:
    """Give an fd of the child to write to; after the block the list holds what was written."""
    read, write = await local.fs.pipe2()
    theirs = await write.pass_to(child)
    await write.close()
    parts: list[bytes] = []
    yield theirs, parts
    while part := await read.read():
        parts.append(bytes(part))
    await read.close()


async def run(local: Task, child: Task, command: Command) -> bytes:
    """Exec a command in the child and return what it wrote."""
    async with output_of(local, child) as (out, parts):
        process = await child.exec(command, stdout=out)
    assert (await process.wait()).clean()
    return b"".join(parts)


# what the program gets


async def test_the_process_stays_the_same_and_runs_the_program(local: Task) -> None:
    async with local.spawn() as child:
        before = thread_of(child)
        process = await child.exec(FOREVER)

        assert process is before
        assert process.command is FOREVER
        assert link(process.near.id, "exe").endswith(("sleep", "coreutils"))
        assert content(process.near.id, "cmdline") == "sleep\x001000000\0"


async def test_streams_are_what_was_given(local: Task) -> None:
    async with local.spawn() as child:
        ours_in, ours_out = await local.fs.pipe2()
        stdin = await ours_in.pass_to(child)
        await ours_in.close()
        async with output_of(local, child) as (out, parts):
            process = await child.exec(
                shell("cat; echo error >&2"), stdin=stdin, stdout=out, stderr=out
            )
            await ours_out.write_all(b"through cat\n")
            await ours_out.close()
        await process.check()

    assert b"".join(parts) == b"through cat\nerror\n"


async def test_streams_that_are_not_given_are_the_child_s(local: Task) -> None:
    async with local.spawn() as child:
        process = await paused(await child.exec(PAUSES))
        for number in (0, 1, 2):
            ours = fd_links("self")[number]
            assert fd_links(process.near.id)[number] == ours


async def test_streams_whose_numbers_cross_over_do_not_overwrite_each_other(local: Task) -> None:
    async with local.spawn() as child:
        opened = [await child.fs.open(f"/dev/{name}", O.RDWR) for name in ("null", "zero", "full")]
        spare = [await child.fs.open("/dev/null") for _ in range(3)]
        # put them on 0, 1 and 2 themselves
        placed = [
            await one.dup3(FileDescriptor(child, type(one.near)(number)))
            for number, one in enumerate(opened)
        ]
        del spare
        null, zero, full = placed
        process = await paused(await child.exec(PAUSES, stdin=full, stdout=null, stderr=zero))
        links = [fd_links(process.near.id)[number] for number in (0, 1, 2)]

    assert links == ["/dev/full", "/dev/null", "/dev/zero"]


async def test_one_fd_may_be_all_three_streams(local: Task) -> None:
    async with local.spawn() as child:
        null = await child.fs.open("/dev/null", O.RDWR)
        process = await paused(await child.exec(PAUSES, stdin=null, stdout=null, stderr=null))
        found = fd_links(process.near.id)

    assert found == dict.fromkeys((0, 1, 2), "/dev/null")


async def test_the_program_sees_exactly_the_fds_that_were_asked_for(local: Task) -> None:
    extra = [await local.fs.open("/dev/null") for _ in range(5)]
    os.set_inheritable(extra[0].near.number, True)
    async with local.spawn(inherit=extra[:3]) as child:
        theirs = [await child.fs.open("/dev/zero") for _ in range(5)]
        chosen, kept = extra[1].inherit(child), theirs[2]
        await theirs[4].disable_cloexec()
        process = await paused(await child.exec(PAUSES, pass_fds=[chosen, kept]))
        numbers = set(fd_links(process.near.id))
        wanted = {chosen.near.number, kept.near.number, theirs[4].near.number}

        assert numbers - {0, 1, 2} == wanted


async def test_passed_fds_keep_their_numbers(local: Task) -> None:
    async with local.spawn() as child:
        zero = await child.fs.open("/dev/zero")
        process = await child.exec(FOREVER, pass_fds=[zero])
        link = fd_links(process.near.id)[zero.near.number]

    assert link == "/dev/zero"


async def test_signals_are_as_a_shell_would_leave_them(local: Task) -> None:
    async with local.spawn() as child:
        status = (await run(local, child, shell("cat /proc/self/status"))).decode()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    ignored = int(fields["SigIgn"], 16)
    ours = dict(line.split(":\t", 1) for line in content("self", "status").splitlines())
    python_only = 1 << SIG.PIPE - 1 | 1 << SIG.XFSZ - 1
    expected = int(ours["SigIgn"], 16) & ~python_only

    assert int(fields["SigBlk"], 16) == 0
    assert int(fields["SigPnd"], 16) == 0
    assert int(fields["SigCgt"], 16) == 0
    assert ignored == expected


async def test_our_own_blocked_signals_reach_no_program(local: Task) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGHUP})
    try:
        async with local.spawn() as child:
            status = (await run(local, child, shell("cat /proc/self/status"))).decode()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    assert "SigBlk:\t0000000000000000" in status


async def test_a_disposition_that_the_caller_chose_is_kept(local: Task) -> None:
    async with local.spawn() as child:
        await child.signals.ignore(SIG.PIPE)
        await child.signals.ignore(SIG.USR1)
        await child.signals.sigaction(SIG.INT, SIG_DFL)
        status = (await run(local, child, shell("cat /proc/self/status"))).decode()
    (line,) = [line for line in status.splitlines() if line.startswith("SigIgn")]

    ignored = int(line.split()[1], 16)
    assert ignored & 1 << SIG.PIPE - 1
    assert ignored & 1 << SIG.USR1 - 1
    assert not ignored & 1 << SIG.INT - 1


async def test_a_mask_that_the_caller_chose_is_empty_all_the_same(local: Task) -> None:
    async with local.spawn() as child:
        await child.signals.sigprocmask(SIG_SETMASK, {SIG.USR1})
        status = (await run(local, child, shell("cat /proc/self/status"))).decode()

    assert "SigBlk:\t0000000000000000" in status


async def test_the_environment_is_ours_with_the_updates(
    local: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPT", "kept")
    monkeypatch.setenv("GONE", "gone")
    command = Command("/usr/bin/env", ["env"], {"NEW": "new", "GONE": None})
    async with local.spawn() as child:
        lines = (await run(local, child, command)).decode().splitlines()

    assert {"KEPT=kept", "NEW=new"} <= set(lines)
    assert not any(line.startswith("GONE=") for line in lines)


async def test_arguments_arrive_as_they_are(local: Task) -> None:
    args = ["", " ", "a'b\"c", "\n", "ä€", "x" * 5000]
    command = Command("/usr/bin/printf", ["printf", "%s\\0", *args])
    async with local.spawn() as child:
        got = await run(local, child, command)

    assert got.split(b"\0")[:-1] == [os.fsencode(arg) for arg in args]


async def test_a_child_that_shares_files_gets_a_table_of_its_own(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn(CLONE.FILES) as child:
            out, back = await local.fs.pipe2()
            process = await child.exec(LIST_FDS, stdout=back.for_task(child))
            await back.close()
            listed = (await out.read()).split()
            assert (await process.wait()).clean()
            await out.close()
            assert len(listed) <= 4  # the streams, and the directory itself


async def test_a_program_keeps_the_namespaces_of_the_child(local: Task) -> None:
    flags = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWUTS
    async with local.spawn(flags) as child:
        await child.ns.sethostname("program")
        assert await run(local, child, shell("echo $$ $(uname -n)")) == b"1 program\n"


async def test_limits_and_working_directory_are_the_child_s(local: Task) -> None:
    async with local.spawn() as child:
        await child.fs.chdir("/usr")
        got = await run(local, child, shell("pwd; ulimit -c"))
    core = resource.getrlimit(resource.RLIMIT_CORE)[0]

    assert got.decode().split()[0] == "/usr"
    assert got.decode().split()[1] in {"unlimited", str(core // 1024), str(core // 512), str(core)}


# after exec


async def test_after_exec_the_task_makes_no_call(local: Task) -> None:
    async with local.spawn() as child:
        handle = await child.fs.open("/dev/null")
        process = await child.exec(FOREVER)
        with pytest.raises(TaskLostError):
            await child.cred.getuid()
        with pytest.raises(RsyscallError):
            await handle.read(1)
        with pytest.raises(TaskLostError):
            await child.exec(TRUE)
        assert process.death_state is None


async def test_after_exec_the_beliefs_are_of_another_process(local: Task) -> None:
    async with local.spawn(CLONE.FILES | CLONE.NEWUSER) as child:
        user = child.user_namespace
        await child.exec(TRUE)
        assert child.address_space is not local.address_space
        assert child.fd_table is not local.fd_table
        assert child.user_namespace is user


async def test_two_execs_at_once_give_one_program(local: Task) -> None:
    outcomes: list[object] = []
    async with local.spawn() as child:

        async def one() -> None:
            try:
                outcomes.append(await child.exec(FOREVER))
            except (ChildBusyError, TaskLostError) as error:
                outcomes.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(one)
            nursery.start_soon(one)
        assert sum(outcome is child.process for outcome in outcomes) == 1
        assert len(outcomes) == 2


async def test_a_program_that_ends_at_once_is_waited_for(local: Task) -> None:
    async with local.spawn() as child:
        process = await child.exec(TRUE)
        state = await process.waitid(W.EXITED)
        assert state is not None
        assert state.clean()


# which


async def test_which_finds_a_program_on_path(local: Task) -> None:
    async with local.spawn() as child:
        command = await child.which("sh")
        assert os.access(os.fsdecode(command.path()[:-1]), os.X_OK)
        assert command.args == ("sh",)
        assert (await (await child.exec(command.with_args("-c", "exit 0"))).wait()).clean()


async def test_which_takes_the_first_that_is_executable_and_no_directory(
    local: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "tool").mkdir()
    (tmp_path / "two" / "tool").write_text("not executable", encoding="ascii")
    (tmp_path / "three" / "tool").write_text("#!/bin/sh\n", encoding="ascii")
    (tmp_path / "three" / "tool").chmod(0o755)
    path = ":".join(str(tmp_path / name) for name in ("missing", "one", "two", "three"))
    monkeypatch.setenv("PATH", path)

    assert (await local.which("tool")).executable == str(tmp_path / "three" / "tool")


async def test_which_takes_a_path_as_it_is(local: Task) -> None:
    assert (await local.which("/bin/sh")).executable == "/bin/sh"


@pytest.mark.parametrize("name", ["no-such-program-here", ""])
async def test_which_of_what_is_not_there_is_a_named_error(local: Task, name: str) -> None:
    with pytest.raises(CommandNotFoundError) as caught:
        await local.which(name)
    assert isinstance(caught.value, FileNotFoundError)
    assert caught.value.filename == name


# refused


async def test_exec_in_the_interpreter_is_refused(local: Task) -> None:
    with pytest.raises(NotAChildError):
        await local.exec(TRUE)


async def test_fds_of_another_table_are_refused_before_anything_happens(local: Task) -> None:
    ours = await local.fs.open("/dev/null")
    async with local.spawn() as child:
        with pytest.raises(FDTableMismatchError):
            await child.exec(TRUE, stdin=ours)
        with pytest.raises(FDTableMismatchError):
            await child.exec(TRUE, stdout=ours)
        with pytest.raises(FDTableMismatchError):
            await child.exec(TRUE, stderr=ours)
        with pytest.raises(FDTableMismatchError):
            await child.exec(TRUE, pass_fds=[ours])
        assert await child.cred.getuid() == os.getuid()


async def test_a_closed_fd_is_refused(local: Task) -> None:
    async with local.spawn() as child:
        fd = await child.fs.open("/dev/null")
        await fd.close()
        with pytest.raises(FDClosedError):
            await child.exec(TRUE, stdin=fd)
        assert await child.cred.getuid() == os.getuid()


async def test_a_nul_byte_is_refused_and_loses_nothing(local: Task) -> None:
    async with local.spawn() as child:
        with nothing_left(local), pytest.raises(PathError):
            await child.exec(Command("/bin/true\0", ["true"]))
        assert (await (await child.exec(TRUE)).wait()).clean()


async def test_a_task_whose_table_a_child_shares_can_exec_too(local: Task) -> None:
    # the child would keep the server's end of the doorbell open, so that no end was ever seen
    async with local.spawn() as parent, parent.spawn(CLONE.FILES) as child:
        process = await parent.exec(FOREVER)

        assert await child.cred.getuid() == os.getuid()
        await process.kill()
