"""Terminals: attributes, sizes, who controls them, and what passes through."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from errno import EINVAL, EIO, ENXIO
from pathlib import Path
from typing import Any

import pytest
import trio
from attrs import evolve

from rsyscall_ns import (
    BYTES,
    CLONE,
    IFLAG,
    LFLAG,
    OFLAG,
    SYS,
    TCFLOW,
    TCFLUSH,
    TCSA,
    TTY_CC,
    FDKindError,
    FileDescriptor,
    O,
    Pointer,
    SerializerError,
    Task,
    Termios2,
    TtyFD,
    Winsize,
    struct_of,
)
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import F_GETFL
from rsyscall_ns.near.abi.termbits_h import TCXONC
from tests.support.census import nothing_left

Pair = tuple[TtyFD, TtyFD]


@pytest.fixture
async def pair(task: Task) -> AsyncGenerator[Pair, None]:
    master, terminal = await task.dev.openpty()
    async with master, terminal:
        yield master, terminal


async def read_whole(tty: TtyFD, size: int) -> bytes:
    """Return so many bytes, which the kernel may deliver piece by piece."""
    found = b""
    while len(found) < size:
        found += await tty.read()
    return found


async def test_a_pair_is_two_ends_of_one_terminal(pair: Pair) -> None:
    master, terminal = pair
    assert await master.is_cloexec()
    assert await terminal.is_cloexec()
    await master.write_all(b"to the program\n")
    assert await terminal.read() == b"to the program\n"
    await terminal.write_all(b"out\n")
    expected = b"to the program\r\nout\r\n"
    assert await read_whole(master, len(expected)) == expected


async def test_attributes_change_what_passes(pair: Pair) -> None:
    master, terminal = pair
    before = await terminal.tcgetattr()
    assert LFLAG.ICANON | LFLAG.ECHO in before.lflag
    assert before.cc[TTY_CC.VINTR] == 3
    assert before.ospeed == 38400
    raw = evolve(
        before,
        iflag=before.iflag & ~IFLAG.ICRNL,
        oflag=before.oflag & ~OFLAG.OPOST,
        lflag=before.lflag & ~(LFLAG.ICANON | LFLAG.ECHO | LFLAG.ISIG),
    )
    for when in TCSA:
        await terminal.tcsetattr(before)
        await terminal.tcsetattr(raw, when)
        assert await terminal.tcgetattr() == raw
    await master.write_all(b"\x03\r")
    assert await read_whole(terminal, 2) == b"\x03\r"
    await terminal.write_all(b"\n")
    assert await master.read() == b"\n"


async def test_attributes_are_given_and_told_in_the_callers_memory(task: Task, pair: Pair) -> None:
    _, terminal = pair
    there = await terminal.tcgetattr(into=await task.malloc(struct_of(Termios2)))
    value = await there.read()
    assert value == await terminal.tcgetattr()
    await terminal.tcsetattr(await there.write(evolve(value, lflag=LFLAG.ISIG)))
    assert (await terminal.tcgetattr()).lflag == LFLAG.ISIG
    small: Pointer[Any] = await task.malloc(BYTES, 1)
    with pytest.raises(SerializerError, match="at least"):
        await terminal.tcsetattr(small)
    small.free()


async def test_a_window_has_a_size(task: Task, pair: Pair) -> None:
    master, terminal = pair
    assert await terminal.tcgetwinsize() == Winsize()
    await master.tcsetwinsize(Winsize(24, 80, 640, 480))
    assert await terminal.tcgetwinsize() == Winsize(24, 80, 640, 480)
    there = await terminal.tcgetwinsize(into=await task.malloc(struct_of(Winsize)))
    assert (await there.read()).columns == 80
    await terminal.tcsetwinsize(await task.ptr(Winsize(1, 2)))
    assert await master.tcgetwinsize() == Winsize(1, 2)
    there.free()


async def test_what_waits_is_counted_and_thrown_away(pair: Pair) -> None:
    master, terminal = pair
    await master.write_all(b"line\n")
    while await terminal.fionread() < 5:
        await trio.lowlevel.checkpoint()
    await terminal.tcflush(TCFLUSH.TCIFLUSH)
    assert await terminal.fionread() == 0
    await terminal.tcdrain()
    assert await terminal.outq() == 0


async def test_what_is_stopped_goes_on(pair: Pair) -> None:
    master, terminal = pair
    await terminal.tcflow(TCFLOW.TCOOFF)
    await terminal.tcflow(TCFLOW.TCOON)
    await terminal.tcflow(TCFLOW.TCIOFF)
    await terminal.tcflow(TCFLOW.TCION)
    assert await read_whole(master, 2) == b"\x13\x11"
    with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
        await terminal.ioctl(TCXONC, 9)
    assert caught.value.errno == EINVAL


async def test_a_session_gets_a_controlling_terminal_and_gives_it_up(
    local: Task, child: Task
) -> None:
    master, terminal = await child.dev.openpty()
    with pytest.raises(OSError, match=r"ioctl\(2\)"):
        await terminal.tcgetpgrp()  # it is nobody's
    sid = await child.sysif.call(SYS.setsid)
    await terminal.sctty()
    assert await terminal.tcgetsid() == sid
    assert await terminal.tcgetpgrp() == ids.ProcessGroup(sid)
    await terminal.tcsetpgrp(ids.ProcessGroup(sid))
    async with await child.dev.open_tty("/dev/tty") as own:
        assert await own.tcgetsid() == sid
    with pytest.raises(PermissionError):
        await terminal.tcsetpgrp(ids.ProcessGroup(1))
    await child.signals.ignore(1)  # the kernel sends it to a session that loses its terminal
    await child.signals.ignore(18)
    await terminal.notty()
    with nothing_left(child), pytest.raises(OSError, match=r"/dev/tty") as caught:
        await child.dev.open_tty("/dev/tty")
    assert caught.value.errno == ENXIO
    assert local.parent_task is None
    assert master.valid


async def test_a_terminal_is_the_controlling_one_of_one_session(local: Task) -> None:
    async with local.spawn() as leader:
        _, terminal = await leader.dev.openpty()
        await leader.sysif.call(SYS.setsid)
        await terminal.sctty()
        async with leader.spawn() as other:
            await other.sysif.call(SYS.setsid)
            theirs = await terminal.pass_to(other)
            with pytest.raises(PermissionError):
                await theirs.sctty()
            if os.geteuid() == 0:
                await theirs.sctty(steal=True)
                assert await theirs.tcgetsid() == other.process.near.id
            else:
                with pytest.raises(PermissionError):
                    await theirs.sctty(steal=True)


async def test_a_master_knows_and_locks_its_terminal(task: Task, pair: Pair) -> None:
    master, _ = pair
    number = await master.ptn()
    assert not await master.is_locked_pty()
    await master.lock_pty()
    assert await master.is_locked_pty()
    with nothing_left(task), pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
        await master.ptpeer()
    assert caught.value.errno == EIO
    await master.lock_pty(on=False)
    async with await master.ptpeer() as again:
        assert await again.tcgetattr() == await master.tcgetattr()
        assert await task.fs.readlink(f"/proc/self/fd/{again.near.number}") in {
            f"/dev/pts/{number}",
            f"/{number}",
        }


async def test_a_terminal_is_no_master(pair: Pair) -> None:
    _, terminal = pair
    for call in (terminal.ptn, terminal.lock_pty, terminal.ptpeer, terminal.packet_mode):
        with pytest.raises(OSError, match=r"ioctl\(2\)"):
            await call()


async def test_packets_have_a_byte_of_news(pair: Pair) -> None:
    master, terminal = pair
    await master.packet_mode()
    await terminal.write_all(b"x")
    assert await master.read() == b"\0x"
    await master.packet_mode(on=False)
    await terminal.write_all(b"x")
    assert await master.read() == b"x"


async def test_a_terminal_that_is_opened_by_its_path_blocks_as_others_do(
    task: Task, pair: Pair
) -> None:
    master, _ = pair
    async with await task.dev.open_tty(f"/dev/pts/{await master.ptn()}") as same:
        assert not await same.fcntl(F_GETFL) & O.NONBLOCK
        await master.write_all(b"line\n")
        assert await same.read() == b"line\n"


async def test_an_exclusive_terminal_says_so(pair: Pair) -> None:
    _, terminal = pair
    assert not await terminal.is_exclusive()
    await terminal.exclusive()
    assert await terminal.is_exclusive()
    await terminal.exclusive(on=False)
    assert not await terminal.is_exclusive()


async def test_a_pair_is_made_in_a_devpts_of_ones_own(local: Task, tmp_path: Path) -> None:
    flags = CLONE.NEWUSER | CLONE.NEWNS
    async with local.spawn(flags, uid_map=True, gid_map=True) as child:
        await child.mount.mount("", tmp_path, "devpts", data="newinstance,ptmxmode=0666")
        master, terminal = await child.dev.openpty(tmp_path / "ptmx")
        assert await master.ptn() == 0
        async with await child.dev.open_tty(tmp_path / "0") as same:
            assert await same.is_cloexec()
            await same.write_all(b"x")
            assert await master.read() == b"x"
        await terminal.close()
        await master.close()


async def test_the_kind_is_checked(task: Task, pair: Pair) -> None:
    plain = await (await pair[1].dup()).as_kind(FileDescriptor)
    async with await plain.as_kind(TtyFD) as again:
        assert await again.tcgetattr() == await pair[1].tcgetattr()
    with nothing_left(task), pytest.raises(FDKindError, match="terminal"):
        await task.dev.open_tty("/dev/null")
    reader, _ = await task.fs.pipe2()
    with pytest.raises(FDKindError, match="terminal"):
        await reader.as_kind(TtyFD)


async def test_a_terminal_whose_master_is_gone_is_one_all_the_same(pair: Pair) -> None:
    master, terminal = pair
    await master.close()
    await TtyFD.check_kind(terminal)
    with pytest.raises(OSError, match=r"ioctl\(2\)") as caught:
        await terminal.tcgetattr()
    assert caught.value.errno == EIO
