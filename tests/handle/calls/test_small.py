"""``task.cred``, ``task.signals``, ``task.mount`` and ``task.mem``."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from errno import EINVAL
from pathlib import Path

import pytest

from rsyscall_ns import (
    CLONE,
    MAP,
    MS,
    PROT,
    SIG,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SYS,
    UMOUNT,
    ArgumentRangeError,
    InterruptSignalError,
    O,
    Task,
)
from rsyscall_ns.near.ids import Address
from tests.support.blocking import until_blocked
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT, status_field
from tests.support.procview import is_there, maps_of, mountinfo

PAGE = 4096


async def test_ids_are_those_of_the_process(task: Task) -> None:
    assert await task.cred.getuid() == os.getuid()
    assert await task.cred.geteuid() == os.geteuid()
    assert await task.cred.getgid() == os.getgid()
    assert await task.cred.getegid() == os.getegid()


async def test_ids_are_those_of_the_new_user_namespace(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as child:
        assert await child.cred.getuid() == await child.cred.geteuid() == 0
        assert await child.cred.getgid() == await child.cred.getegid() == 0
        assert await child.cred.effective_capabilities() & 1 << 21


async def test_capabilities_are_what_the_kernel_shows(task: Task) -> None:
    shown = int(status_field(task.process.near.id, "CapEff"), 16)
    assert await task.cred.effective_capabilities() == shown
    assert bool(shown) == IS_ROOT


@contextmanager
def kept(sig: signal.Signals) -> Generator[None, None, None]:
    """Put a disposition of the interpreter back as Python knows it."""
    before = signal.getsignal(sig)
    try:
        yield
    finally:
        signal.signal(sig, before)


async def test_dispositions_are_set_and_told(task: Task) -> None:
    with kept(signal.SIGUSR2):
        first = await task.signals.sigaction(SIG.USR2)
        assert first == SIG_DFL
        assert await task.signals.sigaction(SIG.USR2, SIG_IGN) == SIG_DFL
        assert await task.signals.sigaction(SIG.USR2) == SIG_IGN
        assert await task.signals.sigaction(SIG.USR2, SIG_DFL) == SIG_IGN
        await task.signals.ignore(SIG.USR2)
        assert await task.signals.sigaction(SIG.USR2, SIG_DFL) == SIG_IGN


async def test_a_child_that_ignores_a_signal_survives_it(child: Task) -> None:
    await child.signals.ignore(SIG.TERM)
    reader, _ = await child.fs.pipe2()
    os.kill(child.process.near.id, SIG.TERM)

    assert await child.cred.getuid() == os.getuid()
    assert reader.valid


@pytest.mark.parametrize("sig", [0, -1, 65, 2**40])
async def test_a_signal_that_does_not_exist_is_refused(task: Task, sig: int) -> None:
    uses: list[Callable[[], Awaitable[object]]] = [
        lambda: task.signals.sigaction(sig),
        lambda: task.signals.ignore(sig),
        lambda: task.signals.sigprocmask(SIG_BLOCK, [sig]),
    ]
    with nothing_left(task):
        for use in uses:
            with pytest.raises(ArgumentRangeError, match="signal"):
                await use()


async def test_a_disposition_that_is_an_address_is_refused(task: Task) -> None:
    with pytest.raises(ArgumentRangeError, match="disposition"):
        await task.signals.sigaction(SIG.USR2, 0x1234)


async def test_a_disposition_that_the_kernel_keeps_is_an_error(task: Task) -> None:
    for sig in (SIG.KILL, SIG.STOP):
        with pytest.raises(OSError, match=r"rt_sigaction\(2\)") as caught:
            await task.signals.sigaction(sig, SIG_IGN)
        assert caught.value.errno == EINVAL


async def test_the_signal_that_interrupts_calls_is_not_to_be_changed(child: Task) -> None:
    sig = child.sysif.interrupt_signal()
    assert sig is not None
    with pytest.raises(InterruptSignalError):
        await child.signals.sigaction(sig, SIG_IGN)
    for how in (SIG_BLOCK, SIG_SETMASK):
        with pytest.raises(InterruptSignalError):
            await child.signals.sigprocmask(how, [SIG.TERM, sig])
    assert sig not in await child.signals.sigprocmask()


async def test_the_mask_is_changed_and_told(task: Task) -> None:
    before = await task.signals.sigprocmask()
    assert SIG.USR1 not in before
    try:
        assert await task.signals.sigprocmask(SIG_BLOCK, [SIG.USR1]) == before
        assert await task.signals.sigprocmask() == before | {SIG.USR1}
        await task.signals.sigprocmask(SIG_UNBLOCK, [SIG.USR1])
        assert await task.signals.sigprocmask() == before
    finally:
        await task.signals.sigprocmask(SIG_SETMASK, before)
    with pytest.raises(OSError, match=r"rt_sigprocmask\(2\)"):
        await task.signals.sigprocmask(99, [SIG.USR1])


async def test_a_signal_that_is_blocked_waits(child: Task) -> None:
    await child.signals.sigprocmask(SIG_BLOCK, [SIG.USR1])
    os.kill(child.process.near.id, SIG.USR1)

    assert await child.cred.getuid() == os.getuid()
    pending = int(status_field(child.process.near.id, "ShdPnd"), 16)
    assert pending == 1 << (SIG.USR1 - 1)


async def test_a_parked_child_is_blocked_in_nothing_but_its_own_wait(child: Task) -> None:
    await child.cred.getuid()
    await until_blocked(child, SYS.futex)


async def test_a_file_system_is_mounted_and_unmounted_in_the_child_only(
    local: Task, tmp_path: Path
) -> None:
    outside = mountinfo()
    flags = CLONE.NEWUSER | CLONE.NEWNS
    async with local.spawn(flags, uid_map=True, gid_map=True) as child:
        with nothing_left(child):
            await child.mount.mount("none", tmp_path, "tmpfs", MS.NODEV | MS.NOSUID, "size=64k")
            async with await child.fs.open(tmp_path / "inside", O.WRONLY | O.CREAT):
                pass
            assert await child.fs.listdir(tmp_path) == ["inside"]
            assert not is_there(f"{tmp_path}/inside")
            text = (await child.fs.read_bytes("/proc/self/mountinfo")).decode()
            line = next(line for line in text.splitlines() if str(tmp_path) in line)
            assert "nosuid" in line
            assert "size=64k" in line
            await child.mount.umount2(tmp_path, UMOUNT.DETACH)
            assert await child.fs.listdir(tmp_path) == []

    assert mountinfo() == outside


async def test_a_mount_that_fails_names_its_target(local: Task, tmp_path: Path) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS) as child:
        uses: list[Callable[[], Awaitable[object]]] = [
            lambda: child.mount.mount("none", tmp_path, "no-such-file-system"),
            lambda: child.mount.umount2(tmp_path),
        ]
        for use in uses:
            with nothing_left(child), pytest.raises(OSError, match="2") as caught:
                await use()
            assert caught.value.errno
            assert caught.value.filename == str(tmp_path)


@pytest.mark.skipif(IS_ROOT, reason="root may do what an ordinary user is refused")
async def test_an_ordinary_user_may_not_mount(child: Task, tmp_path: Path) -> None:
    with pytest.raises(PermissionError) as caught:
        await child.mount.mount("none", tmp_path, "tmpfs")
    assert caught.value.filename == str(tmp_path)


async def test_memory_is_mapped_and_unmapped(task: Task) -> None:
    address = await task.mem.mmap(3 * PAGE, PROT.READ, MAP.PRIVATE | MAP.ANONYMOUS)
    assert address.value % PAGE == 0
    assert any(
        int(line.split("-")[0], 16) <= address.value < int(line.split("-")[1].split()[0], 16)
        for line in maps_of(task.process.near.id)
    )
    await task.mem.munmap(address, 3 * PAGE)


@pytest.mark.parametrize("length", [0, -1, 2**47 + 1, 2**64 + PAGE])
async def test_a_length_that_does_not_fit_is_refused(task: Task, length: int) -> None:
    with pytest.raises(ArgumentRangeError, match="length"):
        await task.mem.mmap(length)
    with pytest.raises(ArgumentRangeError, match="length"):
        await task.mem.munmap(Address(PAGE), length)


async def test_memory_that_can_not_be_had_is_an_error(task: Task) -> None:
    with pytest.raises(OSError, match=r"mmap\(2\)"):
        await task.mem.mmap(2**47)
    with pytest.raises(OSError, match=r"munmap\(2\)") as caught:
        await task.mem.munmap(Address(1), PAGE)
    assert caught.value.errno == EINVAL
