"""A callable in namespaces of others is out of the reach of those in there, and loads nothing.

2016-9962 (ptrace on joining), 2016-8659 (a helper that has privileges is dumpable),
2019-14271 (code loaded inside).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import sysconfig
from collections.abc import AsyncIterator, Callable
from errno import EPERM
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from rsyscall_ns import (
    IN,
    NS_ALL,
    NS_MNT,
    NS_USER,
    PIPE,
    SYS,
    ForeignImportError,
    Inject,
    InotifyFD,
    Namespace,
    O,
    Task,
)
from tests.security.test_joining import PTRACE_ATTACH, PTRACE_SEIZE, container, read_of
from tests.support.procfs import link

__all__ = ["container"]  # the fixture

PR_GET_DUMPABLE: Final = 3
PLACES: Final = ("/etc", str(Path(os.__file__).parent), sysconfig.get_paths()["purelib"])
PLANTED: Final = (
    "nsswitch.conf",
    "passwd",
    "hosts",
    "ld.so.cache",
    "ld.so.preload",
    "wave.py",
    "wave.pyc",
    "sitecustomize.py",
    "threading.py",
    "libc.so.6",
    "libnss_planted.so.2",
)
pytestmark = pytest.mark.filterwarnings("ignore::rsyscall_ns.UserNamespaceWarning")


def pid_of(task: Task) -> int:
    return task.process.near.id


def dumpable() -> int:
    return int(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))


def talk() -> None:
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    signal.pause()


@pytest.fixture
async def helper(container: Task) -> AsyncIterator[int]:
    """Have a callable wait in there; gives its process's id, as the container knows it."""
    async with Inject(pid_of(container), talk, all=True, stdout=PIPE) as inject:
        assert inject.stdout is not None
        yield int(await inject.stdout.receive_some(20))
        assert inject.is_alive()


@pytest.mark.parametrize("kinds", [NS_ALL, NS_USER, NS_USER | NS_MNT], ids=str)
async def test_who_joins_is_not_dumpable(container: Task, kinds: int) -> None:
    ns = Namespace(pid_of(container), kinds, true_user=True)

    assert await ns.enter(dumpable) == 0


