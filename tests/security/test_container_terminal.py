"""2017-5226, 2019-10063: who is in a container pushes no input into the terminal outside."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from errno import EPERM
from pathlib import Path
from platform import machine
from typing import Final

import pytest

from rsyscall_ns import (
    AUDIT_ARCH,
    PIPE,
    ChildTask,
    Container,
    ContainerSetupError,
    FilterProgram,
    SeccompData,
)
from rsyscall_ns.containers.confinement import terminal_filter
from rsyscall_ns.containers.options import Arguments

TIOCSTI, TIOCLINUX = 0x5412, 0x541C
HIGH: Final = (0, 1 << 32, 0xFFFFFFFF << 32)
ALLOWED, DENIED = 0x7FFF0000, 0x00050000 | EPERM
I386, ARM = 0x40000003, 0x40000028
X32: Final = 0x40000000
OWN: Final = {"x86_64": (AUDIT_ARCH.X86_64, 16), "aarch64": (AUDIT_ARCH.AARCH64, 29)}
STATUS: Final = Path("/proc/self/status").read_text(encoding="ascii")
PRIVS: Final = "NoNewPrivs:\t1" in STATUS
# with the terminal as its own, which is what TIOCSTI asks for
PUSHES: Final = f"""
import ctypes, fcntl, os, termios
os.fork() and os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
libc = ctypes.CDLL(None, use_errno=True)
for request in {[TIOCSTI, TIOCLINUX]}:
    for high in {list(HIGH)}:
        letter = ctypes.create_string_buffer(b"\\x02")
        word = ctypes.c_ulong(request | high)
        done = libc.syscall(ctypes.c_long({OWN[machine()][1]}), ctypes.c_long(0), word, letter)
        print(0 if done == 0 else ctypes.get_errno())
"""
COMMAND: Final = [sys.executable, "-Ic", PUSHES]


class Hooked(Container):
    """One that is made in steps."""

    async def preexec(self, task: ChildTask) -> None:
        await task.cred.getuid()


@pytest.fixture
def terminal() -> Iterator[int]:
    ours, theirs = os.openpty()
    yield theirs
    os.close(ours)
    os.close(theirs)


async def errors(way: type[Container], terminal: int, **more: object) -> list[int]:
    given: Arguments = {"user": True, "map_zero": True, "stdin": terminal, "stdout": PIPE}
    given.update(more)  # type: ignore[typeddict-item] # each test gives known ones
    done = await way(COMMAND, **given).run()
    assert done.exitcode == 0
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize("way", [Container, Hooked])
@pytest.mark.parametrize("init", [False, True])
async def test_tiocsti_and_tioclinux_fail_inside_whatever_their_high_bits(
    terminal: int, way: type[Container], *, init: bool
) -> None:
    assert await errors(way, terminal, pid=init, init=init) == [EPERM] * 2 * len(HIGH)


async def test_without_the_filter_the_kernel_would_see_them(terminal: int) -> None:
    """What the test above would find: success, or another error where the kernel denies it."""
    found = await errors(Container, terminal, tty_injection=True)
    assert len(found) == 2 * len(HIGH)
    assert EPERM not in found


async def test_a_process_of_a_container_that_gets_a_terminal_later_can_not_either() -> None:
    """As with ``openpty`` inside, when the caller said that nothing may be pushed."""
    text = "import os; ours, theirs = os.openpty(); os.dup2(theirs, 0)\n" + PUSHES
    c = Container(
        [sys.executable, "-Ic", text], user=True, map_zero=True, tty_injection=False, stdout=PIPE
    )
    assert set((await c.run()).stdout.split()) == {str(EPERM).encode()}


def filters(text: str) -> int:
    """Return how many filters of system calls a process has."""
    return int(text.partition("Seccomp_filters:")[2].split()[0])


# there may be some around all tests
BEFORE: Final = filters(STATUS)


async def test_there_is_a_filter_with_a_terminal_only(terminal: int) -> None:
    def counted(given: Arguments) -> Container:
        return Container(["cat", "/proc/self/status"], stdout=PIPE, **given)  # type: ignore[misc] # no other stdout

    expected: list[tuple[Arguments, int]] = [
        ({"user": True, "stdin": terminal}, 1),
        ({"user": True, "stdin": terminal, "tty_injection": True}, 0),
        ({"user": True, "tty_injection": False}, 1),
        ({"stdin": terminal}, 0),  # nothing confines it
    ]
    for given, more in expected:
        done = await counted(given).run()
        assert filters(done.stdout.decode()) == BEFORE + more


@pytest.mark.parametrize("request_", [TIOCSTI, TIOCLINUX])
@pytest.mark.parametrize("high", HIGH)
def test_every_way_to_call_ioctl_is_filtered(request_: int, high: int) -> None:
    program = FilterProgram.unpack(terminal_filter())
    arch, number = OWN[machine()]
    ways = [(arch, number), (I386 if machine() == "x86_64" else ARM, 54)]
    if machine() == "x86_64":
        ways += [(arch, number | X32), (arch, 514 | X32), (arch, 514)]
    for convention, nr in ways:
        for arguments, answer in (
            ({"arg1": request_ | high}, DENIED),
            ({"arg0": request_, "arg1": 0x5413}, ALLOWED),
        ):
            data = SeccompData(nr=nr, arch=convention, **arguments)
            assert program.answer(data.pack()) == answer
    for nr in (0, 1, 59, 231, 1000):
        assert program.answer(SeccompData(nr=nr, arch=arch, arg1=request_).pack()) == ALLOWED


async def test_without_no_new_privs_and_rights_it_is_an_error(terminal: int) -> None:
    if os.getuid() == 0 or PRIVS:
        return  # root may filter itself in any case, and so may who can get no more
    c = Container(["true"], stdin=terminal, tty_injection=False, no_new_privs=False)
    with pytest.raises(ContainerSetupError, match="no_new_privs"):
        await c.run()


def own_status() -> str:
    """Return what a callable's process is."""
    return Path("/proc/self/status").read_text(encoding="ascii")


@pytest.mark.parametrize("method", ["zygote", "spawn"])
async def test_a_callable_is_kept_from_it_as_a_command_is(method: str) -> None:
    container = Container(own_status, user=True, tty_injection=False, start_method=method)
    found = await container.run()
    assert filters(found) == BEFORE + 1
    assert "NoNewPrivs:\t1" in found
