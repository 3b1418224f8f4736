"""``task.mem``: the task's address space."""

from __future__ import annotations

import struct
from typing import Final, final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.userfault import UserfaultFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.mapping import (
    MappingFlagsError,
    MemoryMapping,
    rounded,
)
from rsyscall_ns.handle.pointers.passing import borrowed, given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.pointers.policy import policy_given
from rsyscall_ns.memory.numa import MODE_SIZE, NUMA_POLICY
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.ldt_h import LDT_ENTRIES, LDT_ENTRY_SIZE, MODIFY_LDT, UserDesc
from rsyscall_ns.near.abi.mempolicy_h import (
    MEMBARRIER,
    MPOL_F,
    NODE_BITS,
    NumaPolicy,
)
from rsyscall_ns.near.abi.mman_h import MAP, MCL, PKEY, PROT, SHADOW_STACK
from rsyscall_ns.near.abi.userfaultfd_h import UFFD_USER_MODE_ONLY
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.calls import mem as near_mem
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.ids import SIZE_LIMIT, Address, fit

__all__ = ["Memory"]

INT: Final = struct.Struct("<i")
NO_KEY_RIGHTS: Final = PKEY.NONE
NO_STACK_FLAG: Final = SHADOW_STACK.NONE
KEYS: Final = 15  # the highest protection key that any processor has


