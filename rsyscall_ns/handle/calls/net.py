"""``task.net``: sockets, in the task's network namespace."""

from __future__ import annotations

from typing import final

from rsyscall_ns.handle.context import MemoryTask
from rsyscall_ns.handle.kinds.sockets import SocketFD
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.socket_h import AF, IFF_UP, IFREQ, SIOCGIFFLAGS, SIOCSIFFLAGS, SOCK
from rsyscall_ns.near.calls import net as near
from rsyscall_ns.near.errors import PathError
from rsyscall_ns.near.strings import c_string

__all__ = ["Net"]

IFNAMSIZ = 16


@final
class Net:
    """System calls that make sockets, and what one needs to use them in a new namespace."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def socket(self, domain: AF, kind: SOCK, protocol: int = 0) -> SocketFD:
        """Make a socket, close-on-exec. ``socket(2)``."""
        task = self._task
        await task.sweep()
        made = await near.socket(task.sysif, domain, kind | SOCK.CLOEXEC, protocol)
        return SocketFD(task, made)

    async def socketpair(
        self, domain: AF = AF.UNIX, kind: SOCK = SOCK.STREAM, protocol: int = 0
    ) -> tuple[SocketFD, SocketFD]:
        """Make two connected sockets, close-on-exec. ``socketpair(2)``."""
        task = self._task
        await task.sweep()
        with task.transient(8) as pair:
            await near.socketpair(task.sysif, domain, kind | SOCK.CLOEXEC, protocol, pair.address)
            data = pair.read()
        first, second = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4))
        return (
            SocketFD(task, ids.FileDescriptor(first)),
            SocketFD(task, ids.FileDescriptor(second)),
        )

    async def set_up(self, interface: str = "lo") -> None:
        """Bring a network interface up. ``netdevice(7)``, SIOCSIFFLAGS."""
        name = c_string(interface)
        if len(name) > IFNAMSIZ:
            raise PathError(interface, f"is longer than {IFNAMSIZ - 1} bytes: no interface has it")
        async with await self.socket(AF.INET, SOCK.DGRAM) as control:
            got = await control.ioctl_bytes(SIOCGIFFLAGS, IFREQ.pack(name, 0))
            _, flags = IFREQ.unpack(got)
            await control.ioctl_bytes(SIOCSIFFLAGS, IFREQ.pack(name, flags | IFF_UP))
