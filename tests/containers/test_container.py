"""Container: the life of one, from the outside."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import cast

import pytest
import trio
import trio.testing

from rsyscall_ns import (
    CLONE,
    DEVNULL,
    PIPE,
    BindMount,
    ChildState,
    CommandNotFoundError,
    Container,
    ContainerArgumentError,
    ContainerStateError,
    MountError,
    NamespaceNotAllowedError,
    PathError,
    Task,
    UncleanExitError,
)
from rsyscall_ns.containers.options import Arguments
from tests.support.census import Census, children, nothing_left
from tests.support.children import is_alive

NAMESPACES = ("user", "pid", "mnt", "net", "uts", "ipc", "cgroup", "time")
LINKS = (
    'for k in user pid mnt net uts ipc cgroup time; do echo "$k $(readlink /proc/self/ns/$k)"; done'
)


def arguments(**given: bool) -> Arguments:
    """Return arguments whose names are known only now."""
    return cast("Arguments", given)


def code(c: Container) -> int | None:
    """Return the exit code of now."""
    return c.exitcode


def ours() -> dict[str, str]:
    return {kind: str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in NAMESPACES}


async def test_the_example_of_the_page_works() -> None:
    script = "id -u; hostname"
    async with Container(
        ["sh", "-c", script], user=True, uts=True, map_zero=True, hostname="box", stdout=PIPE
    ) as c:
        out, err = await c.communicate()
        state = await c.wait()

    assert out == b"0\nbox\n"
    assert err is None
    assert state.clean()


async def test_run_returns_status_and_output() -> None:
    done = await Container(
        ["sh", "-c", "cat; echo error >&2; exit 3"], all=True, stdin=PIPE, stdout=PIPE, stderr=PIPE
    ).run(b"input")

    assert (done.exitcode, done.stdout, done.stderr) == (3, b"input", b"error\n")
    with pytest.raises(UncleanExitError):
        done.check()


@pytest.mark.parametrize("kind", NAMESPACES)
async def test_each_kind_gives_a_namespace_of_its_own(kind: str) -> None:
    wanted = arguments(user=True) | arguments(**{kind: True})
    wanted["stdout"] = PIPE
    done = await Container(["sh", "-c", LINKS], **wanted).run()
    assert done.stdout is not None
    theirs = dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())
    if kind != "pid":  # its processes are not in the old /proc by their own ids
        assert {name for name in NAMESPACES if theirs[name] != ours()[name]} == {"user", kind}


async def test_all_gives_all_eight_and_false_takes_one_out() -> None:
    for without in ("", "net"):
        given = arguments(**{without: False}) if without else arguments()
        given |= {"all": True, "stdout": PIPE}
        done = await Container(["sh", "-c", LINKS], **given).run()
        assert done.stdout is not None
        theirs = dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())
        changed = {name for name in NAMESPACES if theirs[name] != ours()[name]}
        assert changed == set(NAMESPACES) - {without}


async def test_it_lives_like_a_process_of_multiprocessing() -> None:
    c = Container(["sleep", "1000"], user=True, pid=True, name="sleeper")
    assert (c.pid, c.ident, c.exitcode, c.is_alive(), c.name) == (
        None,
        None,
        None,
        False,
        "sleeper",
    )
    with nothing_left():
        await c.start()
        assert c.pid is not None
        assert c.ident == c.pid
        assert is_alive(c.pid)
        assert c.is_alive()
        assert code(c) is None
        await c.kill()
        await c.join()
        assert not c.is_alive()
        assert code(c) == -signal.SIGKILL
    assert "sleeper" in repr(c)
    assert str(c.pid) in repr(c)


def test_join_times_out_on_time() -> None:
    clock = trio.testing.MockClock()
    returned: list[float] = []

    async def main() -> None:
        async with Container(["sleep", "1000"], user=True) as c, trio.open_nursery() as nursery:

            async def join() -> None:
                await c.join(timeout=7.5)
                returned.append(trio.current_time())

            start = trio.current_time()
            nursery.start_soon(join)
            await trio.testing.wait_all_tasks_blocked()
            clock.jump(7.25)
            await trio.testing.wait_all_tasks_blocked()
            assert returned == []
            clock.jump(0.25)
            await trio.testing.wait_all_tasks_blocked()
            assert returned == [start + 7.5]
            assert c.is_alive()
            assert code(c) is None

    trio.run(main, clock=clock)


async def test_exitcode_tells_before_anyone_has_waited() -> None:
    async with Container(["sh", "-c", "read x; exit 5"], user=True, stdin=PIPE) as c:
        assert code(c) is None
        assert c.stdin is not None
        await c.stdin.aclose()
        while c.is_alive():
            await trio.lowlevel.checkpoint()
        assert code(c) == 5
        assert (await c.wait()).exit_status == 5


async def test_signals_to_one_that_has_ended_do_nothing() -> None:
    async with Container(["true"], user=True) as c:
        await c.wait()
        await c.kill()
        await c.terminate()


async def test_leaving_the_block_kills() -> None:
    with nothing_left():
        async with Container(["sleep", "1000"], all=True, stdout=PIPE, stdin=PIPE) as c:
            pid = c.pid
        assert pid is not None
        assert not is_alive(pid)
        assert code(c) == -signal.SIGKILL


async def test_a_nursery_waits_for_it_and_a_cancel_kills_it() -> None:
    with nothing_left():
        async with trio.open_nursery() as nursery:
            first = Container(["sh", "-c", "exit 4"], user=True)
            given = await nursery.start(first.run_in_nursery)
            assert given is first
        assert first.exitcode == 4
        async with trio.open_nursery() as nursery:
            second = Container(["sleep", "1000"], user=True)
            await nursery.start(second.run_in_nursery)
            nursery.cancel_scope.cancel()
        assert second.exitcode == -signal.SIGKILL


async def test_a_failing_start_in_a_nursery_raises_there() -> None:
    container = Container(["no-such-command"], user=True)
    async with trio.open_nursery() as nursery:
        with pytest.raises(CommandNotFoundError):
            await nursery.start(container.run_in_nursery)


async def test_it_starts_once_only() -> None:
    async with Container(["true"], user=True) as c:
        with pytest.raises(ContainerStateError, match="was started"):
            await c.start()
        await c.wait()
    with pytest.raises(ContainerStateError, match="make another"):
        await c.start()


async def test_what_needs_a_process_is_refused_before() -> None:
    c = Container(["true"])
    for call in (c.wait, c.join, c.kill, c.terminate, c.id_maps):
        with pytest.raises(ContainerStateError, match="start"):
            await call()


async def test_a_start_that_failed_can_be_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "program"
    c = Container([str(program)], user=True)
    with nothing_left(), pytest.raises(FileNotFoundError) as caught:
        await c.start()
    assert caught.value.filename == str(program)
    program.write_text("#!/bin/sh\nexit 6\n")
    program.chmod(0o755)
    await c.start()
    assert (await c.wait()).exit_status == 6


async def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    with nothing_left(), pytest.raises(CommandNotFoundError) as caught:
        await Container(["no-such-command"], user=True, env={"PATH": "/bin:/usr/bin"}).run()
    assert caught.value.filename == "no-such-command"
    (tmp_path / "tool").write_text("no program")
    with nothing_left(), pytest.raises(PermissionError):
        await Container(["tool"], user=True, env={"PATH": f"{tmp_path}:/bin"}).run()


@pytest.mark.parametrize("command", ["ls", b"ls"])
def test_one_string_is_no_command(command: str) -> None:
    with pytest.raises(PathError, match="list"):
        Container(command)


def test_no_string_is_no_command() -> None:
    with pytest.raises(ValueError, match="one string at least"):
        Container([])


async def test_env_changes_the_environment() -> None:
    env = {"COLOUR": "green", "HOME": None}
    done = await Container(
        ["sh", "-c", "echo $COLOUR ${HOME-none}"], user=True, env=env, stdout=PIPE
    ).run()

    assert done.stdout == b"green none\n"


async def test_a_given_task_makes_it_and_stays_open(local: Task) -> None:
    with nothing_left(local):
        done = await Container(["true"], user=True, task=local).run()
        assert done.exitcode == 0
    assert await local.cred.getuid() == os.getuid()


async def test_a_child_can_make_one_in_its_own_namespaces(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWUTS, uid_map=True, gid_map=True) as child:
        await child.ns.sethostname("outer")
        with nothing_left(local):
            container = Container(["sh", "-c", "test $(hostname) = outer"], task=child, user=True)
            assert (await container.run()).exitcode == 0
        with pytest.raises(ContainerArgumentError, match="streams"):
            await Container(["true"], task=child, stdout=PIPE).run()


async def test_nothing_changes_for_the_caller() -> None:
    before, here, mask = ours(), Path.cwd(), Census.take()
    done = await Container(
        ["sh", "-c", "cd /; umask 0; exit 0"], all=True, workdir="/", stdout=DEVNULL
    ).run()

    assert done.exitcode == 0
    assert (ours(), Path.cwd()) == (before, here)
    mask.assert_same(Census.take())


async def test_several_waiters_get_the_same_state() -> None:
    states: list[ChildState] = []
    async with Container(["sh", "-c", "exit 2"], user=True) as c, trio.open_nursery() as nursery:

        async def wait() -> None:
            states.append(await c.wait())

        for _ in range(3):
            nursery.start_soon(wait)
    assert [state.exit_status for state in states] == [2, 2, 2]


async def test_many_at_once() -> None:
    codes: list[int | None] = []

    async def one(number: int) -> None:
        done = await Container(["sh", "-c", f"exit {number}"], user=True, pid=True).run()
        codes.append(done.exitcode)

    with nothing_left():
        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(one, number)
    assert sorted(code for code in codes if code is not None) == list(range(20))


def test_flags_can_be_given_as_they_are() -> None:
    c = Container(["true"], flags=CLONE.NEWUSER | CLONE.NEWUTS)

    assert c.options.flags == CLONE.NEWUSER | CLONE.NEWUTS


def test_at_the_end_of_the_run_it_is_waited_for_or_killed(tmp_path: Path) -> None:
    before = children()
    made: list[Container] = []

    async def main(script: str, *, daemon: bool) -> None:
        c = Container(["sh", "-c", script], user=True, daemon=daemon)
        await c.start()
        made.append(c)

    trio.run(lambda: main(f"echo done > {tmp_path}/file", daemon=False))
    assert (tmp_path / "file").read_text() == "done\n"
    assert made[0].exitcode == 0
    trio.run(lambda: main("exec sleep 1000", daemon=True))
    assert made[1].exitcode == -signal.SIGKILL
    assert children() == before


def test_daemonized_it_outlives_the_run_in_a_session_of_its_own(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    seen: list[int] = []

    async def main() -> None:
        script = f"ls -l /proc/self/fd > {tmp_path}/fds; echo ready > {fifo}; read x < {fifo}"
        c = Container(["sh", "-c", script], user=True, daemonize=True)
        await c.start()
        assert c.pid is not None
        seen.append(c.pid)
        assert os.getsid(c.pid) == c.pid

    trio.run(main)
    assert fifo.read_text() == "ready\n"
    assert is_alive(seen[0])
    fds = (tmp_path / "fds").read_text()
    assert fds.count("/dev/null") == 2, fds  # and standard output is the file itself
    fifo.write_text("go\n")
    assert os.waitstatus_to_exitcode(os.waitpid(seen[0], 0)[1]) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may have any namespace")
async def test_what_can_not_be_isolated_never_runs(tmp_path: Path) -> None:
    with nothing_left(), pytest.raises(NamespaceNotAllowedError):
        await Container(["touch", str(tmp_path / "ran")], net=True).run()
    assert not (tmp_path / "ran").exists()


async def test_a_command_behind_a_mount_that_fails_never_runs(tmp_path: Path) -> None:
    mounts = [BindMount(tmp_path, "/no/such/place")]
    with nothing_left(), pytest.raises(MountError):
        await Container(["touch", str(tmp_path / "ran")], user=True, mnt=True, mounts=mounts).run()
    assert not (tmp_path / "ran").exists()
