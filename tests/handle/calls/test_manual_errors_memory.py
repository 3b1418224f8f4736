"""Errors that the manual pages of memory name: each is provoked, and keeps its errno."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import evolve

from rsyscall_ns import (
    F_SEAL,
    MADV,
    MAP,
    MFD,
    MLOCK,
    MPOL,
    MREMAP,
    MSYNC,
    PROT,
    FileFD,
    MemFD,
    MemoryMapping,
    O,
    Task,
)
from rsyscall_ns.near.calls import mem as near_mem
from rsyscall_ns.near.ids import Address
from tests.support.children import IS_ROOT
from tests.support.provoked import Case, cases, provoke

PAGE = 4096
RW = PROT.READ | PROT.WRITE
NOWHERE = Address(PAGE)
KERNEL = Address(2**47 - PAGE)  # the first that no process can have
ODD = 1 << 20  # a flag that there is none of
Use = Callable[[Task], Awaitable[object]]


def mapped(use: Callable[[MemoryMapping], Awaitable[object]], prot: PROT = RW) -> Use:
    """Use two pages."""

    async def run(task: Task) -> None:
        async with await task.mem.mmap(2 * PAGE, prot) as mapping:
            await use(mapping)

    return run


def holed(use: Callable[[MemoryMapping], Awaitable[object]]) -> Use:
    """Use three pages whose middle is not there."""

    async def run(task: Task) -> None:
        async with await task.mem.mmap(3 * PAGE) as mapping:
            await task.mem.munmap(Address(mapping.near.value + PAGE), PAGE)
            await use(mapping)

    return run


def opened(
    use: Callable[[Task, FileFD], Awaitable[object]], path: str = "/proc/self/exe", flags: int = 0
) -> Use:
    """Use a file."""

    async def run(task: Task) -> None:
        async with await task.fs.open(path, flags) as fd:
            await use(task, fd)

    return run


def sealed(
    seals: F_SEAL, use: Callable[[Task, MemFD], Awaitable[object]], flags: MFD = MFD.ALLOW_SEALING
) -> Use:
    """Use a memfd of one page that is sealed."""

    async def run(task: Task) -> None:
        async with await task.fds.memfd_create("sealed", flags) as fd:
            await fd.ftruncate(PAGE)
            if seals:
                await fd.add_seals(seals)
            await use(task, fd)

    return run


async def written(task: Task, fd: MemFD) -> None:
    """Map it to be written."""
    await task.mem.mmap(PAGE, RW, MAP.SHARED, fd)


async def sealed_while_mapped(task: Task, fd: MemFD) -> None:
    """Forbid to write what is mapped to be written."""
    async with await task.mem.mmap(PAGE, RW, MAP.SHARED, fd):
        await fd.add_seals(F_SEAL.WRITE)


async def behind_the_end(task: Task, fd: MemFD) -> None:
    """Ask for pages that the file does not have."""
    async with await task.mem.mmap(2 * PAGE, RW, MAP.SHARED, fd) as mapping:
        await mapping.madvise(MADV.POPULATE_READ)


async def placed_twice(task: Task) -> None:
    """Map where something else is mapped."""
    async with await task.mem.mmap(PAGE) as there:
        flags = MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED_NOREPLACE
        await task.mem.mmap(PAGE, RW, flags, address=there.near)


async def made_writable(task: Task, fd: FileFD) -> None:
    """Map a file that can only be read, and ask to write it."""
    async with await task.mem.mmap(PAGE, PROT.READ, MAP.SHARED, fd) as mapping:
        await mapping.mprotect(RW)


async def pageless(task: Task) -> None:
    """Lock pages that may not be used."""
    async with await task.mem.mmap(PAGE, PROT.NONE) as mapping:
        await mapping.mlock()


async def advised(task: Task, address: int) -> None:
    """Advise on memory of the task's process through a pidfd of it."""
    async with await task.process.pidfd_open() as fd:
        await fd.process_madvise([(Address(address), PAGE)], MADV.COLD)


async def bound(mapping: MemoryMapping) -> None:
    """Bind pages to nodes that stand nowhere."""
    near = (mapping.task.sysif, mapping.near)
    await near_mem.mbind(*near, PAGE, MPOL.BIND, NOWHERE, 64, 0)


