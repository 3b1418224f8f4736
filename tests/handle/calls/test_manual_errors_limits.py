"""Errors of what is limited, sealed or unmapped: each is provoked, and keeps its errno."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rsyscall_ns import (
    KCMP,
    MAP,
    MCL,
    MREMAP,
    PROT,
    RLIMIT,
    SIG,
    MemoryMapping,
    MissingCallError,
    O,
    Process,
    Rlimit,
    SigaltStack,
    Task,
)
from rsyscall_ns.near.calls import signals as near_signals
from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.ids import Process as NearProcess
from tests.support.children import IS_ROOT
from tests.support.limits import fd_table_full
from tests.support.provoked import Case, Provoked, Scene, cases, provoke

PAGE = 4096
NOBODY = 2**22 + 1  # no process has an id as high
PLAIN_USER = 65534
ODD = 1 << 20  # a flag that there is none of
Use = Callable[[Scene], Awaitable[object]]


def limited(resource: RLIMIT, most: int, use: Callable[[Task], Awaitable[object]]) -> Use:
    """Use a child without capabilities that has memory and limits of its own."""

    async def run(p: Scene) -> None:
        async with p.task.spawn(own_memory=True) as child:
            await child.process.prlimit(resource, Rlimit(most, most))
            if IS_ROOT:
                await child.cred.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
            await use(child)

    return run


async def locked(task: Task) -> None:
    """Lock more than may be locked."""
    async with await task.mem.mmap(4 * PAGE) as mapping:
        await mapping.mlock()


async def forced(task: Task) -> None:
    """Map what is to be locked at once, and is too much."""
    await task.mem.mmap(4 * PAGE, flags=MAP.PRIVATE | MAP.ANONYMOUS | MAP.LOCKED)


async def grown(task: Task) -> None:
    """Grow what is locked beyond what may be."""
    async with await task.mem.mmap(PAGE) as mapping:
        await mapping.mlock()
        await mapping.mremap(8 * PAGE, MREMAP.MAYMOVE)


async def written(task: Task) -> None:
    """Write behind the size that a file may have."""
    await task.signals.ignore(SIG.XFSZ)
    async with await task.fds.memfd_create("a") as file:
        await file.pwrite(b"a", PAGE)


async def resized(task: Task) -> None:
    """Make a file longer than it may be."""
    await task.signals.ignore(SIG.XFSZ)
    async with await task.fds.memfd_create("a") as file:
        await file.ftruncate(2 * PAGE)


async def allocated(task: Task) -> None:
    """Allocate room behind the size that a file may have."""
    await task.signals.ignore(SIG.XFSZ)
    async with await task.fds.memfd_create("a") as file:
        await file.fallocate(0, 2 * PAGE)


def full(use: Callable[[Task], Awaitable[object]]) -> Use:
    """Make an fd in a process that may have no more."""

    async def run(p: Scene) -> None:
        with fd_table_full(p.task.process.near.id):
            await use(p.task)

    return run


async def watched(p: Scene) -> None:
    """Open a pidfd in a process that may have no more fds."""
    with fd_table_full(os.getpid()):  # the calls about a child are its parent's
        await p.task.process.pidfd_open()


async def copied(p: Scene) -> None:
    """Copy an fd into a process that may have no more of them."""
    async with (
        await p.task.process.pidfd_open() as process,
        await p.task.fs.open("/", O.PATH) as folder,
    ):
        with fd_table_full(os.getpid()):
            await process.pidfd_getfd(folder.near.number)


async def doubled(p: Scene) -> None:
    """Copy an fd in a process that may have no more of them."""
    async with await p.task.fs.open("/", O.PATH) as folder:
        with fd_table_full(p.task.process.near.id):
            await folder.dup()


def sealed(use: Callable[[Task, MemoryMapping], Awaitable[object]]) -> Use:
    """Use a page that can't be changed any more, in a child with memory of its own."""

    async def run(p: Scene) -> None:
        async with p.task.spawn(own_memory=True) as child:
            mapping = await child.mem.mmap(PAGE, PROT.READ | PROT.WRITE)
            try:
                await mapping.mseal()
            except MissingCallError as error:
                pytest.skip(f"needs mseal: {error}")
            await use(child, mapping)

    return run


