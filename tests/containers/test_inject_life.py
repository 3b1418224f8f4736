"""Inject: callables, the life of a multiprocessing.Process, and the ancestor's names."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Final, TypedDict, Unpack

import pytest
import trio

from rsyscall_ns import (
    CAP,
    CLONE,
    PIPE,
    CallablePickleError,
    Container,
    ContainerArgumentError,
    ContainerStateError,
    ForeignImportError,
    Inject,
    PidNamespaceDeadError,
    ResultPickleError,
    TargetEndedError,
    Task,
    UncleanExitError,
)
from tests.containers.test_namespace import KINDS
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT
from tests.support.procfs import link
from tests.support.zygotes import kill_zygote

SLEEPS: Final = ["sleep", "1000"]
ALIASES: Final = {
    "newcgroup": "cgroup",
    "newipc": "ipc",
    "newns": "mnt",
    "newnet": "net",
    "newtime": "time",
    "newuts": "uts",
}


class Taken(TypedDict, total=False):
    """What can be taken from a command."""

    capabilities: int
    no_new_privs: bool
    tty_injection: bool


def pid_of(task: Task) -> int:
    return task.process.near.id


def code(inject: Inject) -> int | None:
    return inject.exitcode


def add(a: int, b: int, *, more: int = 0) -> int:
    return a + b + more


def spaces() -> list[str]:
    return [os.readlink(f"/proc/self/ns/{kind}") for kind in KINDS]  # noqa: PTH115 - os alone


def late_import() -> str:
    import wave  # noqa: PLC0415 - that is what is tried

    return wave.__name__


@pytest.fixture
async def box(box: Task) -> Task:
    """Have a zygote before a test counts processes."""
    await Container(target=os.getpid).run()
    return box


async def test_a_callable_runs_in_all_that_were_asked_for(box: Task) -> None:
    with nothing_left():
        found = await Inject(pid_of(box), target=spaces, all=True).run()

    assert found == [link(pid_of(box), f"ns/{kind}") for kind in KINDS]


async def test_its_arguments_and_its_result_are_taken_along(box: Task) -> None:
    inject = Inject(pid_of(box), add, args=(1, 2), kwargs={"more": 3}, net=True, user=True)

    assert await inject.run() == 6
    assert inject.exitcode == 0


@pytest.mark.parametrize("alias", ALIASES)
async def test_the_ancestors_names_are_taken_too(box: Task, alias: str) -> None:
    choices = {"newuser": True, alias: True}
    found = await Inject(pid_of(box), spaces, **choices).run()  # type: ignore[arg-type] # as above

    kinds = {"user", ALIASES[alias]}
    for kind, there in zip(KINDS, found, strict=True):
        assert (there == link(pid_of(box), f"ns/{kind}")) == (
            kind in kinds or link(pid_of(box), f"ns/{kind}") == link("self", f"ns/{kind}")
        )


async def test_newpid_is_taken_too(box: Task) -> None:
    parent = await Inject(pid_of(box), os.getppid, newuser=True, newpid=True).run()

    assert parent == 0


async def test_a_path_of_a_namespace_file_is_taken_by_them_too(box: Task) -> None:
    place = f"/proc/{pid_of(box)}/ns"
    inject = Inject(os.getpid(), spaces, newuts=f"{place}/uts", newuser=Path(place, "user"))

    found = await inject.run()

    assert found[KINDS.index("uts")] == link(pid_of(box), "ns/uts")
    assert found[KINDS.index("net")] == link("self", "ns/net")


def test_names_that_contradict_each_other_or_mean_nothing_are_refused() -> None:
    with pytest.raises(ContainerArgumentError, match="something else"):
        Inject(os.getpid(), ["true"], net=True, newnet=False)
    with pytest.raises(ContainerArgumentError, match="no such thing"):
        Inject(os.getpid(), ["true"], network=True)  # type: ignore[call-arg] # that is tried
    with pytest.raises(ContainerArgumentError, match="callable's"):
        Inject(os.getpid(), ["true"], net=True, args=(1,))
    with pytest.raises(TypeError, match="all=True"):
        Inject(os.getpid(), os.getpid)


@pytest.mark.parametrize("pid", [False, True])
@pytest.mark.parametrize("target", [SLEEPS, signal.pause], ids=["command", "callable"])
async def test_it_lives_as_a_process_of_multiprocessing(
    box: Task, target: list[str], *, pid: bool
) -> None:
    with nothing_left():
        inject = Inject(
            pid_of(box), target, user=True, net=True, pid=pid, name="inner", daemon=True
        )
        assert inject.name == "inner"
        assert (inject.pid, inject.exitcode, inject.is_alive()) == (None, None, False)

        await inject.start()
        assert inject.pid is not None
        assert inject.ident == inject.pid
        if IS_ROOT or not callable(target):  # a callable's process is shut to others
            assert link(inject.pid, "ns/net") == link(pid_of(box), "ns/net")
        await inject.join(timeout=0)
        assert inject.is_alive()
        assert code(inject) is None
        with pytest.raises(ContainerStateError, match="was started"):
            await inject.start()

        await inject.terminate()
        await inject.join()
        assert not inject.is_alive()
        assert code(inject) == -signal.SIGTERM


@pytest.mark.parametrize("target", [SLEEPS, signal.pause], ids=["command", "callable"])
async def test_it_can_be_killed(box: Task, target: list[str]) -> None:
    with nothing_left():
        async with Inject(pid_of(box), target, all=True) as inject:
            await inject.kill()
            await inject.wait()

        assert code(inject) == -signal.SIGKILL


@pytest.mark.parametrize("target", [SLEEPS, signal.pause], ids=["command", "callable"])
async def test_leaving_its_block_ends_it(box: Task, target: list[str]) -> None:
    with nothing_left():
        async with Inject(pid_of(box), target, all=True) as inject:
            assert inject.is_alive()

    assert not inject.is_alive()


async def test_the_status_of_a_command_is_its_exit_code(box: Task) -> None:
    inject = Inject(pid_of(box), ["sh", "-c", "exit 7"], user=True, uts=True)
    await inject.start()
    await inject.join()

    assert inject.exitcode == 7


async def test_the_status_of_a_callable_is_as_with_multiprocessing(
    box: Task, tmp_path: Path
) -> None:
    for target, expected in ((os.getpid, 0), (add, 1)):
        inject = Inject(pid_of(box), target, all=True, stderr=tmp_path / "err")
        await inject.start()
        await inject.join()
        assert inject.exitcode == expected

    assert "TypeError" in (tmp_path / "err").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "target",
    [["sh", "-c", "read x; echo got $x"], lambda: print("got " + input())],  # noqa: T201 - that is tried
    ids=["command", "callable"],
)
async def test_its_streams_can_be_pipes(box: Task, target: list[str]) -> None:
    async with Inject(pid_of(box), target, all=True, stdin=PIPE, stdout=PIPE) as inject:
        assert inject.stdin is not None
        assert inject.stdout is not None
        await inject.stdin.send_all(b"it\n")
        assert [part async for part in inject.stdout] == [b"got it\n"]
        await inject.wait()


async def test_it_communicates_and_is_checked_as_a_container(box: Task) -> None:
    command = ["sh", "-c", "cat; exit 3"]
    async with Inject(pid_of(box), command, all=True, stdin=PIPE, stdout=PIPE) as inject:
        assert await inject.communicate(b"it") == (b"it", None)
        with pytest.raises(UncleanExitError):
            await inject.check()


STATUS: Final = ["grep", "-E", "^(CapBnd|CapEff|NoNewPrivs|Seccomp):", "/proc/self/status"]


@pytest.mark.parametrize("pid", [False, True])
@pytest.mark.parametrize("capture", [False, True])
async def test_rights_are_taken_from_a_command(
    box: Task, tmp_path: Path, *, pid: bool, capture: bool
) -> None:
    async def status(**taken: Unpack[Taken]) -> dict[str, int]:
        out = None if capture else tmp_path / "out"
        inject = Inject(pid_of(box), STATUS, user=True, uts=True, pid=pid, stdout=out, **taken)
        done = await inject.run(capture=capture)
        text = done.stdout.decode() if out is None else out.read_text(encoding="ascii")
        return {line.split(":")[0]: int(line.split(":")[1], 16) for line in text.splitlines()}

    wanted = CAP.CHOWN | CAP.KILL
    with nothing_left():
        limited = await status(capabilities=wanted, no_new_privs=True, tty_injection=False)
        plain = await status()

    assert limited == {"CapBnd": wanted, "CapEff": wanted, "NoNewPrivs": 1, "Seccomp": 2}
    assert plain["CapEff"] > wanted
    assert plain["NoNewPrivs"] == 0


async def test_rights_that_nobody_has_or_of_a_callable_are_refused(box: Task) -> None:
    with nothing_left(), pytest.raises(ContainerArgumentError, match="lacks"):
        await Inject(pid_of(box), STATUS, user=True, capabilities=CAP(1 << 60)).run()
    with pytest.raises(ContainerArgumentError, match="commands only"):
        Inject(pid_of(box), os.getpid, user=True, no_new_privs=True)


async def test_a_nursery_waits_for_it_and_a_cancel_kills_it(box: Task) -> None:
    with nothing_left():
        async with trio.open_nursery() as nursery:
            inject = await nursery.start(Inject(pid_of(box), SLEEPS, all=True).run_in_nursery)
            assert inject.is_alive()
            nursery.cancel_scope.cancel()

    assert code(inject) == -signal.SIGKILL


def test_one_that_was_left_running_is_waited_for_or_killed_with_the_run(tmp_path: Path) -> None:
    async def main(target: object, *, daemon: bool) -> Inject:
        assert callable(target)
        async with Container(["sleep", "1000"], user=True, uts=True) as c:
            assert c.pid is not None
            inject = Inject(c.pid, target, user=True, uts=True, daemon=daemon)
            await inject.start()
        return inject

    with nothing_left():
        assert trio.run(lambda: main((tmp_path / "there").touch, daemon=False)).exitcode == 0
        assert (tmp_path / "there").exists()
        killed = trio.run(lambda: main(signal.pause, daemon=True))
        assert not killed.is_alive()


async def test_nothing_is_called_when_one_of_them_cant_be_joined(
    local: Task, box: Task, tmp_path: Path
) -> None:
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as outer:
        await outer.ns.unshare(CLONE.NEWPID)
        async with outer.spawn():
            pass  # process 1 of a namespace that nobody can live in any more
        place = f"/proc/{pid_of(outer)}/ns"
        inject = Inject(
            pid_of(box),
            (tmp_path / "there").touch,
            user=f"{place}/user",
            pid=f"{place}/pid_for_children",
        )
        with nothing_left(), pytest.raises(PidNamespaceDeadError):
            await inject.run()

    assert not (tmp_path / "there").exists()


async def test_failures_are_named_and_the_next_one_works(box: Task) -> None:
    def of(target: object, *args: object) -> Inject:
        assert callable(target)
        return Inject(pid_of(box), target, args=args, all=True)

    with nothing_left():
        with pytest.raises(CallablePickleError, match="lock"):
            await of(print, threading.Lock()).run()
        with pytest.raises(ResultPickleError, match="lock"):
            await of(threading.Lock).run()
        with pytest.raises(TargetEndedError, match="KILL"):
            await of(die).run()
        with pytest.raises(ForeignImportError, match="wave"):
            await of(late_import).run()
    kill_zygote()

    assert await of(add, 1, 1).run() == 2


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
