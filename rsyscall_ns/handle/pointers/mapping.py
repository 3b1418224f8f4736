"""MemoryMapping: an owned range of addresses of one address space.

States of a mapping::

    valid --munmap, mremap--> gone        (consumed: mremap's result owns the memory)
    valid --mseal--> sealed               (can't be unmapped or changed any more)

A mapping that nobody unmaps lasts as long as its address space: ``async with`` it.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Awaitable, Callable
from typing import Final, Self, final

import trio

from rsyscall_ns.far.namespaces import AddressSpace
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.mempolicy_h import MPOL_MF, NODE_BITS, NumaPolicy
from rsyscall_ns.near.abi.mman_h import MADV, MAP, MLOCK, MREMAP, MSYNC, PROT
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.calls import mem as near_mem
from rsyscall_ns.near.calls.base import run
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import SIZE_LIMIT, Address, fit
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program
from rsyscall_ns.transport.pace import pace

from .context import LARGEST, MemoryTask
from .passing import room
from .pointer import Pointer, PointerInUseError, UseAfterFreeError
from .policy import policy_given

__all__ = ["PAGE", "MappingFlagsError", "MappingSealedError", "MemoryMapping"]
__all__ += ["rounded"]

IOVEC: Final = struct.Struct("<QQ")
PAGE: Final = mmap.PAGESIZE  # bytes
LOCKED_NOW: Final = MLOCK(0)
MAP_NOTHING: Final = MAP(0)
MAY_MOVE: Final = MREMAP.MAYMOVE
ALL: Final = None  # the length of a part: up to the mapping's end


class MappingFlagsError(RsyscallError, ValueError):
    """Flags of a mapping that exclude each other, or would destroy what others own."""

    def __init__(self, what: str, flags: object, why: str) -> None:
        super().__init__(f"{what} with {flags!r}: {why}")


class MappingSealedError(RsyscallError):
    """A mapping was to be unmapped or moved that was sealed."""

    def __init__(self, mapping: object) -> None:
        super().__init__(f"{mapping} is sealed: it stays as it is until its process execs or ends")


@final
class MappingBorrow:
    """``with mapping.borrow(task) as address``."""

    __slots__ = ("_mapping", "_task")

    def __init__(self, mapping: MemoryMapping, task: MemoryTask) -> None:
        self._mapping = mapping
        self._task = task

    def __enter__(self) -> Address:
        near = self._mapping.near
        self._task.check_address_space(self._mapping, self._mapping.space)
        self._mapping.borrows += 1
        return near

    def __exit__(self, *_: object) -> None:
        self._mapping.borrows -= 1


@final
class MemoryMapping:
    """Owns the memory at one range of addresses; ``task.mem.mmap`` and ``shmat`` make one.

    ``offset`` and ``length`` of a method, in bytes, say which part of it is meant: whole pages,
    except for ``read`` and ``write``. Leaving its ``async with`` unmaps it, unless it is sealed.
    """

    __slots__ = (
        "__weakref__",
        "_address",
        "_attached",
        "_sealed",
        "_size",
        "_valid",
        "borrows",
        "space",
        "task",
    )

    def __init__(
        self, task: MemoryTask, address: Address, size: int, *, attached: bool = False
    ) -> None:
        """Take over memory that is mapped; ``size`` in bytes, whole pages.

        ``attached``: it is a System V segment, which ``shmdt`` detaches.
        """
        self._attached = attached
        self.task = task
        self._address = address
        self._size = size
        self._valid = True
        self._sealed = False
        self.borrows = 0
        self.space: AddressSpace = task.address_space

    def __repr__(self) -> str:
        state = "" if self._valid else ", gone"
        return f"{type(self).__name__}({self._address}, {self._size} bytes{state})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._valid and not self._sealed:
            with trio.CancelScope(shield=True):
                await (self.shmdt() if self._attached else self.munmap())
        await pace()

    @property
    def valid(self) -> bool:
        """Whether the memory is still owned by this handle."""
        return self._valid

    @property
    def sealed(self) -> bool:
        """Whether it was sealed by ``mseal``."""
        return self._sealed

    @property
    def near(self) -> Address:
        """The address; raises UseAfterFreeError when it is gone."""
        if not self._valid:
            raise UseAfterFreeError(self)
        return self._address

    def size(self) -> int:
        """Return how many bytes are owned."""
        return self._size

    def borrow(self, task: MemoryTask | None = None) -> MappingBorrow:
        """Use the memory in a call of ``task`` (default: its own); not unmapped meanwhile."""
        return MappingBorrow(self, task or self.task)

    def for_task(self, task: MemoryTask) -> MemoryMapping:
        """Return the mapping as used through another task of its address space. Consumes it."""
        with self.borrow(task):
            pass
        self._consume()
        made = MemoryMapping(task, self._address, self._size, attached=self._attached)
        made._sealed = self._sealed
        return made

    def _check_unused(self) -> None:
        _ = self.near
        if self.borrows:
            raise PointerInUseError(self, "a call that is under way")

    def _consume(self) -> None:
        self._check_unused()
        self._valid = False

    def _check_whole(self) -> None:
        self._check_unused()
        self.task.check_address_space(self, self.space)
        if self._sealed:
            raise MappingSealedError(self)

    def part(self, offset: int, length: int | None) -> tuple[int, int]:
        """Return where a part of it begins and how long it is; what is not in it is refused."""
        fit("offset", offset, 0, self._size)
        left = self._size - offset
        return offset, left if length is None else fit("length", length, 0, left)

    async def munmap(self) -> None:
        """Unmap the memory. Consumes the handle. ``munmap(2)``."""
        await self._end(lambda: near_mem.munmap(self.task.sysif, self._address, self._size))

    async def shmdt(self) -> None:
        """Detach a System V segment. Consumes the handle. ``shmop(2)``."""
        if not self._attached:
            raise MappingFlagsError("shmdt", self, "it is no System V segment: use munmap")
        await self._end(lambda: near_ipc.shmdt(self.task.sysif, self._address))

    @trio.lowlevel.enable_ki_protection
    async def _end(self, call: Callable[[], Awaitable[None]]) -> None:
        await pace()
        self._check_whole()
        self._valid = False
        try:
            with trio.CancelScope(shield=True):
                await call()
        except OSError:
            self._valid = True  # the kernel has left it as it was
            raise

    @trio.lowlevel.enable_ki_protection
    async def mremap(
        self, size: int, flags: MREMAP = MAY_MOVE, *, onto: MemoryMapping | None = None
    ) -> MemoryMapping:
        """Resize the memory to ``size`` bytes, or move it. Consumes the handle. ``mremap(2)``.

        ``onto``: moves it to where another mapping is, which is consumed too. With
        ``MREMAP.DONTUNMAP`` this one stays, empty, and the result has what was in it.
        """
        await pace()
        self._check_whole()
        fit("size", size, 1, SIZE_LIMIT)
        if onto is None and MREMAP.FIXED in flags:
            raise MappingFlagsError("mremap", flags, "say onto which mapping")
        there = None
        if onto is not None:
            there = self._place_of(onto, size)
            flags |= MREMAP.FIXED | MREMAP.MAYMOVE
        self._let_be(onto, valid=False)  # forgotten first: nobody may use them meanwhile
        with trio.CancelScope(shield=True):
            try:
                made = await near_mem.mremap(
                    self.task.sysif, self._address, self._size, size, flags, there
                )
            except OSError:
                self._let_be(onto, valid=True)  # the kernel has left them as they were
                raise
            self._valid = MREMAP.DONTUNMAP in flags
            if onto is not None and onto.size() > rounded(size):
                rest = made + rounded(size)
                await near_mem.munmap(self.task.sysif, rest, onto.size() - rounded(size))
            return MemoryMapping(self.task, made, rounded(size), attached=self._attached)
        raise AssertionError("a shielded scope is never cancelled")

    def _let_be(self, other: MemoryMapping | None, *, valid: bool) -> None:
        self._valid = valid
        if other is not None:
            other._valid = valid  # noqa: SLF001 - of the same class

    def _place_of(self, onto: MemoryMapping, size: int) -> Address:
        if onto is self:
            raise MappingFlagsError("mremap", MREMAP.FIXED, "it can't be moved onto itself")
        onto._check_whole()
        fit("size", size, 1, onto._size)
        return onto._address

    async def mprotect(self, prot: PROT, offset: int = 0, length: int | None = ALL) -> None:
        """Change what may be done with the memory. ``mprotect(2)``."""
        start, size = self.part(offset, length)
        with self.borrow() as address:
            await near_mem.mprotect(self.task.sysif, address + start, size, prot)

    async def pkey_mprotect(
        self, prot: PROT, pkey: int, offset: int = 0, length: int | None = ALL
    ) -> None:
        """As ``mprotect``, and have a protection key say more. ``pkey_mprotect(2)``."""
        start, size = self.part(offset, length)
        with self.borrow() as address:
            await near_mem.pkey_mprotect(self.task.sysif, address + start, size, prot, pkey)

    async def madvise(self, advice: MADV, offset: int = 0, length: int | None = ALL) -> None:
        """Tell how the memory will be used, or have something done with it. ``madvise(2)``."""
        start, size = self.part(offset, length)
        with self.borrow() as address:
            await near_mem.madvise(self.task.sysif, address + start, size, advice)

    async def msync(
        self, flags: MSYNC = MSYNC.SYNC, offset: int = 0, length: int | None = ALL
    ) -> None:
        """Have changes of a shared file mapping written to the file. ``msync(2)``."""
        start, size = self.part(offset, length)
        with self.borrow() as address:
            await near_mem.msync(self.task.sysif, address + start, size, flags)

    async def mincore(
        self, offset: int = 0, length: int | None = ALL, *, into: Pointer[bytes] | None = None
    ) -> list[bool] | Pointer[bytes]:
        """Return for each page whether it is in memory. ``mincore(2)``.

        With ``into``: fills it with a byte for each page, whose lowest bit says so.
        """
        start, size = self.part(offset, length)
        pages = -(-size // PAGE)
        with self.borrow() as address, room(self.task, BYTES, into, max(pages, 1)) as there:
            fit("size of the buffer", there.size, pages, LARGEST)
            await near_mem.mincore(self.task.sysif, address + start, size, there.address)
            told = there.result()
        return told if isinstance(told, Pointer) else [bool(page & 1) for page in told[:pages]]

    async def mlock(self, offset: int = 0, length: int | None = ALL) -> None:
        """Keep the pages in memory, and load them now. ``mlock(2)``."""
        await self.mlock2(LOCKED_NOW, offset, length)

    async def mlock2(self, flags: MLOCK, offset: int = 0, length: int | None = ALL) -> None:
        """Keep the pages in memory; with ``MLOCK.ONFAULT`` once they are there. ``mlock2(2)``."""
        start, size = self.part(offset, length)
        with self.borrow() as address:
            await near_mem.mlock2(self.task.sysif, address + start, size, flags)

    async def munlock(self, offset: int = 0, length: int | None = ALL) -> None:
        """Take ``mlock`` back. ``munlock(2)``."""
        start, size = self.part(offset, length)
        with self.borrow() as address:
            await near_mem.munlock(self.task.sysif, address + start, size)

    async def mseal(self) -> None:
        """Forbid all later changes of the mapping. ``mseal(2)``.

        From now on it can't be unmapped, moved, resized or protected otherwise, by nobody: it
        stays until its process execs or ends.
        """
        with self.borrow() as address:
            await near_mem.mseal(self.task.sysif, address, self._size, 0)
        self._sealed = True

    async def mbind(
        self,
        policy: NumaPolicy | Pointer[NumaPolicy],
        flags: MPOL_MF = MPOL_MF.NONE,
        offset: int = 0,
        length: int | None = ALL,
    ) -> None:
        """Set from which NUMA nodes the memory is taken. ``mbind(2)``."""
        start, size = self.part(offset, length)
        with self.borrow() as address, policy_given(self.task, policy) as there:
            begin, mode = address + start, there.mode
            await near_mem.mbind(self.task.sysif, begin, size, mode, there.nodes, there.bits, flags)

    async def set_mempolicy_home_node(
        self, node: int, offset: int = 0, length: int | None = ALL
    ) -> None:
        """Set which node of its policy the memory is at home on. ``set_mempolicy_home_node(2)``."""
        start, size = self.part(offset, length)
        with self.borrow() as address:
            await near_mem.set_mempolicy_home_node(
                self.task.sysif, address + start, size, fit("node", node, 0, NODE_BITS - 1), 0
            )

    async def remap_file_pages(
        self, pgoff: int, offset: int = 0, length: int | None = ALL, flags: MAP = MAP_NOTHING
    ) -> None:
        """Show another part of a shared file mapping here, from page ``pgoff`` of the file on.

        Obsolete: since Linux 4.0 it makes a mapping of its own. ``remap_file_pages(2)``.
        """
        start, size = self.part(offset, length)
        with self.borrow() as address:
            await near_mem.remap_file_pages(
                self.task.sysif, address + start, size, 0, fit("pgoff", pgoff, 0, 2**52), flags
            )

    async def read(self, length: int | None = ALL, offset: int = 0) -> bytes:
        """Return what is in the memory. What may not be read is an error, EFAULT."""
        start, size = self.part(offset, length)
        with self.borrow() as address, self.task.transient(size) as buffer:
            await self._copy(SYS.process_vm_readv, buffer.address, address + start, size)
            return buffer.read()

    async def write(self, data: bytes, offset: int = 0) -> None:
        """Store bytes in the memory. Where nothing may be written is an error, EFAULT."""
        start, size = self.part(offset, len(data))
        with self.borrow() as address, self.task.transient(data) as buffer:
            await self._copy(SYS.process_vm_writev, buffer.address, address + start, size)

    async def _copy(self, number: int, ours: Address, theirs: Address, size: int) -> None:
        """Have the kernel copy: a copy of the task's own would die of memory that it may not use.

        ``process_vm_readv(2)`` of the task itself.
        """
        done = 0
        while done < size:
            program = Program()
            local = program.room(IOVEC.pack(ours.value + done, size - done))
            remote = program.room(IOVEC.pack(theirs.value + done, size - done))
            own = program.call(SYS.getpid)
            copied = program.call(number, own, local, 1, remote, 1, 0)
            done += (await run(self.task.sysif, program)).value(copied)


def rounded(size: int) -> int:
    """Return how many bytes the pages have that ``size`` bytes are on."""
    return -(-size // PAGE) * PAGE
