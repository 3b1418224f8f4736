"""Thin calls: memory. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor, Process
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_size, c_word, checked, id_of, int32, or_none

__all__ = [
    "brk",
    "get_mempolicy",
    "madvise",
    "map_shadow_stack",
    "mbind",
    "membarrier",
    "migrate_pages",
    "mincore",
    "mlock",
    "mlock2",
    "mlockall",
    "mmap",
    "move_pages",
    "mprotect",
    "mremap",
    "mseal",
    "msync",
    "munlock",
    "munlockall",
    "munmap",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "process_madvise",
    "process_mrelease",
    "process_vm_readv",
    "process_vm_writev",
    "remap_file_pages",
    "set_mempolicy",
    "set_mempolicy_home_node",
]


async def mmap(
    sysif: SyscallInterface,
    addr: Address | None,
    len: int,
    prot: int,
    flags: int,
    fd: FileDescriptor | None,
    off: int,
) -> Address:
    """Map a file or fresh memory. ``mmap(2)``."""
    made = await checked(
        sysif,
        SYS.mmap,
        at(addr),
        c_word("len", len),
        c_word("prot", prot),
        c_word("flags", flags),
        or_none(fd),
        c_word("off", off),
    )
    return Address(made)


async def mprotect(sysif: SyscallInterface, start: Address | None, len: int, prot: int) -> None:
    """Change what may be done with memory. ``mprotect(2)``."""
    await checked(sysif, SYS.mprotect, at(start), c_size("len", len), c_word("prot", prot))


async def munmap(sysif: SyscallInterface, addr: Address | None, len: int) -> None:
    """Unmap memory. ``munmap(2)``."""
    await checked(sysif, SYS.munmap, at(addr), c_size("len", len))


async def brk(sysif: SyscallInterface, brk: Address | None) -> Address:
    """Move the end of the heap; returns where it is, whether or not it was moved. ``brk(2)``."""
    made = await checked(sysif, SYS.brk, at(brk))
    return Address(made)


async def mremap(
    sysif: SyscallInterface,
    addr: Address | None,
    old_len: int,
    new_len: int,
    flags: int,
    new_addr: Address | None = None,
) -> Address:
    """Resize or move a mapping. ``mremap(2)``."""
    made = await checked(
        sysif,
        SYS.mremap,
        at(addr),
        c_word("old_len", old_len),
        c_word("new_len", new_len),
        c_word("flags", flags),
        at(new_addr),
    )
    return Address(made)


async def msync(sysif: SyscallInterface, start: Address | None, len: int, flags: int) -> None:
    """Have a mapped file's changes written. ``msync(2)``."""
    await checked(sysif, SYS.msync, at(start), c_size("len", len), int32("flags", flags))


async def mincore(
    sysif: SyscallInterface, start: Address | None, len: int, vec: Address | None
) -> None:
    """Tell which pages are in memory, a byte for each. ``mincore(2)``."""
    await checked(sysif, SYS.mincore, at(start), c_size("len", len), at(vec))


async def madvise(
    sysif: SyscallInterface, start: Address | None, len_in: int, behavior: int
) -> None:
    """Tell how memory will be used. ``madvise(2)``."""
    await checked(
        sysif, SYS.madvise, at(start), c_size("len_in", len_in), int32("behavior", behavior)
    )


async def mlock(sysif: SyscallInterface, start: Address | None, len: int) -> None:
    """Keep pages in memory. ``mlock(2)``."""
    await checked(sysif, SYS.mlock, at(start), c_size("len", len))


async def munlock(sysif: SyscallInterface, start: Address | None, len: int) -> None:
    """Take ``mlock`` back. ``mlock(2)``."""
    await checked(sysif, SYS.munlock, at(start), c_size("len", len))


async def mlockall(sysif: SyscallInterface, flags: int) -> None:
    """Keep all pages in memory. ``mlock(2)``."""
    await checked(sysif, SYS.mlockall, int32("flags", flags))


async def munlockall(sysif: SyscallInterface) -> None:
    """Take ``mlockall`` back. ``mlock(2)``."""
    await checked(sysif, SYS.munlockall)


async def remap_file_pages(
    sysif: SyscallInterface, start: Address | None, size: int, prot: int, pgoff: int, flags: int
) -> None:
    """Map a file's pages in another order. ``remap_file_pages(2)``."""
    await checked(
        sysif,
        SYS.remap_file_pages,
        at(start),
        c_word("size", size),
        c_word("prot", prot),
        c_word("pgoff", pgoff),
        c_word("flags", flags),
    )


async def mbind(
    sysif: SyscallInterface,
    start: Address | None,
    len: int,
    mode: int,
    nmask: Address | None,
    maxnode: int,
    flags: int,
) -> None:
    """Set the NUMA policy of memory. ``mbind(2)``."""
    await checked(
        sysif,
        SYS.mbind,
        at(start),
        c_word("len", len),
        c_word("mode", mode),
        at(nmask),
        c_word("maxnode", maxnode),
        int32("flags", flags),
    )


async def set_mempolicy(
    sysif: SyscallInterface, mode: int, nmask: Address | None, maxnode: int
) -> None:
    """Set the thread's NUMA policy. ``set_mempolicy(2)``."""
    await checked(
        sysif, SYS.set_mempolicy, int32("mode", mode), at(nmask), c_word("maxnode", maxnode)
    )


async def get_mempolicy(
    sysif: SyscallInterface,
    policy: Address | None,
    nmask: Address | None,
    maxnode: int,
    addr: Address | None,
    flags: int,
) -> None:
    """Read a NUMA policy. ``get_mempolicy(2)``."""
    await checked(
        sysif,
        SYS.get_mempolicy,
        at(policy),
        at(nmask),
        c_word("maxnode", maxnode),
        at(addr),
        c_word("flags", flags),
    )


