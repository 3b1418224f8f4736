"""UserfaultFD: an fd that tells of page faults, and fills the pages."""

from __future__ import annotations

import select
import struct
from typing import ClassVar, Final, TypeVar, final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.mapping import MemoryMapping
from rsyscall_ns.handle.pointers.passing import given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.fcntl_h import F_GETFL, F_SETFL, O
from rsyscall_ns.near.abi.layout import CStruct
from rsyscall_ns.near.abi.userfaultfd_h import (
    UFFD_EVENT,
    UFFD_FEATURE,
    UFFD_MSG_SIZE,
    UFFD_PAGEFAULT,
    UFFD_REGISTER,
    UFFDIO,
    UffdioApi,
    UffdioContinue,
    UffdioCopy,
    UffdioMove,
    UffdioRange,
    UffdioRegister,
    UffdioWriteprotect,
    UffdioZeropage,
    UffdMsg,
)
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.values import value

__all__ = ["UffdEvent", "UserfaultFD"]

Struct = TypeVar("Struct", bound=CStruct)
POLLFD: Final = struct.Struct("<ihh")
DONTWAKE: Final = 1
COPY_WP: Final = 2
PROTECT: Final = 1
PROTECT_DONTWAKE: Final = 2
MOST: Final = 1024  # events
NOWHERE: Final = Address(0)


@value
class UffdEvent:
    """What has happened in memory that was registered.

    ``address`` of a fault, or where a range begins that was removed, unmapped or moved; ``end`` of
    it, in bytes as the address; ``to``: where it was moved. ``thread``: who made the fault, where
    that was asked for. ``fd``: of a fork, what tells of the new process's faults; close it.
    """

    event: UFFD_EVENT
    address: Address = NOWHERE
    flags: UFFD_PAGEFAULT = UFFD_PAGEFAULT.NONE
    thread: int = 0
    end: Address = NOWHERE
    to: Address = NOWHERE
    fd: UserfaultFD | None = None


