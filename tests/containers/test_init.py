"""Process 1 of a container that is ours: it reaps, passes signals on, and tells how all ended."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from errno import EACCES
from pathlib import Path
from typing import Unpack

import pytest
import trio

from rsyscall_ns import (
    CLD,
    PIPE,
    ChildTask,
    Command,
    CommandNotFoundError,
    Completed,
    Container,
    ContainerArgumentError,
    DevMount,
    ExitStatusLostError,
    Task,
    TmpfsMount,
)
from rsyscall_ns.containers.options import Arguments
from tests.support.census import nothing_left
from tests.support.procview import fd_numbers, maps_of
from tests.support.roots import ROOT

PLAIN: Arguments = {"user": True, "pid": True, "mnt": True, "map_zero": True, "init": True}
FORKS = """
import os, sys
for turn in range(1000):
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.waitpid(child, 0)
while True:
    states = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                states.append((name, file.read().rsplit(")")[1].split()[0]))
        except OSError:
            pass
    if len(states) == 2:
        break
print(sorted(states))
"""


class Hooked(Container):
    """One that is made in steps."""

    async def preexec(self, task: ChildTask) -> None:
        await task.cred.getuid()


def box(
    command: list[str], way: type[Container] = Container, **more: Unpack[Arguments]
) -> Container:
    given: Arguments = {**PLAIN, **more}
    return way(command, **given)


async def line(stream: trio.abc.ReceiveStream | None) -> bytes:
    """Read one; an interpreter may write it in parts."""
    assert stream is not None
    found = b""
    while not found.endswith(b"\n"):
        part = await stream.receive_some()
        assert part
        found += part
    return found


async def said(container: Container) -> str:
    done: Completed = await container.run()
    assert done.exitcode == 0
    assert done.stdout is not None
    return done.stdout.decode()


def shown(pid: int | None) -> str:
    """Return what ps tells of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().removesuffix(b"\0").decode()


WAYS = [Container, Hooked]


@pytest.mark.parametrize("way", WAYS)
async def test_the_command_is_a_child_of_process_1(way: type[Container]) -> None:
    text = "echo $$ $PPID; cat /proc/1/comm"
    assert await said(box(["sh", "-c", text], way, stdout=PIPE)) == "2 1\nrsyscall-init\n"


@pytest.mark.parametrize("way", WAYS)
async def test_the_command_may_have_no_words_not_even_a_name(way: type[Container]) -> None:
    done: Completed = await way(Command("/bin/true", []), **PLAIN).run()
    assert done.exitcode == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "words", [["sleep", "1000"], ["sh", "-c", "read x; exit", "", "a\nb"]], ids=["short", "odd"]
)
async def test_ps_shows_the_command_for_it_and_nothing_else(
    way: type[Container], words: list[str]
) -> None:
    async with box(words, way, stdin=PIPE) as c:
        assert shown(c.pid) == f"rsyscall-init: {' '.join(words)}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [0, 1, 101, 102, 127, 130, 255])
async def test_its_exit_status_is_told(way: type[Container], status: int) -> None:
    done: Completed = await box(["sh", "-c", f"exit {status}"], way).run()
    assert (done.state.code, done.state.status) == (CLD.EXITED, status)
    assert done.exitcode == status


@pytest.mark.parametrize("sig", ["TERM", "KILL", "SEGV", "USR1", "RTMIN"])
async def test_the_signal_that_killed_it_is_told(sig: str) -> None:
    number = getattr(signal, f"SIG{sig}")
    text = "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); "
    text += f"os.kill(os.getpid(), {number})"
    c = box([sys.executable, "-Ic", text])
    state = (await c.run()).state
    assert (state.code, state.status) == (CLD.KILLED, number)
    assert c.exitcode == -number


async def test_the_exit_code_can_be_asked_for_before_anybody_waits() -> None:
    async with box(["sh", "-c", "read x; kill -TERM $$"], stdin=PIPE) as c:
        before = c.exitcode
        assert before is None
        assert c.stdin is not None
        await c.stdin.aclose()
        while c.is_alive():
            await trio.lowlevel.checkpoint()
        assert c.exitcode == -signal.SIGTERM
        state = await c.process.wait()
    assert state.killed_with() == signal.SIGTERM


