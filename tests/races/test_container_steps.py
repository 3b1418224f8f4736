"""Container: a cancel, a kill or an error at every single step leaves nothing."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trio

from rsyscall_ns import (
    CAP,
    PIPE,
    ChildTask,
    Command,
    Completed,
    Container,
    DevMount,
    ExitStatusLostError,
    TmpfsMount,
)
from rsyscall_ns.containers.options import Arguments
from tests.support.census import nothing_left
from tests.support.children import wait_for_any
from tests.support.hurt import HURTS, Hurt, at_each_step
from tests.support.loopguard import beside_a_thread
from tests.support.procfs import mountinfo
from tests.support.roots import ROOT
from tests.support.steps import Steps


class Hooked(Container):
    """One that is made in steps."""

    async def preup(self, task: ChildTask) -> None:
        await task.cred.getuid()

    async def preexec(self, task: ChildTask) -> None:
        await task.fs.mkdir("/made")


def plain(folder: Path) -> Container:
    """Everything at once, in all namespaces."""
    mounts = [*ROOT, DevMount(), TmpfsMount("/x/y")]
    return Container(["sh", "-c", "exit 7"], all=True, mounts=mounts, stdout=folder / "out")


def hooked(folder: Path) -> Container:
    """In steps."""
    given = [*ROOT, TmpfsMount("/x/y")]
    out = folder / "out"
    return Hooked(["sh", "-c", "exit 7"], user=True, mnt=True, mounts=given, stdout=out)


def piped(folder: Path) -> Container:
    """With pipes, and a map that is written from outside."""
    del folder
    return Container(["sh", "-c", "exit 7"], user=True, map_zero=True, stdin=PIPE, stdout=PIPE)


def supervised(folder: Path) -> Container:
    """Below a process 1 of ours."""
    mounts, out = [*ROOT, DevMount()], folder / "out"
    return Container(["sh", "-c", "exit 7"], all=True, init=True, mounts=mounts, stdout=out)


def supervised_in_steps(folder: Path) -> Container:
    """With hooks too, and no command of that name in the first place that it is looked for."""
    given = [*ROOT, TmpfsMount("/x/y")]
    command = Command("/no/such", ["sh", "-c", "exit 7"], elsewhere=["/bin/sh"])
    return Hooked(
        command, user=True, pid=True, mnt=True, init=True, mounts=given, stdout=folder / "out"
    )


MAKERS = [plain, hooked, piped, supervised, supervised_in_steps]
Make = Callable[[Path], Container]


async def use(container: Container) -> int:
    done: Completed = await container.run()
    return done.exitcode


def cgroups() -> frozenset[str]:
    """Return the cgroups below our own, in each tree that there is."""
    found: set[str] = set()
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, names, path = line.split(":", 2)
        for place in (f"/sys/fs/cgroup{path}", f"/sys/fs/cgroup/{names}{path}"):
            found |= {folder for folder, _, _ in os.walk(place)}
    return frozenset(found)


@contextmanager
def all_flat(folder: Path) -> Generator[None]:
    """Assert that the block leaves as many fds, processes, mounts, cgroups and files as before."""
    before = mountinfo(), cgroups(), sorted(folder.rglob("*"))
    with nothing_left():
        yield
    assert (mountinfo(), cgroups(), sorted(folder.rglob("*"))) == before


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have temporary files made in a folder of the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    (tmp_path / "out").touch()
    return tmp_path


@pytest.mark.parametrize("hurt", HURTS, ids=str)
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
async def test_a_container_hurt_at_any_step(
    steps: Steps, temporary: Path, make: Make, hurt: Hurt
) -> None:
    flat = partial(all_flat, temporary)
    await at_each_step(steps, hurt, lambda: use(make(temporary)), expected=7, least=5, flat=flat)


async def test_mounts_take_no_more_round_trips(steps: Steps) -> None:
    counts: list[int] = []
    for mounts in (ROOT, [*ROOT, DevMount(), *(TmpfsMount(f"/a/b/{name}") for name in "cdefgh")]):
        for _ in range(2):  # the first time something may be opened that is kept
            steps.arm(-1, lambda: None)
            c = Container(["true"], user=True, pid=True, mnt=True, mounts=mounts)
            await c.run()
            steps.disarm()
        counts.append(steps.steps)
    assert counts[0] == counts[1]


async def test_what_is_taken_takes_no_more_round_trips(steps: Steps) -> None:
    counts: list[int] = []
    for taken in (False, True):
        for _ in range(2):
            steps.arm(-1, lambda: None)
            given: Arguments = {"user": True, "pid": True, "map_zero": True}
            given |= {"no_new_privs": taken, "tty_injection": not taken}
            if taken:
                given["capabilities"] = CAP.CHOWN
            await Container(["true"], **given).run()
            steps.disarm()
        counts.append(steps.steps)
    assert counts[0] == counts[1]


async def test_a_status_that_somebody_else_took_is_never_made_up() -> None:
    async with Container(["sh", "-c", "read x; exit 7"], user=True, stdin=PIPE) as c:
        assert c.stdin is not None
        assert c.pid is not None
        await c.stdin.aclose()
        while c.is_alive():
            await trio.lowlevel.checkpoint()
        assert wait_for_any() == (c.pid, 7)
        with suppress(ExitStatusLostError):
            assert (await c.wait()).exit_status == 7
    assert c.exitcode in {7, None}


async def test_with_sigchld_ignored_a_status_is_right_or_an_error() -> None:
    old = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with nothing_left(), suppress(ExitStatusLostError):
            assert await use(Container(["sh", "-c", "exit 7"], user=True)) == 7
    finally:
        signal.signal(signal.SIGCHLD, old)


async def test_a_bad_map_leaves_nothing() -> None:
    used = os.getuid() + 1_000_000
    for bad in ("0 0 1,0 1 1", "nonsense", [0] * 400):
        with nothing_left(), pytest.raises(ValueError, match="id map"):
            await use(Container(["true"], user=True, uid_map=bad))
    if os.getuid():
        with nothing_left(), pytest.raises(PermissionError, match="map"):
            await use(Container(["true"], user=True, uid_map=f"0 {used} 1"))


async def test_many_start_while_another_thread_runs_python() -> None:
    with nothing_left():
        async with beside_a_thread(lambda: sum(range(1000))):
            for _ in range(100):
                async with trio.open_nursery() as nursery:
                    for _ in range(2):
                        container = Container(["true"], user=True, pid=True)
                        nursery.start_soon(container.run)