async def migrate_pages(
    sysif: SyscallInterface,
    pid: Process | None,
    maxnode: int,
    old_nodes: Address | None,
    new_nodes: Address | None,
) -> int:
    """Move a process's pages to other nodes; returns how many could not be moved.

    ``migrate_pages(2)``.
    """
    return await checked(
        sysif,
        SYS.migrate_pages,
        id_of(pid),
        c_word("maxnode", maxnode),
        at(old_nodes),
        at(new_nodes),
    )


async def move_pages(
    sysif: SyscallInterface,
    pid: Process | None,
    nr_pages: int,
    pages: Address | None,
    nodes: Address | None,
    status: Address | None,
    flags: int,
) -> int:
    """Move single pages to other nodes, or tell where they are. ``move_pages(2)``."""
    return await checked(
        sysif,
        SYS.move_pages,
        id_of(pid),
        c_word("nr_pages", nr_pages),
        at(pages),
        at(nodes),
        at(status),
        int32("flags", flags),
    )


async def process_vm_readv(
    sysif: SyscallInterface,
    pid: Process | None,
    lvec: Address | None,
    liovcnt: int,
    rvec: Address | None,
    riovcnt: int,
    flags: int,
) -> int:
    """Read another process's memory. ``process_vm_readv(2)``."""
    return await checked(
        sysif,
        SYS.process_vm_readv,
        id_of(pid),
        at(lvec),
        c_word("liovcnt", liovcnt),
        at(rvec),
        c_word("riovcnt", riovcnt),
        c_word("flags", flags),
    )


async def process_vm_writev(
    sysif: SyscallInterface,
    pid: Process | None,
    lvec: Address | None,
    liovcnt: int,
    rvec: Address | None,
    riovcnt: int,
    flags: int,
) -> int:
    """Write another process's memory. ``process_vm_readv(2)``."""
    return await checked(
        sysif,
        SYS.process_vm_writev,
        id_of(pid),
        at(lvec),
        c_word("liovcnt", liovcnt),
        at(rvec),
        c_word("riovcnt", riovcnt),
        c_word("flags", flags),
    )


async def membarrier(sysif: SyscallInterface, cmd: int, flags: int, cpu_id: int) -> int:
    """Have memory barriers made in other threads. ``membarrier(2)``."""
    return await checked(
        sysif, SYS.membarrier, int32("cmd", cmd), int32("flags", flags), int32("cpu_id", cpu_id)
    )


async def mlock2(sysif: SyscallInterface, start: Address | None, len: int, flags: int) -> None:
    """Keep pages in memory, by flags. ``mlock(2)``."""
    await checked(sysif, SYS.mlock2, at(start), c_size("len", len), int32("flags", flags))


async def pkey_mprotect(
    sysif: SyscallInterface, start: Address | None, len: int, prot: int, pkey: int
) -> None:
    """Change what may be done with memory, with a protection key. ``mprotect(2)``."""
    await checked(
        sysif,
        SYS.pkey_mprotect,
        at(start),
        c_size("len", len),
        c_word("prot", prot),
        int32("pkey", pkey),
    )


async def pkey_alloc(sysif: SyscallInterface, flags: int, init_val: int) -> int:
    """Get a protection key. ``pkey_alloc(2)``."""
    return await checked(
        sysif, SYS.pkey_alloc, c_word("flags", flags), c_word("init_val", init_val)
    )


async def pkey_free(sysif: SyscallInterface, pkey: int) -> None:
    """Give a protection key back. ``pkey_alloc(2)``."""
    await checked(sysif, SYS.pkey_free, int32("pkey", pkey))


async def process_madvise(
    sysif: SyscallInterface,
    pidfd: FileDescriptor,
    vec: Address | None,
    vlen: int,
    behavior: int,
    flags: int,
) -> int:
    """Tell how another process's memory will be used; returns how many bytes were advised.

    ``process_madvise(2)``.
    """
    return await checked(
        sysif,
        SYS.process_madvise,
        pidfd.number,
        at(vec),
        c_size("vlen", vlen),
        int32("behavior", behavior),
        int32("flags", flags),
    )


async def process_mrelease(sysif: SyscallInterface, pidfd: FileDescriptor, flags: int) -> None:
    """Free the memory of a process that is dying. ``process_mrelease(2)``."""
    await checked(sysif, SYS.process_mrelease, pidfd.number, int32("flags", flags))


async def set_mempolicy_home_node(
    sysif: SyscallInterface, start: Address | None, len: int, home_node: int, flags: int
) -> None:
    """Set the home node of memory's NUMA policy. ``set_mempolicy(2)``."""
    await checked(
        sysif,
        SYS.set_mempolicy_home_node,
        at(start),
        c_word("len", len),
        c_word("home_node", home_node),
        c_word("flags", flags),
    )


async def map_shadow_stack(
    sysif: SyscallInterface, addr: Address | None, size: int, flags: int
) -> Address:
    """Map a shadow stack. ``map_shadow_stack(2)``."""
    made = await checked(
        sysif, SYS.map_shadow_stack, at(addr), c_word("size", size), int32("flags", flags)
    )
    return Address(made)


async def mseal(sysif: SyscallInterface, start: Address | None, len: int, flags: int) -> None:
    """Forbid all later changes of a mapping. ``mseal(2)``."""
    await checked(sysif, SYS.mseal, at(start), c_size("len", len), c_word("flags", flags))