@pytest.mark.parametrize("way", WAYS)
async def test_what_can_not_be_started_is_an_error_that_leaves_nothing(
    way: type[Container], tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    await box(["true"], way).run()
    with nothing_left():
        with pytest.raises(CommandNotFoundError):
            await box(["no-such-program"], way).run()
        with pytest.raises(FileNotFoundError) as missing:
            await box(["/no/such/program"], way).run()
        assert missing.value.filename == "/no/such/program"
        with pytest.raises(PermissionError) as shut:
            await box([str(plain)], way).run()
        assert shut.value.errno == EACCES


async def test_1000_double_forks_leave_no_zombie() -> None:
    found = await said(box([sys.executable, "-Ic", FORKS], stdout=PIPE))
    assert found in {"[('1', 'S'), ('2', 'R')]\n", "[('1', 'R'), ('2', 'R')]\n"}


async def test_without_init_they_are_zombies_for_good() -> None:
    """What the test above would find."""
    text = "import os\nif os.fork() == 0:\n  os.fork() or print(os.getpid())\n  os._exit(0)\n"
    text += "os.waitpid(-1, 0)\nwhile open('/proc/3/stat').read().split()[2] != 'Z': pass\n"
    await said(box([sys.executable, "-Ic", text], stdout=PIPE, init=False))


ECHO = """
import signal, sys
caught = signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
print("ready", flush=True)
while True:
    info = signal.sigwaitinfo(set(range(1, 65)) - {signal.SIGCHLD})
    print(info.si_signo, info.si_pid, flush=True)
    if info.si_signo == signal.SIGTERM:
        break
"""


async def test_signals_are_passed_on() -> None:
    async with box([sys.executable, "-Ic", ECHO], stdout=PIPE) as c:
        assert await line(c.stdout) == b"ready\n"
        for sig in (signal.SIGUSR1, signal.SIGINT, signal.SIGHUP, signal.SIGWINCH, 40, 64):
            await c.send_signal(sig)
            assert await line(c.stdout) == b"%d 1\n" % sig
        await c.terminate()
        assert (await c.wait()).exit_status == 0


async def test_terminate_ends_a_command_that_handles_nothing() -> None:
    async with box(["sleep", "1000"]) as c:
        await c.terminate()
        assert (await c.wait()).killed_with() == signal.SIGTERM


async def test_kill_ends_the_whole_container() -> None:
    async with box(["sh", "-c", "sleep 1000 & wait"]) as c:
        await c.kill()
        assert (await c.wait()).killed_with() == signal.SIGKILL


async def test_what_the_command_leaves_behind_ends_with_it() -> None:
    text = "import os, signal\nif os.fork() == 0:\n  os.setsid()\n  signal.pause()\n"
    # which ends when nobody has the other end of its output any more
    assert await said(box([sys.executable, "-Ic", text], stdout=PIPE)) == ""


async def test_its_streams_are_the_command_s_alone() -> None:
    text = "exec 1>&-; echo; read x"
    async with box(["sh", "-c", text], stdin=PIPE, stdout=PIPE) as c:
        assert c.stdout is not None
        assert c.stdin is not None
        assert await c.stdout.receive_some() == b""  # while it still runs
        assert c.is_alive()
        await c.stdin.aclose()
        await c.wait()


async def test_the_signal_mask_and_dispositions_are_those_of_any_command() -> None:
    text = ["grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"]
    found: list[str] = []
    old = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        for init in (False, True):
            async with box(text, stdout=PIPE, init=init) as c:
                assert c.stdout is not None
                found.append(b"".join([part async for part in c.stdout]).decode())
                with suppress(ExitStatusLostError):  # of our own child, before Linux 6.15
                    assert (await c.wait()).clean()  # which it learns of in any case
    finally:
        signal.signal(signal.SIGCHLD, old)
    assert found[0] == found[1]
    assert "SigBlk:\t0000000000000000" in found[0]


async def test_its_environment_and_arguments_are_the_command_s() -> None:
    text = ["sh", "-c", 'echo "$0" "$1" "$#" "$THERE"', "zero", "one", ""]
    c = box(text, env={"THERE": "yes"}, stdout=PIPE)
    assert await said(c) == "zero one 2 yes\n"


async def test_it_works_in_all_namespaces_with_a_root_of_its_own() -> None:
    mounts = [*ROOT, DevMount(), TmpfsMount("/x/y")]
    c = Container(
        ["sh", "-c", "cd /proc; echo [0-9]*"], all=True, mounts=mounts, init=True, stdout=PIPE
    )
    assert await said(c) == "1 2\n"


async def test_it_works_with_ids_that_are_nobody_s_outside() -> None:
    if os.getuid():
        return  # an ordinary user can be nobody else
    c = box(
        ["id", "-u"], stdout=PIPE, workdir="/", map_zero=False, uid_map="0 7 1", gid_map="0 7 1"
    )
    assert await said(c) == "0\n"


async def test_a_child_can_make_one(local: Task) -> None:
    async with local.spawn() as child:
        c = Container(["sh", "-c", "exit 7"], task=child, **PLAIN)
        assert (await c.run()).exitcode == 7


async def test_it_has_nothing_of_the_interpreter() -> None:
    async with box(["sh", "-c", "echo ready; read x"], stdin=PIPE, stdout=PIPE) as c:
        assert c.pid is not None
        await line(c.stdout)
        assert fd_numbers(c.pid) == set()
        names = {line.split(maxsplit=5)[5] for line in maps_of(c.pid) if len(line.split()) > 5}
        own = {"/memfd:rsyscall_ns-stub (deleted)", "/memfd:rsyscall_ns-init-page (deleted)"}
        assert {name for name in names if not name.startswith("[")} == own


async def test_it_needs_a_pid_namespace_and_a_command() -> None:
    with pytest.raises(ContainerArgumentError, match="pid=True"):
        Container(["true"], user=True, init=True)
    with pytest.raises(ContainerArgumentError, match="callable"):
        await Container(print, **PLAIN).run()
