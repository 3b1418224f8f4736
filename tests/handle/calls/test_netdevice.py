"""Network interfaces, in network namespaces that the tests make."""

from __future__ import annotations

from collections.abc import AsyncIterator
from errno import EINVAL, ENODEV, ENXIO

import pytest

from rsyscall_ns import (
    CLONE,
    IFF,
    NETLINK,
    NLM_F,
    ArgumentRangeError,
    NetDevice,
    NetlinkError,
    PathError,
    Task,
    nlattr,
)
from tests.support.census import nothing_left

MAC = bytes((2, 0, 0, 0, 0, 7))


@pytest.fixture
async def inside(local: Task) -> AsyncIterator[Task]:
    flags = CLONE.NEWUSER | CLONE.NEWNET
    async with local.spawn(flags, uid_map=True, gid_map=True) as child:
        yield child


@pytest.fixture
async def bridge(inside: Task) -> NetDevice:
    body = bytes(16) + nlattr(3, b"bridge0\0") + nlattr(18, nlattr(1, b"bridge\0"))
    try:
        await inside.net.netlink(NETLINK.ROUTE, 16, body, NLM_F.CREATE)
    except NetlinkError as error:
        pytest.skip(f"this kernel makes no bridge: {error}")
    return inside.net.device("bridge0")


async def test_an_interface_has_an_index_and_a_name(task: Task) -> None:
    with nothing_left(task):
        index = await task.net.if_nametoindex("lo")
        assert await task.net.if_indextoname(index) == "lo"
        assert await task.net.device("lo").index() == index
        with pytest.raises(OSError, match="No such device") as caught:
            await task.net.if_nametoindex("nothing0")
        assert caught.value.errno == ENODEV
        with pytest.raises(OSError, match="ioctl") as caught:
            await task.net.if_indextoname(2**31 - 1)
        assert caught.value.errno in {ENODEV, ENXIO}


async def test_the_loopback_goes_up_and_down(inside: Task) -> None:
    loopback = inside.net.device("lo")
    assert not await loopback.flags() & IFF.UP
    await loopback.set_up()
    assert await loopback.flags() & (IFF.UP | IFF.LOOPBACK) == IFF.UP | IFF.LOOPBACK
    assert await loopback.address() == "127.0.0.1"
    assert await loopback.netmask() == "255.0.0.0"
    await loopback.set_down()
    assert not await loopback.flags() & IFF.UP
    await inside.net.set_up()
    assert await loopback.flags() & IFF.UP


async def test_what_an_interface_has_can_be_set(bridge: NetDevice) -> None:
    await bridge.set_mtu(1400)
    assert await bridge.mtu() == 1400
    before = await bridge.txqueuelen()
    with pytest.raises(PermissionError):  # the machine's own root alone may
        await bridge.set_txqueuelen(before + 1)
    assert await bridge.txqueuelen() == before
    await bridge.set_hwaddr(MAC)
    assert await bridge.hwaddr() == MAC
    await bridge.set_address("192.0.2.1")
    await bridge.set_netmask("255.255.255.0")
    assert (await bridge.address(), await bridge.netmask()) == ("192.0.2.1", "255.255.255.0")
    await bridge.set_flags(await bridge.flags() | IFF.NOARP)
    assert await bridge.flags() & IFF.NOARP


async def test_an_interface_is_renamed(inside: Task, bridge: NetDevice) -> None:
    index = await bridge.index()
    renamed = await bridge.rename("other0")
    assert renamed.name == "other0"
    assert await renamed.index() == index
    assert await inside.net.if_indextoname(index) == "other0"
    with pytest.raises(OSError, match="No such device"):
        await bridge.mtu()


async def test_what_can_not_be_is_refused(inside: Task, bridge: NetDevice) -> None:
    with nothing_left(inside):
        for name in ("x" * 16, "a\0b"):
            with pytest.raises(PathError):
                inside.net.device(name)
            with pytest.raises(PathError):
                await bridge.rename(name)
        with pytest.raises(ArgumentRangeError, match="length"):
            await bridge.set_hwaddr(b"short")
        with pytest.raises(ArgumentRangeError, match="value"):
            await bridge.set_mtu(2**31)
        with pytest.raises(PathError, match="IPv4"):
            await bridge.set_address("nowhere")
        with pytest.raises(OSError, match="ioctl") as caught:
            await bridge.set_mtu(1)
        assert (caught.value.errno, caught.value.filename) == (EINVAL, bridge.name)
