"""Messages: what sendmsg and recvmsg carry besides bytes, and how that lies in memory.

Knows nothing of sockets. The fds that come with a message are handles as soon as it is here.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final, Generic, TypeVar, final

import trio
from attrs import field

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.context import MemoryTask, Transient
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.msghdr_h import Cmsg, Msghdr, pack_cmsgs, unpack_cmsgs
from rsyscall_ns.near.abi.sockaddr_h import SOCKADDR_MAX, Sockaddr, unpack_sockaddr
from rsyscall_ns.near.abi.socket_h import MSG, SOL, Ucred
from rsyscall_ns.near.abi.sockopt_h import SCM, SO
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.values import value
from rsyscall_ns.transport.pace import pace

from .pidfd import PidFD
from .socket_names import SocketAddress, checked_address

__all__ = ["Ancillary", "AncillaryError", "Incoming", "Message", "Rights", "Timestamp", "outgoing"]

Data_co = TypeVar("Data_co", covariant=True)
Part = bytes | bytearray | memoryview | Pointer[bytes]
INT: Final = struct.Struct("<i")
TIME: Final = struct.Struct("<qq")
IOVEC: Final = struct.Struct("<QQ")
MOST_FDS: Final = 253  # SCM_MAX_FD
PER_SECOND: Final = 1_000_000_000  # nanoseconds
# how many nanoseconds the second number of each timestamp counts
FRACTIONS: Final = {
    SO.TIMESTAMP: 1000,
    SO.TIMESTAMP_NEW: 1000,
    SO.TIMESTAMPNS: 1,
    SO.TIMESTAMPNS_NEW: 1,
}


class AncillaryError(RsyscallError, ValueError):
    """A control message that can't be sent like that."""

    def __init__(self, what: object, why: str) -> None:
        super().__init__(f"{what} {why}")


def _fds(fds: Sequence[FileDescriptor]) -> tuple[FileDescriptor, ...]:
    fit("number of fds", len(fds), 0, MOST_FDS)
    return tuple(fds)


@final
@value
class Rights:
    """Fds that go with a message (``SCM_RIGHTS``).

    Sent ones stay the sender's. Received ones are new handles: whoever has received them closes
    them; ``as_kind`` makes sockets, files ... of them.
    """

    fds: tuple[FileDescriptor, ...] = field(converter=_fds)


@final
@value
class Timestamp:
    """When a packet came, in nanoseconds since 1970 (``SO.TIMESTAMP``, ``SO.TIMESTAMPNS``)."""

    ns: int


Ancillary = Rights | Ucred | PidFD | Timestamp | Cmsg


@final
@value
class Message(Generic[Data_co]):
    """Data and what goes with them.

    Of one to send, ``data`` are bytes, a pointer to them, or several of these, and ``address`` is
    whom it goes to. Of a received one, ``flags`` says what was cut off (``MSG.TRUNC``,
    ``MSG.CTRUNC``), and ``length`` how many bytes were received; the handles in ``ancillary``
    are the receiver's to close, which ``close`` does with all of them.
    """

    data: Data_co
    ancillary: tuple[Ancillary, ...] = field(default=(), converter=tuple[Ancillary, ...])
    address: SocketAddress | None = None
    flags: MSG = MSG.NONE
    length: int = 0

    @property
    def fds(self) -> tuple[FileDescriptor, ...]:
        """All fds that came with it, in their order."""
        return tuple(fd for item in self.ancillary if isinstance(item, Rights) for fd in item.fds)

    @property
    def credentials(self) -> Ucred | None:
        """Who has sent it, where ``SO.PASSCRED`` is set."""
        return next((item for item in self.ancillary if isinstance(item, Ucred)), None)

    @property
    def pidfd(self) -> PidFD | None:
        """Who has sent it, where ``SO.PASSPIDFD`` is set, and has not ended."""
        return next((item for item in self.ancillary if isinstance(item, PidFD)), None)

    @property
    def timestamp(self) -> Timestamp | None:
        """When it came, where ``SO.TIMESTAMP`` or ``SO.TIMESTAMPNS`` is set."""
        return next((item for item in self.ancillary if isinstance(item, Timestamp)), None)

    @trio.lowlevel.enable_ki_protection
    async def close(self) -> None:
        """Close all handles that came with it, also when it is cancelled. Idempotent."""
        with trio.CancelScope(shield=True):
            for fd in (*self.fds, *(item for item in self.ancillary if isinstance(item, PidFD))):
                await fd.close()
        await pace()


