"""NetDevice: a network interface by its name, through ioctls of sockets."""

from __future__ import annotations

from typing import TypeVar, final

from rsyscall_ns.handle.kinds.sockets import SocketFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.near.abi.if_h import (
    IFF,
    IFNAMSIZ,
    SIOC,
    IfreqAddr,
    IfreqFlags,
    IfreqInt,
    IfreqName,
)
from rsyscall_ns.near.abi.sockaddr_h import SockaddrIn
from rsyscall_ns.near.abi.socket_h import AF, SOCK
from rsyscall_ns.near.calls import net as near_net
from rsyscall_ns.near.errors import PathError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.strings import c_string

__all__ = ["NetDevice", "control_socket", "device_name"]

Request = TypeVar("Request", IfreqAddr, IfreqFlags, IfreqInt, IfreqName)
ETHER = 1  # ARPHRD_ETHER


def device_name(name: str) -> bytes:
    """Return an interface's name as the kernel takes it; what none can have raises PathError."""
    data = c_string(name)
    if len(data) > IFNAMSIZ:
        raise PathError(name, f"is longer than {IFNAMSIZ - 1} bytes: no interface has it")
    return data


async def control_socket(task: MemoryTask, family: AF = AF.UNIX) -> SocketFD:
    """Return a socket for ioctls; those of AF.UNIX there are on every machine."""
    await task.sweep()
    return SocketFD(task, await near_net.socket(task.sysif, family, SOCK.DGRAM | SOCK.CLOEXEC, 0))


@final
class NetDevice:
    """A network interface of the task's network namespace, found by its name in each call.

    Setting anything takes CAP_NET_ADMIN there. ``netdevice(7)``.
    """

    __slots__ = ("_name", "_task", "name")

    def __init__(self, task: MemoryTask, name: str) -> None:
        self._task = task
        self._name = device_name(name)
        self.name = name

    def __repr__(self) -> str:
        return f"NetDevice({self.name!r}, {self._task!r})"

    async def _ask(self, op: SIOC, request: Request, family: AF = AF.UNIX) -> Request:
        async with await control_socket(self._task, family) as control:
            try:
                return request.unpack(await control.ioctl_bytes(op, request.pack()))
            except OSError as error:
                error.filename = self.name
                raise

    async def index(self) -> int:
        """Return the number of the interface. ``netdevice(7)``, SIOCGIFINDEX."""
        return (await self._ask(SIOC.GIFINDEX, IfreqInt(self._name))).value

    async def flags(self) -> IFF:
        """Return the low 16 flags. ``netdevice(7)``, SIOCGIFFLAGS."""
        return IFF((await self._ask(SIOC.GIFFLAGS, IfreqFlags(self._name))).flags)

    async def set_flags(self, flags: IFF) -> None:
        """Set the low 16 flags. ``netdevice(7)``, SIOCSIFFLAGS."""
        await self._ask(SIOC.SIFFLAGS, IfreqFlags(self._name, flags))

    async def set_up(self) -> None:
        """Bring it up. ``netdevice(7)``, SIOCSIFFLAGS."""
        await self.set_flags(await self.flags() | IFF.UP)

    async def set_down(self) -> None:
        """Bring it down. ``netdevice(7)``, SIOCSIFFLAGS."""
        await self.set_flags(await self.flags() & ~IFF.UP)

    async def mtu(self) -> int:
        """Return the largest packet, in bytes. ``netdevice(7)``, SIOCGIFMTU."""
        return (await self._ask(SIOC.GIFMTU, IfreqInt(self._name))).value

    async def set_mtu(self, size: int) -> None:
        """Set the largest packet, in bytes. ``netdevice(7)``, SIOCSIFMTU."""
        await self._ask(SIOC.SIFMTU, IfreqInt(self._name, size))

    async def txqueuelen(self) -> int:
        """Return how many packets may wait to be sent. ``netdevice(7)``, SIOCGIFTXQLEN."""
        return (await self._ask(SIOC.GIFTXQLEN, IfreqInt(self._name))).value

    async def set_txqueuelen(self, count: int) -> None:
        """Set how many packets may wait to be sent. ``netdevice(7)``, SIOCSIFTXQLEN.

        Only who has CAP_NET_ADMIN in the first user namespace may.
        """
        await self._ask(SIOC.SIFTXQLEN, IfreqInt(self._name, count))

    async def hwaddr(self) -> bytes:
        """Return the hardware address, 6 bytes of Ethernet. ``netdevice(7)``, SIOCGIFHWADDR."""
        got = await self._ask(SIOC.GIFHWADDR, IfreqAddr(self._name))
        return got.addr[2:8]

    async def set_hwaddr(self, address: bytes) -> None:
        """Set the hardware address, 6 bytes of Ethernet. ``netdevice(7)``, SIOCSIFHWADDR."""
        fit("length of the address", len(address), 6, 6)
        family = ETHER.to_bytes(2, "little")
        await self._ask(SIOC.SIFHWADDR, IfreqAddr(self._name, family + address))

    async def address(self) -> str:
        """Return the first IPv4 address. ``netdevice(7)``, SIOCGIFADDR."""
        return await self._address(SIOC.GIFADDR)

    async def set_address(self, address: str) -> None:
        """Set the first IPv4 address. ``netdevice(7)``, SIOCSIFADDR."""
        await self._set_address(SIOC.SIFADDR, address)

    async def netmask(self) -> str:
        """Return the mask of the first IPv4 address. ``netdevice(7)``, SIOCGIFNETMASK."""
        return await self._address(SIOC.GIFNETMASK)

    async def set_netmask(self, mask: str) -> None:
        """Set the mask of the first IPv4 address. ``netdevice(7)``, SIOCSIFNETMASK."""
        await self._set_address(SIOC.SIFNETMASK, mask)

    async def rename(self, name: str) -> NetDevice:
        """Give it another name; returns it by that. ``netdevice(7)``, SIOCSIFNAME."""
        renamed = NetDevice(self._task, name)
        await self._ask(SIOC.SIFNAME, IfreqName(self._name, device_name(name)))
        return renamed

    async def _address(self, op: SIOC) -> str:
        got = await self._ask(op, IfreqAddr(self._name), AF.INET)
        return SockaddrIn.unpack(got.addr).address

    async def _set_address(self, op: SIOC, address: str) -> None:
        packed = SockaddrIn(address, 0).pack()
        await self._ask(op, IfreqAddr(self._name, packed), AF.INET)