@final
class Memory:
    """System calls about the task's address space, which its children share unless they exec."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @trio.lowlevel.enable_ki_protection
    async def mmap(
        self,
        length: int,
        prot: PROT = PROT.READ | PROT.WRITE,
        flags: MAP | None = None,
        fd: FileDescriptor | None = None,
        offset: int = 0,
        *,
        address: Address | None = None,
    ) -> MemoryMapping:
        """Map fresh memory, or ``length`` bytes of a file; returns its handle. ``mmap(2)``.

        ``flags``: by default ``MAP.PRIVATE``, with ``MAP.ANONYMOUS`` where there is no fd.
        ``address``: where it would best be; with ``MAP.FIXED_NOREPLACE`` there or not at all.
        ``MAP.FIXED`` is refused: it destroys what is there. The pages of ``MAP.HUGETLB`` are
        larger: give a multiple of their size.
        """
        task = self._task
        fit("length", length, 1, SIZE_LIMIT)
        if flags is None:
            flags = MAP.PRIVATE if fd is not None else MAP.PRIVATE | MAP.ANONYMOUS
        check_flags(flags, fd, address)
        with borrowed(task, fd) as file:
            made = await near_mem.mmap(task.sysif, address, length, prot, flags, file, offset)
        mapping = MemoryMapping(task, made, rounded(length))
        if MAP.FIXED_NOREPLACE in flags and made != address:  # Linux before 4.17 takes it for 0
            await mapping.munmap()
            raise MappingFlagsError("mmap", flags, f"there is something else at {address}")
        return mapping

    @trio.lowlevel.enable_ki_protection
    async def map_shadow_stack(
        self, size: int, flags: SHADOW_STACK = NO_STACK_FLAG, *, address: Address | None = None
    ) -> MemoryMapping:
        """Map a shadow stack, which only calls and returns write; ``size`` in bytes.

        ``map_shadow_stack(2)``, Linux 6.6, on aarch64 6.13.
        """
        task = self._task
        fit("size", size, 1, SIZE_LIMIT)
        made = await near_mem.map_shadow_stack(task.sysif, address, size, flags)
        return MemoryMapping(task, made, rounded(size))

    @overload
    async def read_ldt(self, into: None = ..., *, default: bool = ...) -> bytes: ...

    @overload
    async def read_ldt(self, into: Pointer[bytes], *, default: bool = ...) -> Pointer[bytes]: ...

    async def read_ldt(
        self, into: Pointer[bytes] | None = None, *, default: bool = False
    ) -> bytes | Pointer[bytes]:
        """Return the local descriptor table, 8 bytes an entry; x86 only. ``modify_ldt(2)``.

        ``default``: what a new process has. With ``into``: consumes it, and returns the part
        that was filled, which may end with entries of zeros; the rest is freed.
        """
        task = self._task
        func = MODIFY_LDT.READ_DEFAULT if default else MODIFY_LDT.READ
        with room(task, BYTES, into, LDT_ENTRIES * LDT_ENTRY_SIZE) as there:
            got = await near_process.modify_ldt(task.sysif, func, there.address, there.size)
            told = there.result(got)
        return told if isinstance(told, Pointer) else without_unused(told)

    async def write_ldt(self, entry: UserDesc | Pointer[UserDesc]) -> None:
        """Set an entry of the table, of all who share the memory; x86 only. ``modify_ldt(2)``."""
        content = entry if isinstance(entry, Pointer) else entry.pack()
        task = self._task
        with given(task, content) as there:
            await near_process.modify_ldt(
                task.sysif, MODIFY_LDT.WRITE, there.address, UserDesc.sizeof()
            )

    async def munmap(self, address: Address, length: int) -> None:
        """Unmap memory that no handle owns; ``length`` in bytes. ``munmap(2)``."""
        fit("length", length, 1, SIZE_LIMIT)
        await near_mem.munmap(self._task.sysif, address, length)

    async def mlockall(self, flags: MCL) -> None:
        """Keep all pages of the address space in memory. ``mlockall(2)``."""
        await near_mem.mlockall(self._task.sysif, flags)

    async def munlockall(self) -> None:
        """Take ``mlockall`` and all ``mlock`` back. ``munlockall(2)``."""
        await near_mem.munlockall(self._task.sysif)

    async def brk(self, address: Address | None = None) -> Address:
        """Move the end of the heap; returns where it is, whether or not it was moved. ``brk(2)``.

        Without an address it only tells. The heap is the C library's: lower its end only in a
        process of your own.
        """
        return await near_mem.brk(self._task.sysif, address)

    async def membarrier(self, cmd: MEMBARRIER, flags: int = 0, cpu: int = 0) -> MEMBARRIER:
        """Have memory barriers made in other threads. ``membarrier(2)``.

        ``MEMBARRIER.QUERY`` returns which commands there are, ``GET_REGISTRATIONS`` which were
        registered; others return 0.
        """
        return MEMBARRIER(await near_mem.membarrier(self._task.sysif, cmd, flags, cpu))

    # protection keys

    async def pkey_alloc(self, rights: PKEY = NO_KEY_RIGHTS) -> int:
        """Get a protection key, for ``pkey_mprotect``. ``pkey_alloc(2)``.

        ``rights``: what the key forbids to the thread that makes the task's calls.
        """
        return await near_mem.pkey_alloc(self._task.sysif, 0, rights)

    async def pkey_free(self, pkey: int) -> None:
        """Give a protection key back; mappings that have it keep it. ``pkey_free(2)``."""
        await near_mem.pkey_free(self._task.sysif, fit("protection key", pkey, 0, KEYS))

    # NUMA

    async def set_mempolicy(self, policy: NumaPolicy | Pointer[NumaPolicy]) -> None:
        """Set from which NUMA nodes the thread's memory is taken. ``set_mempolicy(2)``."""
        task = self._task
        with policy_given(task, policy) as there:
            await near_mem.set_mempolicy(task.sysif, there.mode, there.nodes, there.bits)

    @overload
    async def get_mempolicy(
        self, flags: MPOL_F = ..., address: Address | None = ...
    ) -> NumaPolicy: ...

    @overload
    async def get_mempolicy(
        self, flags: MPOL_F = ..., address: Address | None = ..., *, into: Pointer[NumaPolicy]
    ) -> Pointer[NumaPolicy]: ...

    async def get_mempolicy(
        self,
        flags: MPOL_F = MPOL_F.NONE,
        address: Address | None = None,
        *,
        into: Pointer[NumaPolicy] | None = None,
    ) -> NumaPolicy | Pointer[NumaPolicy]:
        """Return the thread's policy, or with ``MPOL_F.ADDR`` that of the memory at ``address``.

        With ``MPOL_F.MEMS_ALLOWED`` the nodes are those that it may name. ``into``: memory for
        ``NUMA_POLICY``, which is returned filled. ``get_mempolicy(2)``.
        """
        task = self._task
        flags &= ~MPOL_F.NODE
        with room(task, NUMA_POLICY, into) as there:
            mode = there.address
            await near_mem.get_mempolicy(
                task.sysif, mode, mode + MODE_SIZE, NODE_BITS, address, flags
            )
            return there.result()

    async def node_of(self, address: Address) -> int:
        """Return the NUMA node of the page at an address, which is loaded. ``get_mempolicy(2)``."""
        task = self._task
        with task.transient(INT.size) as node:
            flags = MPOL_F.NODE | MPOL_F.ADDR
            await near_mem.get_mempolicy(task.sysif, node.address, None, 0, address, flags)
            (number,) = INT.unpack(node.read())
            return int(number)

    async def allowed_nodes(self) -> frozenset[int]:
        """Return the NUMA nodes from which the task may take memory. ``get_mempolicy(2)``."""
        return (await self.get_mempolicy(MPOL_F.MEMS_ALLOWED)).nodes

    # page faults

    @trio.lowlevel.enable_ki_protection
    async def userfaultfd(self, flags: int = UFFD_USER_MODE_ONLY) -> UserfaultFD:
        """Make an fd that tells of page faults and resolves them. ``userfaultfd(2)``.

        Ordinary users may have faults of user mode only, which is what the default asks for:
        system calls that use a missing page fail with EFAULT then. Call ``api`` on it first.
        """
        task = self._task
        await task.sweep()
        made = await near_fd.userfaultfd(task.sysif, flags | O.CLOEXEC)
        return UserfaultFD(task, made)


def check_flags(flags: MAP, fd: FileDescriptor | None, address: Address | None) -> None:
    """Refuse what can't work, or would destroy what is mapped already."""
    if MAP.FIXED in flags:
        why = "it destroys what is there; FIXED_NOREPLACE does not, mremap(onto=...) replaces"
        raise MappingFlagsError("mmap", flags, why)
    if MAP.FIXED_NOREPLACE in flags and address is None:
        raise MappingFlagsError("mmap", flags, "say at which address")
    if MAP.ANONYMOUS in flags and fd is not None:
        raise MappingFlagsError("mmap", flags, "there is an fd")
    if MAP.ANONYMOUS not in flags and fd is None:
        raise MappingFlagsError("mmap", flags, "there is no fd")


def without_unused(table: bytes) -> bytes:
    """Return a descriptor table without the entries of zeros at its end."""
    size = len(table.rstrip(b"\0"))
    return table[: -(-size // LDT_ENTRY_SIZE) * LDT_ENTRY_SIZE]
