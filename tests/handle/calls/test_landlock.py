"""``task.landlock``: what a child no longer may, once it has restricted itself."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from errno import EINVAL, ENOMSG, EPERM
from pathlib import Path
from typing import cast

import pytest

from rsyscall_ns import (
    AF,
    LANDLOCK_ACCESS_FS,
    LANDLOCK_ACCESS_NET,
    LANDLOCK_RESTRICT_SELF,
    LANDLOCK_RULE,
    LANDLOCK_SCOPE,
    SOCK,
    SYS,
    FDKindError,
    FileDescriptor,
    ForGoodError,
    LandlockDisabledError,
    LandlockNetPortAttr,
    LandlockPathBeneathAttr,
    LandlockRightsError,
    LandlockRulesetAttr,
    LandlockRulesetFD,
    MissingCallError,
    O,
    SockaddrIn,
    Task,
)
from rsyscall_ns.near.abi.landlock_h import abi_of

FS, NET, SCOPE = LANDLOCK_ACCESS_FS, LANDLOCK_ACCESS_NET, LANDLOCK_SCOPE
NEWEST = 7  # of Linux 6.18


@pytest.fixture
async def abi(local: Task) -> AsyncIterator[int]:
    try:
        yield await local.landlock.abi_version()
    except (MissingCallError, LandlockDisabledError) as error:
        pytest.skip(f"no landlock here: {error}")


def needs(abi: int, least: int) -> None:
    if abi < least:
        pytest.skip(f"this kernel has version {abi} of Landlock, and this is of {least}")


async def test_the_version_is_told(task: Task, abi: int) -> None:
    assert await task.landlock.abi_version() == abi >= 1
    assert await task.landlock.errata() >= 0


async def test_files_outside_can_no_longer_be_opened(child: Task, abi: int, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "file").write_text("text", encoding="ascii")
    assert abi
    async with await child.landlock.create_ruleset(FS.READ_FILE | FS.WRITE_FILE) as rules:
        async with await child.fs.open(inside, O.PATH) as parent:
            await rules.add_path_beneath(parent, FS.READ_FILE)
        await rules.restrict_self()

    assert await child.fs.read_bytes(inside / "file") == b"text"
    for path, flags in ((outside / "file", O.RDONLY), (inside / "file", O.WRONLY)):
        with pytest.raises(PermissionError) as caught:
            await child.fs.open(path, flags)
        assert caught.value.filename == str(path)


async def test_a_rule_of_the_callers_memory_is_taken(child: Task, abi: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text", encoding="ascii")
    needs(abi, 6)
    attr = await child.ptr(LandlockRulesetAttr(FS.READ_FILE))
    async with await child.landlock.create_ruleset(attr) as rules:
        async with await child.fs.open(tmp_path, O.PATH) as parent:
            number = parent.near.number
            rule = await child.ptr(LandlockPathBeneathAttr(FS.READ_FILE, number))
            await rules.add_rule(LANDLOCK_RULE.PATH_BENEATH, rule)
        await rules.restrict_self()
    assert await child.fs.read_bytes(tmp_path / "file") == b"text"
    attr.free()
    rule.free()


async def test_only_allowed_ports_can_be_bound(child: Task, abi: int) -> None:
    needs(abi, 4)
    async with await child.landlock.create_ruleset(net=NET.BIND_TCP) as rules:
        await rules.add_net_port(0, NET.BIND_TCP)
        await rules.restrict_self()
    async with await child.net.socket(AF.INET, SOCK.STREAM) as bound:
        with pytest.raises(PermissionError):
            await bound.bind(SockaddrIn("127.0.0.1", 45678))
        await bound.bind(SockaddrIn("127.0.0.1", 0))


async def test_only_allowed_ports_can_be_connected_to(child: Task, abi: int) -> None:
    needs(abi, 4)
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        allowed, denied = (cast("int", one.getsockname()[1]) for one in (first, other))
        async with await child.landlock.create_ruleset(net=NET.CONNECT_TCP) as rules:
            await rules.add_net_port(allowed, NET.CONNECT_TCP)
            await rules.restrict_self()
        async with await child.net.socket(AF.INET, SOCK.STREAM) as end:
            with pytest.raises(PermissionError):
                await end.connect(SockaddrIn("127.0.0.1", denied))
            await end.connect(SockaddrIn("127.0.0.1", allowed))


async def test_signals_to_the_outside_are_denied(child: Task, abi: int) -> None:
    needs(abi, 6)
    assert await child.sysif.call(SYS.kill, os.getpid(), 0) == 0
    async with await child.landlock.create_ruleset(scoped=SCOPE.SIGNAL) as rules:
        await rules.restrict_self()
    assert await child.sysif.call(SYS.kill, os.getpid(), 0) == -1
    assert await child.sysif.call(SYS.kill, child.process.near.id, 0) == 0


async def test_abstract_sockets_of_others_are_out_of_reach(child: Task, abi: int) -> None:
    needs(abi, 6)
    name = f"\0landlock-{child.process.near.id}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(name)
        server.listen()
        async with await child.landlock.create_ruleset(scoped=SCOPE.ABSTRACT_UNIX_SOCKET) as rules:
            await rules.restrict_self()
        async with await child.net.socket(AF.UNIX, SOCK.STREAM) as end:
            there = b"\1\0" + name.encode()
            with child.transient(there) as address, end.borrow() as near_id:
                where = (near_id.number, address.address.value, len(there))
                assert await child.sysif.call(SYS.connect, *where) == -EPERM


async def test_what_is_logged_is_chosen(child: Task, abi: int) -> None:
    needs(abi, 7)
    async with await child.landlock.create_ruleset(FS.EXECUTE) as rules:
        await rules.restrict_self(
            LANDLOCK_RESTRICT_SELF.LOG_SAME_EXEC_OFF | LANDLOCK_RESTRICT_SELF.LOG_SUBDOMAINS_OFF
        )
        with pytest.raises(OSError, match="landlock_restrict_self") as caught:
            await rules.restrict_self(LANDLOCK_RESTRICT_SELF(0x80))
        assert caught.value.errno == EINVAL


async def test_the_interpreter_is_refused(local: Task, abi: int) -> None:
    assert abi
    async with await local.landlock.create_ruleset(FS.EXECUTE) as rules:
        with pytest.raises(ForGoodError, match="child"):
            await rules.restrict_self()


async def test_rights_that_the_kernel_lacks_are_named(task: Task, abi: int) -> None:
    with pytest.raises(LandlockRightsError, match="nothing"):
        await task.landlock.create_ruleset()
    with pytest.raises(LandlockRightsError, match=f"version {abi}") as caught:
        await task.landlock.create_ruleset(FS(1 << 40))
    assert caught.value.errno == EINVAL


async def test_a_rule_that_the_set_does_not_handle_is_an_error(
    task: Task, abi: int, tmp_path: Path
) -> None:
    assert abi
    async with (
        await task.landlock.create_ruleset(FS.READ_FILE) as rules,
        await task.fs.open(tmp_path, O.PATH) as parent,
    ):
        for right, number in ((FS.EXECUTE, EINVAL), (FS.NONE, ENOMSG)):
            with pytest.raises(OSError, match="landlock_add_rule") as caught:
                await rules.add_path_beneath(parent, right)
            assert caught.value.errno == number
        with pytest.raises(OSError, match="landlock_add_rule"):
            await rules.add_rule(LANDLOCK_RULE.NET_PORT, LandlockNetPortAttr(NET.BIND_TCP, 1))


async def test_a_set_is_known_for_what_it_is(task: Task, abi: int) -> None:
    assert abi
    async with await task.landlock.create_ruleset(FS.READ_FILE) as rules:
        assert await rules.is_cloexec()
        copy = await rules.dup()
        plain = FileDescriptor(task, copy.near)
        async with await plain.as_kind(LandlockRulesetFD):
            await copy.close()
    async with await task.fs.open("/dev/null") as null:
        with pytest.raises(FDKindError, match="LandlockRulesetFD: it is"):
            await null.as_kind(LandlockRulesetFD)


@pytest.mark.parametrize(
    ("attr", "version"),
    [
        (LandlockRulesetAttr(FS.EXECUTE), 1),
        (LandlockRulesetAttr(FS.REFER), 2),
        (LandlockRulesetAttr(FS.TRUNCATE | FS.REFER), 3),
        (LandlockRulesetAttr(FS.REFER, NET.BIND_TCP), 4),
        (LandlockRulesetAttr(FS.IOCTL_DEV), 5),
        (LandlockRulesetAttr(scoped=SCOPE.SIGNAL), 6),
    ],
)
async def test_the_version_that_has_a_right(attr: LandlockRulesetAttr, version: int) -> None:
    assert abi_of(attr) == version <= NEWEST