PROVOKED: dict[str, list[tuple[str, Use]]] = {
    "mmap": [
        ("EACCES", opened(lambda t, fd: t.mem.mmap(PAGE, RW, MAP.SHARED, fd))),
        ("EACCES", opened(lambda t, fd: t.mem.mmap(PAGE, RW, MAP.PRIVATE, fd), "/dev/null", 1)),
        ("EBADF", opened(lambda t, fd: t.mem.mmap(PAGE, fd=fd), flags=O.PATH)),
        ("EEXIST", placed_twice),
        ("EINVAL", lambda t: t.mem.mmap(PAGE, RW, MAP.ANONYMOUS)),
        ("EINVAL", opened(lambda t, fd: t.mem.mmap(PAGE, PROT.READ, fd=fd, offset=1))),
        ("ENODEV", opened(lambda t, fd: t.mem.mmap(PAGE, PROT.READ, fd=fd), "/")),
        ("ENOMEM", lambda t: t.mem.mmap(2**47)),
        ("EOVERFLOW", opened(lambda t, fd: t.mem.mmap(2**40, fd=fd, offset=2**63 - PAGE))),
        ("EOPNOTSUPP", opened(lambda t, fd: t.mem.mmap(PAGE, PROT.READ, MAP(0x80003), fd))),
    ],
    "munmap": [
        ("EINVAL", lambda t: t.mem.munmap(Address(1), PAGE)),
        ("EINVAL", lambda t: t.mem.munmap(KERNEL, 2 * PAGE)),
    ],
    "mprotect": [
        ("EACCES", opened(made_writable)),
        ("EINVAL", mapped(lambda m: m.mprotect(RW, 1))),
        ("EINVAL", mapped(lambda m: m.mprotect(PROT(0x3000000)))),
        ("ENOMEM", holed(lambda m: m.mprotect(PROT.READ))),
    ],
    "pkey_mprotect": [("EINVAL", mapped(lambda m: m.pkey_mprotect(RW, 15)))],
    "madvise": [
        ("EINVAL", mapped(lambda m: m.madvise(MADV.NORMAL, 1))),
        ("EINVAL", mapped(lambda m: m.madvise(MADV.REMOVE))),
        ("EINVAL", mapped(lambda m: m.madvise(MADV.POPULATE_WRITE), PROT.READ)),
        ("EFAULT", sealed(F_SEAL(0), behind_the_end)),
        ("ENOMEM", holed(lambda m: m.madvise(MADV.NORMAL))),
        ("ENOMEM", holed(lambda m: m.madvise(MADV.POPULATE_READ))),
    ],
    "mremap": [
        ("EFAULT", holed(lambda m: m.mremap(4 * PAGE))),
        ("EINVAL", mapped(lambda m: m.mremap(2 * PAGE, MREMAP(8)))),
        ("EINVAL", mapped(lambda m: m.mremap(PAGE, MREMAP.MAYMOVE | MREMAP.DONTUNMAP))),
        ("ENOMEM", mapped(lambda m: m.mremap(2**46))),
    ],
    "mlock": [
        ("ENOMEM", holed(lambda m: m.mlock())),
        ("ENOMEM", holed(lambda m: m.munlock())),
        ("ENOMEM", pageless),
        ("EINVAL", mapped(lambda m: m.mlock2(MLOCK(2)))),
    ],
    "mincore": [
        ("EINVAL", mapped(lambda m: m.mincore(1))),
        ("ENOMEM", holed(lambda m: m.mincore())),
        ("EFAULT", mapped(lambda m: near_mem.mincore(m.task.sysif, m.near, PAGE, NOWHERE))),
    ],
    "msync": [
        ("EINVAL", mapped(lambda m: m.msync(MSYNC.SYNC | MSYNC.ASYNC))),
        ("EINVAL", mapped(lambda m: m.msync(MSYNC.SYNC, 1))),
        ("EINVAL", mapped(lambda m: m.msync(MSYNC(8)))),
        ("ENOMEM", holed(lambda m: m.msync())),
    ],
    "memfd_create": [
        ("EINVAL", lambda t: t.fds.memfd_create("x" * 250)),
        ("EINVAL", lambda t: t.fds.memfd_create("x", MFD(ODD))),
        ("EINVAL", lambda t: t.fds.memfd_create("x", MFD.EXEC | MFD.NOEXEC_SEAL)),
    ],
    "F_ADD_SEALS": [
        ("EPERM", sealed(F_SEAL.SEAL, lambda _, fd: fd.add_seals(F_SEAL.GROW))),
        ("EPERM", sealed(F_SEAL(0), lambda _, fd: fd.add_seals(F_SEAL.GROW), MFD.CLOEXEC)),
        ("EINVAL", sealed(F_SEAL(0), lambda _, fd: fd.add_seals(F_SEAL(ODD)))),
        ("EBUSY", sealed(F_SEAL(0), sealed_while_mapped)),
        ("EPERM", sealed(F_SEAL.GROW, lambda _, fd: fd.ftruncate(2 * PAGE))),
        ("EPERM", sealed(F_SEAL.SHRINK, lambda _, fd: fd.ftruncate(0))),
        ("EPERM", sealed(F_SEAL.WRITE, lambda _, fd: fd.write(b"a"))),
        ("EPERM", sealed(F_SEAL.WRITE, written)),
        ("EPERM", sealed(F_SEAL.EXEC, lambda _, fd: fd.fchmod(0o600))),
    ],
    "process_vm_readv": [
        ("EFAULT", lambda t: t.process.process_vm_readv([(NOWHERE, 8)])),
        ("EFAULT", lambda t: t.process.process_vm_writev([b"a"], [(NOWHERE, 1)])),
    ],
    "mbind": [("EFAULT", mapped(bound))],
    "process_madvise": [
        ("EINVAL", lambda t: advised(t, PAGE + 1)),
        ("ENOMEM", lambda t: advised(t, PAGE)),
    ],
    "userfaultfd": [("EINVAL", lambda t: t.mem.userfaultfd(ODD | 1))],
}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(
    task: Task, local: Task, case: Case[Task]
) -> None:
    apart = task.address_space is not local.address_space
    if case.page == "process_madvise" and apart and not IS_ROOT:
        case = evolve(case, name="EPERM")  # that of another process takes CAP_SYS_NICE
    await provoke(task, case, task)
