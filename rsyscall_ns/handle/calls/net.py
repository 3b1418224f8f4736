"""``task.net``: sockets, in the task's network namespace."""

from __future__ import annotations

import os
from typing import final

import trio

from rsyscall_ns.handle.fds.pairs import two_made
from rsyscall_ns.handle.kinds.sockets import SocketFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.fdpair import FD_PAIR, FDPair
from rsyscall_ns.near.abi.if_h import SIOC, IfreqInt
from rsyscall_ns.near.abi.netlink_h import NETLINK, NLM_F
from rsyscall_ns.near.abi.socket_h import AF, SOCK
from rsyscall_ns.near.calls import net as near_net

from .netdevice import NetDevice, control_socket
from .netlink import converse

__all__ = ["Net"]

NO_FLAGS = NLM_F(0)


@final
class Net:
    """System calls that make sockets, and what one needs to use them in a new namespace."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @trio.lowlevel.enable_ki_protection
    async def socket(self, domain: AF | int, kind: SOCK | int, protocol: int = 0) -> SocketFD:
        """Make a socket, close-on-exec. ``socket(2)``."""
        task = self._task
        await task.sweep()
        made = await near_net.socket(task.sysif, domain, kind | SOCK.CLOEXEC, protocol)
        return SocketFD(task, made)

    @trio.lowlevel.enable_ki_protection
    async def socketpair(
        self,
        domain: AF | int = AF.UNIX,
        kind: SOCK | int = SOCK.STREAM,
        protocol: int = 0,
        *,
        into: Pointer[FDPair] | None = None,
    ) -> tuple[SocketFD, SocketFD]:
        """Make two connected sockets, close-on-exec.

        ``into``: is filled with their numbers, which stay the handles' own. ``socketpair(2)``.
        """
        task = self._task
        await task.sweep()
        with room(task, FD_PAIR, into) as pair:
            await near_net.socketpair(
                task.sysif, domain, kind | SOCK.CLOEXEC, protocol, pair.address
            )
            first, second = two_made(pair.result())
            return SocketFD(task, first), SocketFD(task, second)

    def device(self, name: str) -> NetDevice:
        """Return the network interface of a name; that there is one is not looked at yet."""
        return NetDevice(self._task, name)

    async def set_up(self, interface: str = "lo") -> None:
        """Bring a network interface up. ``netdevice(7)``, SIOCSIFFLAGS."""
        await self.device(interface).set_up()

    async def if_nametoindex(self, name: str) -> int:
        """Return the number of an interface. ``if_nametoindex(3)``."""
        return await self.device(name).index()

    async def if_indextoname(self, index: int) -> str:
        """Return the name of an interface. ``if_nametoindex(3)``."""
        async with await control_socket(self._task) as control:
            got = await control.ioctl_bytes(SIOC.GIFNAME, IfreqInt(value=index).pack())
        return os.fsdecode(IfreqInt.unpack(got).name.split(b"\0", 1)[0])

    async def netlink(
        self, protocol: NETLINK, kind: int, body: bytes = b"", flags: NLM_F = NO_FLAGS
    ) -> bytes:
        """Ask the kernel by netlink; returns all messages of its answer, as they came.

        ``kind``: the type of the message; ``body``: what follows its header. With ``NLM_F.DUMP``
        the answer has many parts, which may take many calls; the message that ends it is not in
        the result. A refused request raises NetlinkError with the kernel's errno and words. The
        kernel works on it within the call: in the interpreter's own task the event loop stands
        still while others change the network of the machine; a child's call can wait.
        ``netlink(7)``.
        """
        async with await self.socket(AF.NETLINK, SOCK.RAW, protocol) as socket:
            messages = await converse(socket, kind, body, flags)
        return b"".join(pad(message.data) for message in messages)


def pad(message: bytes) -> bytes:
    """Return a message up to where the next one can begin."""
    return message.ljust(-(-len(message) // 4) * 4, b"\0")
