"""SocketFD: an fd that is a socket.

Its layers are ``socket_options``, ``socket_names`` and ``socket_bytes``; here are messages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from errno import EBADF, EINVAL, ENOTSOCK
from typing import Any, ClassVar, Final, final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near.abi.msghdr_h import Mmsghdr, Msghdr
from rsyscall_ns.near.abi.socket_h import AF, MSG, SOL
from rsyscall_ns.near.abi.sockopt_h import SO
from rsyscall_ns.near.calls import net as near_net
from rsyscall_ns.near.ids import fit

from .socket_bytes import ByteSocket
from .socket_messages import Ancillary, Incoming, Message, Part, outgoing
from .socket_names import SocketAddress, address_of

__all__ = ["CONTROL", "SocketFD"]

LENGTH: Final = 4  # bytes of a socklen_t
CONTROL: Final = 2048  # bytes: all fds that a message can carry, and some more
MOST: Final = 1024  # messages that one call takes: UIO_MAXIOV


@final
class SocketFD(ByteSocket):
    """A socket.

    ``MSG.DONTWAIT`` and ``MSG.ERRQUEUE`` never wait: BlockingIOError says that they would have to.
    In the interpreter's own task the timeouts of the socket itself (``SO.RCVTIMEO``) have no
    effect, trio's have; and ``MSG.WAITALL`` is for ``recv`` and ``recvfrom`` only.
    """

    __slots__ = ()
    kind: ClassVar[str] = "socket"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a socket."""
        task = fd.task
        with (
            fd.borrow() as near_id,
            task.transient(LENGTH) as value,
            task.transient(LENGTH.to_bytes(LENGTH, "little")) as length,
        ):
            try:
                await near_net.getsockopt(
                    task.sysif, near_id, SOL.SOCKET, SO.TYPE, value.address, length.address
                )
            except OSError as error:
                if error.errno not in {ENOTSOCK, EBADF}:  # EBADF: opened with O_PATH
                    raise
                raise FDKindError(fd, cls.__name__, "it is no socket") from error

    async def sendmsg(
        self,
        data: Part | Sequence[Part],
        ancillary: Sequence[Ancillary] = (),
        address: SocketAddress | None = None,
        flags: int = MSG.NONE,
    ) -> int:
        """Send bytes, gathered from several places, and what goes with them. ``sendmsg(2)``.

        Returns how many bytes were taken. ``ancillary``: ``Rights``, whose fds must be the
        task's and stay so; ``Ucred``; ``Cmsg``. No SIGPIPE is raised.
        """
        quiet = flags | MSG.NOSIGNAL | self._dontwait
        task = self.task
        with ExitStack() as memory:
            header = outgoing(memory, task, data, ancillary, address)
            there = memory.enter_context(task.transient(header.pack()))
            return await self._sent(
                flags,
                address_of(address),
                lambda near_id: near_net.sendmsg(task.sysif, near_id, there.address, quiet),
            )

    async def sendmmsg(
        self,
        messages: Sequence[Message[Part | Sequence[Part]]],
        flags: int = MSG.NONE,
    ) -> int:
        """Send several messages; returns how many were sent, which may be fewer. ``sendmmsg(2)``.

        An error is that of the first one. No SIGPIPE is raised.
        """
        quiet = flags | MSG.NOSIGNAL | self._dontwait
        task = self.task
        fit("number of messages", len(messages), 1, MOST)
        with ExitStack() as memory:
            headers = b"".join(
                Mmsghdr(outgoing(memory, task, one.data, one.ancillary, one.address)).pack()
                for one in messages
            )
            there = memory.enter_context(task.transient(headers))
            return await self._sent(
                flags,
                address_of(messages[0].address),
                lambda near_id: near_net.sendmmsg(
                    task.sysif, near_id, there.address, len(messages), quiet
                ),
            )

    async def _with_cloexec(self, receive: Callable[[int], Awaitable[int]]) -> int:
        try:
            return await receive(MSG.CMSG_CLOEXEC)
        except OSError as error:
            if error.errno != EINVAL:
                raise
            # packet sockets don't know the flag; only those of AF_UNIX bring fds
            if await self.getsockopt(SOL.SOCKET, SO.DOMAIN) == AF.UNIX:
                raise
        return await receive(MSG.NONE)

    @overload
    async def recvmsg(
        self, into: int = 65536, flags: int = MSG.NONE, *, control: int = CONTROL
    ) -> Message[bytes]: ...

    @overload
    async def recvmsg(
        self, into: Sequence[Pointer[bytes]], flags: int = MSG.NONE, *, control: int = CONTROL
    ) -> Message[list[Pointer[bytes]]]: ...

    @trio.lowlevel.enable_ki_protection
    async def recvmsg(
        self,
        into: int | Sequence[Pointer[bytes]] = 65536,
        flags: int = MSG.NONE,
        *,
        control: int = CONTROL,
    ) -> Message[Any]:
        """Receive a message of up to ``into`` bytes, with what has come with it. ``recvmsg(2)``.

        Fds that it brings are handles, close-on-exec; no cancel loses one. ``control``: bytes of
        room for control messages; what does not fit is gone, and ``MSG.CTRUNC`` says so. With
        pointers: fills one after the other, consumes them, and returns the parts that were
        filled; the rest is freed.
        """
        task = self.task
        await task.sweep()
        how = fit("flags", flags, 0, 2**31 - 1) | self._dontwait
        with ExitStack() as memory:
            incoming = Incoming(memory, task, into, control)
            there = memory.enter_context(task.transient(incoming.header.pack()))
            got = await self._received(
                flags,
                lambda near_id: self._with_cloexec(
                    lambda cloexec: near_net.recvmsg(
                        task.sysif, near_id, there.address, how | cloexec
                    )
                ),
            )
            header = Msghdr.unpack(there.read())
            ancillary = incoming.ancillary(header)
            parts = incoming.data(got)
            data = parts[0] if isinstance(into, int) else parts
            said = MSG(header.flags & ~MSG.CMSG_CLOEXEC)
            return Message(data, ancillary, incoming.address(header), said, got)

    @overload
    async def recvmmsg(
        self, into: int, size: int = 2048, flags: int = MSG.NONE, *, control: int = CONTROL
    ) -> list[Message[bytes]]: ...

    @overload
    async def recvmmsg(
        self,
        into: Sequence[Pointer[bytes]],
        size: int = 2048,
        flags: int = MSG.NONE,
        *,
        control: int = CONTROL,
    ) -> list[Message[Pointer[bytes]]]: ...

    @trio.lowlevel.enable_ki_protection
    async def recvmmsg(
        self,
        into: int | Sequence[Pointer[bytes]],
        size: int = 2048,
        flags: int = MSG.NONE,
        *,
        control: int = CONTROL,
    ) -> list[Message[Any]]:
        """Wait for a message; returns it, and those that are there already. ``recvmmsg(2)``.

        At most ``into`` messages, each of up to ``size`` bytes, with ``control`` bytes of room for
        control messages each. With pointers: each takes one message, is consumed, and the part
        that was filled is returned; those of messages that have not come stay as they are.
        ``MSG.WAITFORONE`` is always set, and there is no timeout: trio has them.
        """
        task = self.task
        await task.sweep()
        rooms = [size] * fit("number of messages", into, 1, MOST) if isinstance(into, int) else into
        fit("number of messages", len(rooms), 1, MOST)
        how = fit("flags", flags, 0, 2**31 - 1) | MSG.WAITFORONE | self._dontwait
        with ExitStack() as memory:
            incoming = [
                Incoming(memory, task, one if isinstance(one, int) else [one], control)
                for one in rooms
            ]
            packed = b"".join(Mmsghdr(one.header).pack() for one in incoming)
            there = memory.enter_context(task.transient(packed))
            count = await self._received(
                flags,
                lambda near_id: self._with_cloexec(
                    lambda cloexec: near_net.recvmmsg(
                        task.sysif, near_id, there.address, len(incoming), how | cloexec, None
                    )
                ),
            )
            width = Mmsghdr.sizeof()
            headers = [Mmsghdr.unpack(there.read(width * n, width * (n + 1))) for n in range(count)]
            pairs = list(zip(incoming, headers, strict=False))
            ancillary = [one.ancillary(header.hdr) for one, header in pairs]
            return [
                Message(
                    one.data(header.len)[0],
                    items,
                    one.address(header.hdr),
                    MSG(header.hdr.flags & ~MSG.CMSG_CLOEXEC),
                    header.len,
                )
                for (one, header), items in zip(pairs, ancillary, strict=True)
            ]
