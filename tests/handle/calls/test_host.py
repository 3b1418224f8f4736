"""``task.host``: what would happen to the whole machine.

Nothing of it does: a child in a user namespace of its own has no right to it, and where what
reaches the kernel is looked at, the kernel never carries it out.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from errno import EACCES, ENOENT, EPERM
from typing import Final

import pytest
import trio

from rsyscall_ns import (
    BYTES,
    CLONE,
    KEXEC,
    KEXEC_ARCH,
    KEXEC_FILE,
    MODULE_INIT,
    REBOOT,
    SIG,
    SWAP_FLAG,
    SYS,
    ArgumentRangeError,
    KexecSegment,
    MachineRebootError,
    MissingCallError,
    NamespaceNotAllowedError,
    O,
    Task,
    array_of,
)
from rsyscall_ns.far.namespaces import PidNamespace
from rsyscall_ns.handle.calls.fds import FDs
from rsyscall_ns.handle.calls.host import Host
from rsyscall_ns.near.abi.reboot_h import REBOOT_MAGIC1, REBOOT_MAGIC2
from rsyscall_ns.near.ids import Address
from tests.support.stopping import stopped_at

PIDS: Final = CLONE.NEWUSER | CLONE.NEWPID
X86: Final = os.uname().machine == "x86_64"
SEGMENT: Final = KexecSegment(0x1000, 4096, 0x100000, 8192)


@pytest.fixture
async def powerless(task: Task) -> AsyncGenerator[Host, None]:
    """Make a child without any right to the machine."""
    async with task.spawn(CLONE.NEWUSER) as child:
        yield child.host


async def refused(call: Awaitable[object], *numbers: int) -> None:
    """Make a call that must fail for lack of rights, or because the kernel has nothing of it."""
    with pytest.raises(OSError, match=r"\(2\)") as caught:
        await call
    assert isinstance(caught.value, MissingCallError) or caught.value.errno in {EPERM, *numbers}


async def words_of(
    child: Task, number: int, call: Callable[[], Awaitable[object]]
) -> tuple[int, ...]:
    """Make a call that gives 0 without being carried out; returns what reached the kernel."""
    seen: list[tuple[int, ...]] = []
    async with stopped_at(child, number) as stops, trio.open_nursery() as nursery:

        async def supervise() -> None:
            stopped = await stops.next()
            seen.append(stopped.args)
            stops.answer(stopped, 0)

        nursery.start_soon(supervise)
        await call()
    return seen[0]


@pytest.mark.parametrize(
    ("cmd", "sig"),
    [
        (REBOOT.RESTART, SIG.HUP),
        (REBOOT.RESTART2, SIG.HUP),
        (REBOOT.HALT, SIG.INT),
        (REBOOT.POWER_OFF, SIG.INT),
    ],
)
async def test_a_reboot_ends_the_init_of_the_pid_namespace(
    task: Task, cmd: REBOOT, sig: SIG
) -> None:
    async with task.spawn(PIDS) as init:
        process = init.process
        await init.host.reboot(cmd, "again" if cmd is REBOOT.RESTART2 else None)
        assert (await process.wait()).killed_with() == sig


async def test_any_process_of_the_namespace_may_end_it(task: Task) -> None:
    async with task.spawn(PIDS) as init:
        async with init.spawn() as inner:
            await inner.host.reboot(REBOOT.HALT)
        assert (await init.process.wait()).killed_with() == SIG.INT


async def test_a_pid_namespace_has_no_key_for_its_end(task: Task) -> None:
    async with task.spawn(PIDS) as init:
        with pytest.raises(OSError, match="reboot"):
            await init.host.reboot(REBOOT.CAD_OFF)
        assert await init.cred.getuid() == os.getuid()


async def test_the_machine_is_not_ended_unawares(task: Task) -> None:
    for cmd in REBOOT:
        with pytest.raises(MachineRebootError, match="NEWPID"):
            await task.host.reboot(cmd)
    async with task.spawn(CLONE.NEWUSER) as child:
        with pytest.raises(MachineRebootError):
            await child.host.reboot(REBOOT.RESTART)
        await refused(child.host.reboot(REBOOT.CAD_ON, machine=True))


async def test_a_pid_namespace_that_was_joined_is_not_ended_unawares(local: Task) -> None:
    async with await local.ns.open("pid") as outer:
        async with local.spawn(CLONE.NEWUSER, inherit=[outer]) as child:
            inherited = outer.inherit(child)
            await child.ns.unshare(CLONE.NEWPID)
            with pytest.raises(NamespaceNotAllowedError):  # it is no root out there
                await child.ns.setns(inherited, CLONE.NEWPID)
            assert child.pid_for_children.parent is child.pid_namespace
        async with local.spawn(PIDS) as init:
            async with await init.ns.open("pid") as own:
                await init.ns.setns(own)
            assert init.pid_for_children.parent is None
            async with init.spawn() as inner:
                with pytest.raises(MachineRebootError):
                    await inner.host.reboot(REBOOT.HALT)


async def test_what_the_kernel_says_of_a_pid_namespace_counts_too(task: Task) -> None:
    async with task.spawn(CLONE.NEWUSER) as child:
        child.pid_namespace = PidNamespace(child.pid_namespace)  # not so
        with pytest.raises(MachineRebootError):
            await child.host.reboot(REBOOT.CAD_ON)


async def test_a_reboot_that_is_meant_reaches_the_kernel(child: Task) -> None:
    words = await words_of(child, SYS.reboot, lambda: child.host.reboot(REBOOT.HALT, machine=True))
    assert words[:4] == (REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT.HALT, 0)


async def test_modules_are_for_root(task: Task, powerless: Host) -> None:
    await refused(powerless.init_module(b"no module"))
    await refused(powerless.delete_module("none"))
    fds: FDs = task.fds
    async with await fds.memfd_create("a") as ours, task.spawn(inherit=[ours]) as child:
        file = ours.inherit(child)
        await child.ns.unshare(CLONE.NEWUSER)
        await refused(child.host.finit_module(file))


async def test_modules_reach_the_kernel_as_they_are_given(child: Task) -> None:
    host = child.host
    words = await words_of(child, SYS.init_module, lambda: host.init_module(b"module", "a=1"))
    assert words[1] == len(b"module")
    words = await words_of(child, SYS.delete_module, lambda: host.delete_module("a", O.TRUNC))
    assert words[1] == O.TRUNC
    async with await child.fds.memfd_create("a") as file:
        flags = MODULE_INIT.IGNORE_VERMAGIC
        words = await words_of(
            child, SYS.finit_module, lambda: host.finit_module(file, flags=flags)
        )
        assert (words[0], words[2]) == (file.near.number, flags)


async def test_other_kernels_are_for_root(task: Task, powerless: Host) -> None:
    await refused(powerless.kexec_load(None, []))
    async with task.spawn(CLONE.NEWUSER) as child, await child.fds.memfd_create("a") as file:
        await refused(child.host.kexec_file_load(file, None, "quiet"))


async def test_another_kernel_reaches_the_kernel_as_it_is_given(child: Task) -> None:
    host = child.host
    there = await child.ptr([SEGMENT, SEGMENT], array_of(KexecSegment))
    flags, arch = KEXEC.ON_CRASH, KEXEC_ARCH.AARCH64
    words = await words_of(
        child,
        SYS.kexec_load,
        lambda: host.kexec_load(Address(4096), [SEGMENT], flags, arch),
    )
    assert (words[0], words[1], words[3]) == (4096, 1, 183 << 16 | 1)
    words = await words_of(child, SYS.kexec_load, lambda: host.kexec_load(None, []))
    assert words[:2] == (0, 0)
    words = await words_of(child, SYS.kexec_load, lambda: host.kexec_load(None, there))
    assert words[:3] == (0, 2, there.near.value)
    there.free()
    async with await child.fds.memfd_create("a") as file:
        words = await words_of(
            child, SYS.kexec_file_load, lambda: host.kexec_file_load(file, None, "quiet")
        )
    assert (words[2], words[4]) == (6, KEXEC_FILE.NO_INITRAMFS)


async def test_swap_space_is_for_root(powerless: Host) -> None:
    for call in (powerless.swapon("/no/such/file"), powerless.swapoff("/no/such/file")):
        with pytest.raises(OSError, match="swapo") as caught:
            await call
        assert caught.value.errno in {EPERM, ENOENT}
        assert caught.value.filename == "/no/such/file"


async def test_swap_space_has_a_priority(child: Task) -> None:
    words = await words_of(
        child, SYS.swapon, lambda: child.host.swapon("/a", SWAP_FLAG.DISCARD, priority=5)
    )
    assert words[1] == SWAP_FLAG.DISCARD | SWAP_FLAG.PREFER | 5
    words = await words_of(child, SYS.swapon, lambda: child.host.swapon("/a"))
    assert words[1] == 0


async def test_accounting_and_hanging_up_are_for_root(powerless: Host) -> None:
    await refused(powerless.acct(None))
    with pytest.raises(PermissionError, match="acct") as caught:
        await powerless.acct("/no/such/file")
    assert caught.value.filename == "/no/such/file"
    await refused(powerless.vhangup())


async def test_ports_are_for_root_and_x86(powerless: Host) -> None:
    await refused(powerless.iopl(3))
    await refused(powerless.ioperm(0x80, 1, turn_on=True))


@pytest.mark.skipif(not X86, reason="only x86 has sysfs(2)")
async def test_file_system_types_are_told(task: Task) -> None:
    host = task.host
    try:
        count = await host.sysfs_count()
    except MissingCallError:
        pytest.skip("the kernel has no sysfs(2) (CONFIG_SYSFS_SYSCALL)")
    names = [await host.sysfs_name(index) for index in range(count)]
    assert "tmpfs" in names
    assert await host.sysfs_index("tmpfs") == names.index("tmpfs")
    room = await host.sysfs_name(0, await task.malloc(BYTES, 256))
    assert (await room.read()).split(b"\0", 1)[0].decode() == names[0]
    room.free()
    for call in (host.sysfs_name(count), host.sysfs_index("no such type")):
        with pytest.raises(OSError, match="sysfs"):
            await call


@pytest.mark.skipif(X86, reason="x86 has sysfs(2)")
async def test_other_machines_have_no_calls_of_x86(task: Task) -> None:
    for call in (task.host.sysfs_count(), task.host.iopl(0), task.mem.read_ldt()):
        with pytest.raises(MissingCallError):
            await call


async def test_what_does_not_fit_is_refused_before_any_call(task: Task) -> None:
    host = task.host
    with pytest.raises(ArgumentRangeError, match="level"):
        await host.iopl(4)
    with pytest.raises(ArgumentRangeError, match="priority"):
        await host.swapon("/a", priority=32768)
    with pytest.raises(ArgumentRangeError, match="segments"):
        await host.kexec_load(None, [SEGMENT] * 17)
    small = await task.malloc(BYTES, 255)
    with pytest.raises(ArgumentRangeError, match="buffer"):
        await host.sysfs_name(0, small)
    small.free()


async def test_the_domain_has_a_name_in_each_uts_namespace(task: Task) -> None:
    before = await task.ns.getdomainname()
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as child:
        await child.ns.setdomainname("inside")
        assert await child.ns.getdomainname() == "inside"
        await child.ns.setdomainname("")
        assert await child.ns.getdomainname() == ""
        with pytest.raises(OSError, match="setdomainname"):
            await child.ns.setdomainname("a" * 65)
    async with task.spawn(CLONE.NEWUSER) as child:
        await refused(child.ns.setdomainname("outside"))
    assert await task.ns.getdomainname() == before


async def test_a_module_can_lie_in_memory(child: Task) -> None:
    image = await child.ptr(b"module")
    words = await words_of(child, SYS.init_module, lambda: child.host.init_module(image))
    assert words[0] == image.near.value
    image.free()


async def test_the_log_is_for_root(powerless: Host) -> None:
    log = powerless.log
    await refused(log.clear())
    await refused(log.read_clear())
    await refused(log.console_off())
    await refused(log.console_on())
    await refused(log.console_level(8))
    await refused(log.size_unread())
    await refused(log.read(), EACCES)


async def test_the_log_is_read_and_stays(task: Task) -> None:
    log = task.host.log
    try:
        size = await log.size_buffer()
    except PermissionError:
        pytest.skip("only root may read the kernel's messages (kernel.dmesg_restrict)")
    found = await log.read_all()
    assert 0 < len(found) <= size
    assert len(await log.read_all(1000)) <= 1000
    filled = await log.read_all(await task.malloc(BYTES, size))
    assert filled.size() >= len(found)
    filled.free()
    for level in (0, 9):
        with pytest.raises(ArgumentRangeError, match="level"):
            await log.console_level(level)


async def test_the_log_is_told_what_to_do(child: Task) -> None:
    log = child.host.log
    calls: list[tuple[Callable[[], Awaitable[object]], int, int]] = [
        (log.clear, 5, 0),
        (log.console_off, 6, 0),
        (log.console_on, 7, 0),
        (lambda: log.console_level(4), 8, 4),
        (lambda: log.read(100), 2, 100),
        (lambda: log.read_clear(100), 4, 100),
    ]
    for call, action, number in calls:
        words = await words_of(child, SYS.syslog, call)
        assert (words[0], words[2]) == (action, number)