@final
class UserfaultFD(FileDescriptor):
    """Page faults of the address space of the task that made it; ``api`` comes first.

    Whoever makes a fault sleeps until its page is filled: somebody else must do that.
    """

    __slots__ = ()
    kind: ClassVar[str] = "userfaultfd"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a userfaultfd, as ``/proc`` shows it."""
        await check_link(fd, cls.__name__, "anon_inode:[userfaultfd]")

    async def _control(self, request: UFFDIO, argument: Struct) -> Struct:
        """Make one request; returns the struct as the kernel has left it."""
        with self.borrow() as near_id, self.task.transient(argument.pack()) as there:
            await near_fd.ioctl(self.task.sysif, near_id, request, there.address.value)
            return type(argument).unpack(there.read())

    @overload
    async def api(self, features: UFFD_FEATURE = ...) -> UffdioApi: ...

    @overload
    async def api(self, features: Pointer[UffdioApi]) -> Pointer[UffdioApi]: ...

    async def api(
        self, features: UFFD_FEATURE | Pointer[UffdioApi] = UFFD_FEATURE.NONE
    ) -> UffdioApi | Pointer[UffdioApi]:
        """Agree on features; returns those that there are. Once, and first.

        A pointer's struct is changed in place. ``ioctl_userfaultfd(2)``, UFFDIO_API.
        """
        if not isinstance(features, Pointer):
            return await self._control(UFFDIO.API, UffdioApi(features=features))
        with self.borrow() as near_id, given(self.task, features) as there:
            assert there.address is not None, "a pointer has an address"
            await near_fd.ioctl(self.task.sysif, near_id, UFFDIO.API, there.address.value)
        return features

    async def register(
        self,
        mapping: MemoryMapping,
        mode: UFFD_REGISTER = UFFD_REGISTER.MISSING,
        offset: int = 0,
        length: int | None = None,
    ) -> int:
        """Have faults in a mapping told of; returns the bits of the requests that it allows.

        ``UFFDIO_REGISTER``.
        """
        with mapping.borrow(mapping.task) as address:
            part = part_of(mapping, address, offset, length)
            told = await self._control(UFFDIO.REGISTER, UffdioRegister(part, mode))
        return told.ioctls

    async def unregister(
        self, mapping: MemoryMapping, offset: int = 0, length: int | None = None
    ) -> None:
        """Take ``register`` back; whoever waits for a page there gets it. ``UFFDIO_UNREGISTER``."""
        with mapping.borrow(mapping.task) as address:
            await self._control(UFFDIO.UNREGISTER, part_of(mapping, address, offset, length))

    async def copy(
        self,
        to: Address,
        data: bytes | Pointer[bytes],
        *,
        wake: bool = True,
        protect: bool = False,
    ) -> int:
        """Fill whole pages at ``to`` with data; returns how many bytes. ``UFFDIO_COPY``.

        ``wake``: those that wait for them. ``protect``: tell of writes to them.
        """
        mode = (0 if wake else DONTWAKE) | (COPY_WP if protect else 0)
        with given(self.task, data) as there:
            assert there.address is not None, "data is never None"
            wanted = UffdioCopy(to.value, there.address.value, there.size, mode)
            return (await self._control(UFFDIO.COPY, wanted)).copy

    async def zeropage(self, to: Address, length: int, *, wake: bool = True) -> int:
        """Fill pages with zeros; returns how many bytes. ``UFFDIO_ZEROPAGE``."""
        wanted = UffdioZeropage(UffdioRange(to.value, length), 0 if wake else DONTWAKE)
        return (await self._control(UFFDIO.ZEROPAGE, wanted)).zeropage

    async def move(self, to: Address, source: Address, length: int, *, wake: bool = True) -> int:
        """Fill pages by moving others of the same address space there. ``UFFDIO_MOVE``."""
        wanted = UffdioMove(to.value, source.value, length, 0 if wake else DONTWAKE)
        return (await self._control(UFFDIO.MOVE, wanted)).move

    async def resume(self, to: Address, length: int, *, wake: bool = True) -> int:
        """Map the pages that the page cache has, after a minor fault. ``UFFDIO_CONTINUE``."""
        wanted = UffdioContinue(UffdioRange(to.value, length), 0 if wake else DONTWAKE)
        return (await self._control(UFFDIO.CONTINUE, wanted)).mapped

    async def poison(self, to: Address, length: int, *, wake: bool = True) -> int:
        """Have whoever touches the pages get SIGBUS. ``UFFDIO_POISON``."""
        wanted = UffdioContinue(UffdioRange(to.value, length), 0 if wake else DONTWAKE)
        return (await self._control(UFFDIO.POISON, wanted)).mapped

    async def writeprotect(
        self, to: Address, length: int, *, protect: bool = True, wake: bool = True
    ) -> None:
        """Have writes to pages told of, or let them through. ``UFFDIO_WRITEPROTECT``."""
        mode = (PROTECT if protect else 0) | (0 if wake or protect else PROTECT_DONTWAKE)
        await self._control(
            UFFDIO.WRITEPROTECT, UffdioWriteprotect(UffdioRange(to.value, length), mode)
        )

    async def wake(self, to: Address, length: int) -> None:
        """Wake those that wait for pages, which are looked at again. ``UFFDIO_WAKE``."""
        await self._control(UFFDIO.WAKE, UffdioRange(to.value, length))

    @trio.lowlevel.enable_ki_protection
    async def read_events(self, most: int = 16) -> list[UffdEvent]:
        """Wait for events; returns up to ``most`` of them. ``read(2)``.

        In the interpreter it sets ``O_NONBLOCK`` of the open file, without which the kernel does
        not tell whether there are any.
        """
        fit("number of events", most, 1, MOST)
        await self.task.sweep()
        if self.task.sysif.same_thread:
            with self.borrow() as near_id:
                flags = await near_fd.fcntl(self.task.sysif, near_id, F_GETFL, 0)
                if not flags & O.NONBLOCK:
                    await near_fd.fcntl(self.task.sysif, near_id, F_SETFL, flags | O.NONBLOCK)
        while True:
            try:
                data = await self.read(most * UFFD_MSG_SIZE)
                break
            except BlockingIOError:
                await self._poll()
        parts = (data[at : at + UFFD_MSG_SIZE] for at in range(0, len(data), UFFD_MSG_SIZE))
        return [self._event(told) for told in map(UffdMsg.unpack, parts) if told is not None]

    def _event(self, told: UffdMsg) -> UffdEvent:
        made = UserfaultFD(self.task, ids.FileDescriptor(told.fd)) if told.fd >= 0 else None
        return UffdEvent(told.event, told.address, told.flags, told.thread, told.end, told.to, made)

    async def _poll(self) -> None:
        """Wait in the child that has the fd, which does not block."""
        with self.borrow() as near_id:
            ask = POLLFD.pack(near_id.number, select.POLLIN, 0)
            with self.task.transient(ask) as there:
                await near_fd.ppoll(self.task.sysif, there.address, 1, None, None, 0)


def part_of(
    mapping: MemoryMapping, address: Address, offset: int, length: int | None
) -> UffdioRange:
    """Return a part of a mapping, as the requests take it."""
    start, size = mapping.part(offset, length)
    return UffdioRange(address.value + start, size)
