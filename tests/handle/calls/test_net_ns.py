"""``task.net`` and ``task.ns``: sockets, interfaces, namespaces, host names."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from errno import EAFNOSUPPORT, ENODEV

import pytest

from rsyscall_ns import (
    AF,
    CLONE,
    SOCK,
    ArgumentRangeError,
    NamespaceNotAllowedError,
    PathError,
    RsyscallError,
    SockaddrIn,
    Task,
)
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT

Use = Callable[[], Awaitable[object]]


async def test_a_socket_of_an_unknown_family_is_an_error(task: Task) -> None:
    with nothing_left(task), pytest.raises(OSError, match=r"socket\(2\)") as caught:
        await task.net.socket(AF.VSOCK, SOCK.RAW, 200)
    assert caught.value.errno
    with nothing_left(task), pytest.raises(OSError, match=r"socketpair\(2\)"):
        await task.net.socketpair(AF.INET)
    assert EAFNOSUPPORT


@pytest.mark.parametrize("number", [2**32 + 1, 2**64])
async def test_an_int_that_does_not_fit_is_refused(task: Task, number: int) -> None:
    pair = await task.net.socketpair()
    uses: list[Use] = [
        lambda: task.net.socket(AF.UNIX, SOCK.STREAM, number),
        lambda: task.net.socketpair(AF.UNIX, SOCK.STREAM, number),
        lambda: pair[0].getsockopt(number, 1),
        lambda: pair[0].send(b"x", number),
    ]
    with nothing_left(task):
        for use in uses:
            with pytest.raises(ArgumentRangeError):
                await use()


async def test_a_new_network_has_a_loopback_that_is_brought_up(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNET, uid_map=True, gid_map=True) as child:
        server = await child.net.socket(AF.INET, SOCK.STREAM)
        await server.bind(SockaddrIn("127.0.0.1", 0))
        await server.listen()
        name = await server.getsockname()
        assert isinstance(name, SockaddrIn)
        client = await child.net.socket(AF.INET, SOCK.STREAM)
        with pytest.raises(OSError, match="unreachable"):
            await client.connect(name)

        await child.net.set_up()

        await client.connect(name)
        served, _ = await server.accept()
        await client.send(b"inside")
        assert await served.recv(10) == b"inside"


async def test_an_interface_that_is_none_is_an_error(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNET, uid_map=True, gid_map=True) as child:
        with nothing_left(child):
            with pytest.raises(OSError, match="No such device") as caught:
                await child.net.set_up("nothing0")
            assert caught.value.errno == ENODEV
            for name in ("x" * 16, "a\0b"):
                with pytest.raises((OSError, PathError)):
                    await child.net.set_up(name)


async def test_a_host_name_is_the_childs_own(local: Task) -> None:
    before = socket.gethostname()
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWUTS, uid_map=True, gid_map=True) as child:
        assert await child.ns.gethostname() == before
        await child.ns.sethostname("inside")
        assert await child.ns.gethostname() == "inside"
        with pytest.raises(OSError, match=r"sethostname\(2\)"):
            await child.ns.sethostname("x" * 65)
        with pytest.raises(PathError):
            await child.ns.sethostname("a\0b")
    assert socket.gethostname() == before
    assert await local.ns.gethostname() == before


@pytest.mark.skipif(IS_ROOT, reason="root may do what an ordinary user is refused")
async def test_an_ordinary_user_may_not_name_the_host(child: Task) -> None:
    with pytest.raises(PermissionError):
        await child.ns.sethostname("mine")


async def test_leaving_a_namespace_changes_what_the_task_believes(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER) as child:
        before = (child.uts_namespace, child.ipc_namespace, child.net_namespace)
        assert before == (local.uts_namespace, local.ipc_namespace, local.net_namespace)

        await child.ns.unshare(CLONE.NEWUTS | CLONE.NEWIPC)

        assert child.uts_namespace is not before[0]
        assert child.ipc_namespace is not before[1]
        assert child.net_namespace is before[2]
        assert local.uts_namespace is before[0]
        await child.ns.sethostname("left")


@pytest.mark.skipif(IS_ROOT, reason="root may do what an ordinary user is refused")
async def test_a_namespace_that_is_not_allowed_is_a_named_error_and_no_belief(child: Task) -> None:
    before = child.uts_namespace
    with pytest.raises(NamespaceNotAllowedError, match=r"NEWUTS.*NEWUSER") as caught:
        await child.ns.unshare(CLONE.NEWUTS)
    assert isinstance(caught.value, PermissionError)
    assert caught.value.errno
    assert child.uts_namespace is before


async def test_mounts_of_a_task_that_left_its_mount_namespace_stay_in_there(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as child:
        await child.ns.unshare(CLONE.NEWNS)
        lines = (await child.fs.read_bytes("/proc/self/mountinfo")).decode().splitlines()
        assert not any("shared:" in line for line in lines)


@pytest.mark.parametrize("kind", ["nonsense", "", "../maps", "net/../uts"])
async def test_a_namespace_of_no_known_kind_is_refused(task: Task, kind: str) -> None:
    with nothing_left(task), pytest.raises((RsyscallError, OSError)):
        await task.ns.open(kind)


async def test_a_namespace_is_opened_with_the_name_in_its_error(task: Task) -> None:
    with pytest.raises((PathError, RsyscallError)):
        await task.ns.open("uts\0")
