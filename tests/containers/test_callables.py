"""Python callables in containers: results, errors, exit codes, streams, hooks."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final, Literal

import pytest
import trio

from rsyscall_ns import (
    CLONE,
    PIPE,
    CallablePickleError,
    Chroot,
    CloneFlagsError,
    Container,
    ContainerArgumentError,
    ContainerSetupError,
    RemoteTracebackError,
    ResultPickleError,
    RootMissingError,
    TargetEndedError,
    TmpfsMount,
    open_local_task,
)
from tests.support.census import Census, children
from tests.support.loopguard import unguarded_run
from tests.support.roots import ROOT

Method = Literal["zygote", "spawn"]
KINDS: Final = ("user", "pid", "mnt", "net", "uts", "ipc", "cgroup", "time")
BIG: Final = 100 << 20


@pytest.fixture(params=["zygote", "spawn"])
def method(request: pytest.FixtureRequest) -> Method:
    found: Method = request.param
    return found


def code(c: Container) -> int | None:
    return c.exitcode


def add(a: int, b: int, *, more: int = 0) -> int:
    return a + b + more


def where() -> dict[str, str]:
    return {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in KINDS}  # noqa: PTH115 - os alone


def refuse() -> None:
    error = ValueError("no such answer")
    error.add_note("asked in vain")
    raise error


def leave(status: object) -> None:
    sys.exit(status)  # type: ignore[arg-type] # as given


def die(sig: int) -> None:
    # process 1 of a namespace gets no signal from itself that it does not catch
    os.kill(os.getpid(), sig)


def talk() -> None:
    sys.stdout.write(sys.stdin.read().upper())
    sys.stderr.write("said")


class OneWay(Exception):  # noqa: N818 - an exception that can't be made again
    def __init__(self, first: int, second: int) -> None:
        super().__init__(first + second)


def one_way() -> None:
    raise OneWay(1, 2)


async def test_a_result_comes_back(method: Method) -> None:
    done = Container(target=add, args=(2, 3), kwargs={"more": 4}, all=True, start_method=method)

    assert await done.run() == 9


async def test_it_runs_in_the_namespaces_that_were_asked_for(method: Method) -> None:
    inside = await Container(target=where, all=True, start_method=method).run()

    ours = where()
    assert all(inside[kind] != ours[kind] for kind in KINDS)


async def test_it_is_process_one_of_a_new_pid_namespace(method: Method) -> None:
    assert await Container(target=os.getpid, user=True, pid=True, start_method=method).run() == 1


async def test_it_has_host_name_ids_and_loopback(method: Method) -> None:
    def look() -> tuple[str, int, str]:
        flags = int(Path("/sys/class/net/lo/flags").read_text(encoding="ascii"), 16)
        return os.uname().nodename, os.getuid(), "up" if flags & 1 else "down"

    container = Container(
        target=look,
        user=True,
        net=True,
        uts=True,
        map_zero=True,
        hostname="box",
        start_method=method,
    )

    name, uid, _ = await container.run()

    assert (name, uid) == ("box", 0)


async def test_it_has_the_root_that_was_described(method: Method) -> None:
    def look() -> tuple[list[str], str]:
        return sorted(os.listdir("/")), os.getcwd()  # noqa: PTH109, PTH208 - os alone

    mounts = [*ROOT, TmpfsMount("/only")]
    names, here = await Container(target=look, all=True, mounts=mounts, start_method=method).run()

    assert "only" in names
    assert "home" not in names
    assert here == "/"


async def test_chroot_takes_a_callable(tmp_path: Path) -> None:
    (tmp_path / "there").touch()

    names = await Chroot(tmp_path, target=os.listdir, args=("/",), user=True, mnt=True).run()

    assert names == ["there"]


async def test_without_namespaces_it_is_a_process_of_its_own(method: Method) -> None:
    pid, parent = await Container(
        target=lambda: (os.getpid(), os.getppid()), start_method=method
    ).run()

    assert pid != os.getpid()
    assert parent == os.getpid()


async def test_its_directory_and_environment_are_those_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    await Container(target=os.getpid).run()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SET_NOW", "1")

    def look() -> tuple[str, str | None, str | None]:
        return os.getcwd(), os.environ.get("SET_NOW"), os.environ.get("MORE")  # noqa: PTH109 - os alone

    found = await Container(target=look, env={"MORE": "2"}, start_method=method).run()

    assert found == (str(tmp_path), "1", "2")


async def test_an_exception_is_raised_here_with_its_notes_and_traceback(method: Method) -> None:
    with pytest.raises(ValueError, match="no such answer") as caught:
        await Container(target=refuse, all=True, start_method=method).run()

    assert caught.value.__notes__ == ["asked in vain"]
    assert isinstance(caught.value.__cause__, RemoteTracebackError)
    assert "in refuse" in str(caught.value.__cause__)


def not_here() -> None:
    raise ModuleNotFoundError


class Untaken:
    """Pickled, and not to be made again."""

    def __reduce__(self) -> tuple[object, ...]:
        return not_here, ()


async def test_what_cannot_be_unpickled_is_named(method: Method) -> None:
    with pytest.raises(CallablePickleError, match="ModuleNotFoundError"):
        await Container(target=add, args=(Untaken(), 1), start_method=method).run()


async def test_what_cannot_be_pickled_is_refused_before_it_is_started(method: Method) -> None:
    before = children()

    with pytest.raises(CallablePickleError, match="lock"):
        await Container(target=add, args=(threading.Lock(), 1), start_method=method).run()

    assert children() == before


async def test_a_result_that_cannot_be_pickled_is_named(method: Method) -> None:
    with pytest.raises(ResultPickleError, match="lock"):
        await Container(target=threading.Lock, start_method=method).run()

    assert await Container(target=add, args=(1, 1), start_method=method).run() == 2


async def test_an_exception_that_cannot_be_made_again_is_named(method: Method) -> None:
    with pytest.raises(ResultPickleError, match="OneWay") as caught:
        await Container(target=one_way, start_method=method).run()

    assert "in one_way" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [(os._exit, (3,), 3), (leave, (4,), 4), (die, (signal.SIGKILL,), -9)],
)
async def test_a_process_that_ends_without_a_result_is_named(
    function: object, args: tuple[int], expected: int, method: Method
) -> None:
    assert callable(function)
    container = Container(target=function, args=args, user=True, start_method=method)

    with pytest.raises(TargetEndedError):
        await container.run()

    assert container.exitcode == expected
    assert await Container(target=add, args=(1, 1), start_method=method).run() == 2


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [(add, (1, 2), 0), (refuse, (), 1), (leave, (None,), 0), (leave, (7,), 7), (leave, ("x",), 1)],
)
async def test_exit_codes_are_those_of_multiprocessing(
    function: object, args: tuple[int, ...], expected: int, method: Method, tmp_path: Path
) -> None:
    assert callable(function)
    c = Container(
        target=function,
        args=args,
        user=True,
        pid=True,
        stderr=tmp_path / "err",
        start_method=method,
    )

    await c.start()
    assert c.pid is not None
    await c.join()

    assert code(c) == expected
    assert not c.is_alive()


async def test_an_exception_that_nobody_waits_for_is_written(
    tmp_path: Path, method: Method
) -> None:
    c = Container(target=refuse, stderr=tmp_path / "err", start_method=method)

    await c.start()
    await c.join()

    assert "ValueError: no such answer" in (tmp_path / "err").read_text(encoding="utf-8")


async def test_join_gives_up_and_kill_ends_it(method: Method) -> None:
    async with Container(target=signal.pause, user=True, pid=True, start_method=method) as c:
        await c.join(timeout=0)
        assert c.is_alive()
        assert code(c) is None
        await c.kill()
        await c.wait()

    assert code(c) == -9


async def test_its_streams_are_pipes(method: Method) -> None:
    c = Container(target=talk, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_method=method)

    await c.run(b"loud")

    assert c.completed is not None
    assert (c.completed.stdout, c.completed.stderr) == (b"LOUD", b"said")


async def test_its_streams_are_files(tmp_path: Path, method: Method) -> None:
    (tmp_path / "in").write_text("loud", encoding="ascii")
    with (tmp_path / "err").open("w", encoding="ascii") as err:
        await Container(
            target=talk,
            stdin=tmp_path / "in",
            stdout=tmp_path / "out",
            stderr=err.fileno(),
            start_method=method,
        ).run()

    assert (tmp_path / "out").read_text(encoding="ascii") == "LOUD"
    assert (tmp_path / "err").read_text(encoding="ascii") == "said"


def test_large_arguments_and_results_work(method: Method) -> None:
    async def main() -> int:
        content = bytes(BIG)
        container = Container(target=bytes.__add__, args=(content, b"x"), start_method=method)
        return len(await container.run())

    # what pickles it holds the loop
    assert unguarded_run(main) == BIG + 1


async def test_a_process_that_it_forked_and_left_keeps_nobody_waiting(method: Method) -> None:
    reading, writing = os.pipe()

    def fork() -> None:
        if os.fork() == 0:
            os.read(0, 1)
        os._exit(5)

    container = Container(target=fork, stdin=reading, start_method=method)
    with pytest.raises(TargetEndedError):
        await container.run()
    os.close(reading)
    os.close(writing)

    assert container.exitcode == 5


async def test_a_failing_step_is_raised_here_and_nothing_runs(
    tmp_path: Path, method: Method
) -> None:
    container = Container(
        target=(tmp_path / "ran").touch, user=True, workdir="/not/there", start_method=method
    )

    with pytest.raises(OSError, match="no working directory") as caught:
        await container.run()

    assert caught.value.filename == "/not/there"
    assert not (tmp_path / "ran").exists()
    with pytest.raises(RootMissingError):
        await Container(target=os.getpid, rootdir=tmp_path / "gone", start_method=method).run()


async def test_what_a_callable_cannot_have_is_refused() -> None:
    with pytest.raises(ContainerArgumentError, match="magic"):
        Container(target=os.getpid, start_method="magic")
    with pytest.raises(ContainerArgumentError, match="callable"):
        Container(["true"], args=(1,))
    with pytest.raises(CloneFlagsError):
        Container(target=os.getpid, files=True)
    with pytest.raises(ContainerArgumentError, match="shares nothing"):
        await Container(target=os.getpid, io=True).run()
    async with open_local_task() as task, task.spawn(CLONE(0)) as child:
        with pytest.raises(ContainerArgumentError, match="this interpreter"):
            await Container(target=os.getpid, task=child).run()


async def test_nothing_is_left_by_any_end(method: Method) -> None:
    await Container(target=os.getpid).run()
    before = Census.take()

    await Container(target=add, args=(1, 2), all=True, start_method=method).run()
    with pytest.raises(ValueError, match="answer"):
        await Container(target=refuse, start_method=method).run()
    with pytest.raises(TargetEndedError):
        await Container(target=os._exit, args=(1,), start_method=method).run()
    with pytest.raises((OSError, ContainerSetupError)):
        await Container(target=add, user=True, workdir="/not/there", start_method=method).run()
    with trio.move_on_after(0.05):
        await Container(target=signal.pause, all=True, start_method=method).run()

    before.assert_same(Census.take())


async def test_a_cancelled_nursery_kills_it(method: Method) -> None:
    async with trio.open_nursery() as nursery:
        container = Container(target=signal.pause, user=True, pid=True, start_method=method)
        c = await nursery.start(container.run_in_nursery)
        assert c.is_alive()
        nursery.cancel_scope.cancel()

    assert code(c) == -9