async def hole_sealed(p: Scene) -> None:
    """Seal pages whose middle is not there."""
    async with p.task.spawn(own_memory=True) as child, await child.mem.mmap(3 * PAGE) as mapping:
        await child.mem.munmap(Address(mapping.near.value + PAGE), PAGE)
        try:
            await mapping.mseal()
        except MissingCallError as error:
            pytest.skip(f"needs mseal: {error}")


def stacked(stack: SigaltStack) -> Use:
    """Give the signal handlers of a child with memory of its own another stack."""

    async def run(p: Scene) -> None:
        async with p.task.spawn(own_memory=True) as child:
            place = await child.ptr(stack)
            try:
                await near_signals.sigaltstack(child.sysif, place.near, None)
            finally:
                place.free()

    return run


PROVOKED: Provoked[Scene] = {
    "mlock": [
        ("ENOMEM", limited(RLIMIT.MEMLOCK, PAGE, locked)),
        ("EPERM", limited(RLIMIT.MEMLOCK, 0, locked)),
        ("ENOMEM", limited(RLIMIT.MEMLOCK, PAGE, lambda t: t.mem.mlockall(MCL.CURRENT))),
        ("EPERM", limited(RLIMIT.MEMLOCK, 0, lambda t: t.mem.mlockall(MCL.CURRENT))),
        ("EINVAL", lambda p: p.task.mem.mlockall(MCL(ODD))),
        ("EINVAL", lambda p: p.task.mem.mlockall(MCL(0))),
        ("EINVAL", lambda p: p.task.mem.mlockall(MCL.ONFAULT)),
    ],
    "mmap": [
        ("EAGAIN", limited(RLIMIT.MEMLOCK, PAGE, forced)),
        ("EPERM", limited(RLIMIT.MEMLOCK, 0, forced)),
        ("ENOMEM", limited(RLIMIT.AS, 1, lambda t: t.mem.mmap(PAGE))),
    ],
    "mremap": [("EAGAIN", limited(RLIMIT.MEMLOCK, PAGE, grown))],
    "write": [("EFBIG", limited(RLIMIT.FSIZE, PAGE, written))],
    "truncate": [("EFBIG", limited(RLIMIT.FSIZE, PAGE, resized))],
    "fallocate": [("EFBIG", limited(RLIMIT.FSIZE, PAGE, allocated))],
    "open": [("EMFILE", full(lambda t: t.fs.open("/", O.PATH)))],
    "memfd_create": [("EMFILE", full(lambda t: t.fds.memfd_create("a")))],
    "pidfd_open": [("EMFILE", watched)],
    "pidfd_getfd": [("EMFILE", copied)],
    "dup": [("EMFILE", doubled)],
    "mseal": [
        ("ENOMEM", hole_sealed),
        ("EPERM", sealed(lambda t, m: t.mem.munmap(m.near, PAGE))),
        ("EPERM", sealed(lambda _, m: m.mprotect(PROT.NONE))),
    ],
    "sigaltstack": [
        ("EINVAL", stacked(SigaltStack(sp=PAGE, flags=77, size=1 << 16))),
        ("ENOMEM", stacked(SigaltStack(sp=PAGE, flags=0, size=1))),
    ],
    "memfd_secret": [("EINVAL", lambda p: p.task.fds.memfd_secret(ODD))],
    "kcmp": [
        ("EBADF", lambda p: p.task.process.kcmp(p.task.process, KCMP.FILE, 2**20, 2**20)),
        (
            "ESRCH",
            lambda p: p.task.process.kcmp(Process(p.task, NearProcess(NOBODY)), KCMP.VM),
        ),
    ],
}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await provoke(task, case, Scene(task, tmp_path))