class Early:
    """Looks while it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return look, ()


def look() -> tuple[int, str]:
    return dumpable(), os.readlink("/proc/self/ns/user")  # noqa: PTH115 - os alone


async def test_it_is_not_dumpable_before_it_joins_anything(container: Task) -> None:
    def both(early: object) -> tuple[object, object]:
        return early, look()

    found = await Namespace(pid_of(container), NS_USER, true_user=True).enter(both, Early())

    there = link(pid_of(container), "ns/user")
    assert found == ((0, link("self", "ns/user")), (0, there))


async def test_the_root_of_a_container_can_not_trace_it(container: Task, helper: int) -> None:
    assert await container.cred.getuid() == 0
    assert await container.sysif.call(SYS.kill, helper, 0) == 0  # it is there

    for request in (PTRACE_ATTACH, PTRACE_SEIZE):
        assert await container.sysif.call(SYS.ptrace, request, helper, 0, 0) == -EPERM
    assert await read_of(container, helper, 4096) == -EPERM
    pidfd = await container.sysif.call(SYS.pidfd_open, helper, 0)
    assert pidfd >= 0
    assert await container.sysif.call(SYS.pidfd_getfd, pidfd, 0, 0) == -EPERM
    await container.sysif.call(SYS.close, pidfd)


async def test_its_files_in_proc_are_shut(container: Task, helper: int) -> None:
    try:
        await container.mount.mount("proc", "/proc", "proc")
    except PermissionError:
        pytest.skip("a proc of one's own can't be mounted in a user namespace here")

    for name in ("mem", "maps", "environ"):
        with pytest.raises(PermissionError):
            async with await container.fs.open(f"/proc/{helper}/{name}") as file:
                await file.read(1)
    for name in ("exe", "cwd", "root", "fd/0", "fd/3"):
        with pytest.raises(PermissionError):
            await container.fs.readlink(f"/proc/{helper}/{name}")


async def test_nothing_of_the_interpreters_memory_or_fds_is_there(container: Task) -> None:
    secret = b"secret" + os.urandom(8)
    reading, writing = os.pipe()
    address = ctypes.addressof(ctypes.create_string_buffer(secret))

    def look() -> tuple[bool, int]:
        pipe = os.pipe()
        try:
            found = ctypes.CDLL(None).write(pipe[1], ctypes.c_void_p(address), 14)
            return found == 14 and os.read(pipe[0], 14) == secret, 0
        finally:
            os.close(pipe[0])
            os.close(pipe[1])

    def fds() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - os alone

    ns = Namespace(pid_of(container), NS_USER, true_user=True)
    try:
        assert await ns.enter(look) == (False, 0)
        assert await ns.enter(fds) == 5  # streams, the channel, and the listing
    finally:
        os.close(reading)
        os.close(writing)


# 2019-14271


@pytest.fixture
async def watch(local: Task, container: Task) -> InotifyFD:
    """Plant files where a Python and a libc look, and watch them."""
    notes = await container.fs.inotify_init1()
    for place in PLACES:
        await container.mount.mount("none", place, "tmpfs")
        for name in PLANTED:
            async with await container.fs.open(
                f"{place}/{name}", O.WRONLY | O.CREAT, 0o755
            ) as file:
                if name == "nsswitch.conf":
                    await file.write_all(b"passwd: planted\nhosts: planted\n")
        await notes.add_watch(place, IN.OPEN | IN.ACCESS)
    return await notes.pass_to(local)


def harmless() -> None:
    """Do what loads something in many programs."""
    import pwd  # noqa: PLC0415 - as above
    import socket  # noqa: PLC0415 - as above
    import threading  # noqa: PLC0415 - as above

    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    str(b"x", "koi8-r")
    pwd.getpwall()
    socket.getaddrinfo("localhost", 1)


def by_import() -> None:
    import_module("wave")


def by_path() -> None:
    from importlib import util  # noqa: PLC0415 - loaded long since

    place = f"{PLACES[1]}/wave.so"
    spec = util.spec_from_file_location("planted", place)
    assert spec is not None
    util.module_from_spec(spec)


def by_loader() -> None:
    ctypes.CDLL(f"{PLACES[1]}/libc.so.6")


@pytest.mark.parametrize("target", [by_import, by_path, by_loader])
async def test_loading_is_refused_and_no_planted_file_is_opened(
    container: Task, watch: InotifyFD, target: Callable[[], None]
) -> None:
    ns = Namespace(pid_of(container), NS_ALL, true_user=True, imports=["ctypes"])

    with pytest.raises(ForeignImportError):
        await ns.enter(target)

    assert await opened(container, watch) == ["last"]


async def test_what_loads_something_elsewhere_opens_no_planted_file(
    container: Task, watch: InotifyFD, tmp_path: Path
) -> None:
    imports = ["pwd", "socket", "threading", "encodings.koi8_r", "encodings.idna"]
    inject = Inject(pid_of(container), harmless, all=True, imports=imports, stderr=tmp_path / "err")
    await inject.start()
    await inject.join()

    # data of the other side may be read, and is; nsswitch.conf would name libraries
    found = set(await opened(container, watch))
    assert found <= {"last", "passwd", "hosts", "resolv.conf", "host.conf", "gai.conf"}
    # an error in a thread, and one that nobody waits for, are told with no source from in there
    text = (tmp_path / "err").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in text


async def opened(container: Task, watch: InotifyFD) -> list[str]:
    """Return the names that were opened, and close the list by one of our own."""
    async with await container.fs.open(f"{PLACES[0]}/last", O.WRONLY | O.CREAT, 0o600):
        pass
    found: list[str] = []
    while "last" not in found:
        found += [event.name for event in await watch.read_events()]
    return sorted(set(found), key=found.index)