def outgoing(
    memory: ExitStack,
    task: MemoryTask,
    data: Part | Sequence[Part],
    ancillary: Sequence[Ancillary],
    address: SocketAddress | None,
) -> Msghdr:
    """Lay a message out in memory, which lasts as long as ``memory``; fds are borrowed."""
    kinds = (bytes, bytearray, memoryview, Pointer)  # sequences too, but of ints
    parts: Sequence[Any] = [data] if isinstance(data, kinds) else data  # Any: of a memoryview
    vector = b"".join(
        IOVEC.pack(there.address.value, there.size)
        for there in [memory.enter_context(given(task, part)) for part in parts]
        if there.address is not None
    )
    name = None if address is None else checked_address(address)
    control = pack_cmsgs(_packed(memory, task, item) for item in ancillary)
    to = memory.enter_context(given(task, name))
    iov = memory.enter_context(given(task, vector))
    extra = memory.enter_context(given(task, control or None))
    return Msghdr(
        name=_at(to.address),
        namelen=to.size,
        iov=_at(iov.address),
        iovlen=len(vector) // IOVEC.size,
        control=_at(extra.address),
        controllen=extra.size,
    )


def _at(address: Address | None) -> int:
    return 0 if address is None else address.value


def _packed(memory: ExitStack, task: MemoryTask, item: Ancillary) -> Cmsg:
    if isinstance(item, Rights):
        numbers = [memory.enter_context(fd.borrow(task)).number for fd in item.fds]
        return Cmsg(SOL.SOCKET, SCM.RIGHTS, b"".join(INT.pack(number) for number in numbers))
    if isinstance(item, Ucred):
        return Cmsg(SOL.SOCKET, SCM.CREDENTIALS, item.pack())
    if not isinstance(item, Cmsg):
        raise AncillaryError(item, "is only received: the kernel makes it")
    if item.level == SOL.SOCKET and item.type in {SCM.RIGHTS, SCM.PIDFD}:
        raise AncillaryError(item, "has numbers of fds: send Rights, with handles")
    return item


@final
class Incoming:
    """Memory for one message to be received, which lasts as long as the stack it is made on."""

    __slots__ = ("_control", "_name", "_parts", "_task", "header")

    def __init__(
        self,
        memory: ExitStack,
        task: MemoryTask,
        data: int | Sequence[Pointer[bytes]],
        control: int,
    ) -> None:
        self._task = task
        rooms = (
            [room(task, BYTES, size=data)]
            if isinstance(data, int)
            else [room(task, BYTES, pointer) for pointer in data]
        )
        self._parts = [memory.enter_context(one) for one in rooms]
        vector = b"".join(IOVEC.pack(part.address.value, part.size) for part in self._parts)
        iov = memory.enter_context(task.transient(vector))
        self._name: Transient = memory.enter_context(task.transient(SOCKADDR_MAX))
        self._control: Transient = memory.enter_context(task.transient(control))
        self.header = Msghdr(
            name=self._name.address.value,
            namelen=SOCKADDR_MAX,
            iov=iov.address.value,
            iovlen=len(self._parts),
            control=self._control.address.value,
            controllen=control,
        )

    def ancillary(self, header: Msghdr) -> tuple[Ancillary, ...]:
        """Take over what has come, first of all: the fds are handles then.

        ``header``: as the kernel has filled it.
        """
        control = self._control.read(0, header.controllen)
        return tuple(_unpacked(self._task, cmsg) for cmsg in unpack_cmsgs(control))

    def address(self, header: Msghdr) -> Sockaddr | None:
        """Return the sender's name."""
        return unpack_sockaddr(self._name.read(0, min(header.namelen, SOCKADDR_MAX)))

    def data(self, got: int) -> list[bytes | Pointer[bytes]]:
        """Return what was filled of each part. Consumes the caller's pointers."""
        found: list[bytes | Pointer[bytes]] = []
        for part in self._parts:
            size = min(got, part.size)
            got -= size
            found.append(part.result(size))
        return found


def _unpacked(task: MemoryTask, cmsg: Cmsg) -> Ancillary:
    if cmsg.level != SOL.SOCKET:
        return cmsg
    if cmsg.type == SCM.RIGHTS:
        whole = len(cmsg.data) // INT.size * INT.size  # of one that was cut off
        numbers = [number for (number,) in INT.iter_unpack(cmsg.data[:whole])]
        return Rights([FileDescriptor(task, ids.FileDescriptor(number)) for number in numbers])
    if cmsg.type == SCM.PIDFD and len(cmsg.data) == INT.size:
        (number,) = INT.unpack(cmsg.data)
        return PidFD(task, ids.FileDescriptor(number)) if number >= 0 else cmsg
    if cmsg.type == SCM.CREDENTIALS and len(cmsg.data) == Ucred.sizeof():
        return Ucred.unpack(cmsg.data)
    if cmsg.type in FRACTIONS and len(cmsg.data) == TIME.size:
        seconds, fraction = TIME.unpack(cmsg.data)
        return Timestamp(seconds * PER_SECOND + fraction * FRACTIONS[SO(cmsg.type)])
    return cmsg
