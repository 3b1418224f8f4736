"""``task.cred``, ``task.signals``, ``task.mount``, ``task.mem``: groups that are still small."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from rsyscall_ns.handle.context import MemoryTask
from rsyscall_ns.handle.fd import FileDescriptor
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.mman_h import MAP, PROT
from rsyscall_ns.near.abi.mount_h import MS
from rsyscall_ns.near.abi.prctl_h import capability_header, effective_set
from rsyscall_ns.near.abi.signal_h import (
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIGACTION,
    SIGSET_SIZE,
    pack_sigaction,
    pack_sigset,
    unpack_sigaction,
    unpack_sigset,
)
from rsyscall_ns.near.calls import ns, process
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.strings import StrPath, c_path, c_string

__all__ = ["Credentials", "InterruptSignalError", "Memory", "Mount", "Signals"]

NULL = Address(0)
SIZE_LIMIT = 1 << 47


class InterruptSignalError(RsyscallError):
    """The signal by which the server interrupts blocked calls was to be changed."""

    def __init__(self, sig: int) -> None:
        super().__init__(f"signal {sig} interrupts blocked calls of this task: use another one")


@final
class Credentials:
    """System calls about who the task is."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def getuid(self) -> int:
        """Return the real user id, in the task's user namespace. ``getuid(2)``."""
        return await ns.getuid(self._task.sysif)

    async def geteuid(self) -> int:
        """Return the effective user id. ``geteuid(2)``."""
        return await ns.geteuid(self._task.sysif)

    async def getgid(self) -> int:
        """Return the real group id. ``getgid(2)``."""
        return await ns.getgid(self._task.sysif)

    async def getegid(self) -> int:
        """Return the effective group id. ``getegid(2)``."""
        return await ns.getegid(self._task.sysif)

    async def effective_capabilities(self) -> int:
        """Return the effective capabilities as bits. ``capget(2)``."""
        header = capability_header()
        with self._task.transient(header) as block:
            await ns.capget(self._task.sysif, block.address, block + 8)
            return effective_set(block.read())


@final
class Signals:
    """System calls about how the task takes signals. Handlers can't be had: only C could run."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def sigaction(self, sig: int, disposition: int | None = None) -> int:
        """Set a disposition (``SIG_DFL``, ``SIG_IGN``; None leaves it); returns the old one.

        An ignored signal stays ignored across exec. ``sigaction(2)``.
        """
        task = self._task
        fit("signal", sig, 1, 64)
        if disposition is not None and sig == task.sysif.interrupt_signal():
            raise InterruptSignalError(sig)
        content = pack_sigaction(disposition or SIG_DFL) + bytes(SIGACTION.size)
        with task.transient(content) as block:
            new = NULL if disposition is None else block.address
            old = block + SIGACTION.size
            await process.rt_sigaction(task.sysif, sig, new, old)
            if disposition is not None:
                task.chosen_signals.add(sig)
            return unpack_sigaction(block.read(SIGACTION.size))

    async def ignore(self, sig: int) -> None:
        """Ignore a signal, also after exec. ``sigaction(2)``."""
        await self.sigaction(sig, SIG_IGN)

    async def signalfd(self, signals: Iterable[int], flags: int = 0) -> FileDescriptor:
        """Make an fd from which the task's blocked signals are read. ``signalfd(2)``."""
        task = self._task
        await task.sweep()
        with task.transient(pack_sigset(signals)) as mask:
            made = await process.signalfd4(
                task.sysif, -1, mask.address, SIGSET_SIZE, flags | O.CLOEXEC
            )
        return FileDescriptor(task, made)

    async def sigprocmask(
        self, how: int = SIG_BLOCK, signals: Iterable[int] = ()
    ) -> frozenset[int]:
        """Change the signal mask; returns the old one. ``sigprocmask(2)``."""
        task = self._task
        wanted = frozenset(signals)
        interrupt = task.sysif.interrupt_signal()
        if interrupt in wanted and how in {SIG_BLOCK, SIG_SETMASK}:
            raise InterruptSignalError(interrupt or 0)
        with task.transient(pack_sigset(wanted) + bytes(SIGSET_SIZE)) as block:
            old = block + SIGSET_SIZE
            await process.rt_sigprocmask(task.sysif, how, block.address, old)
            return unpack_sigset(block.read(SIGSET_SIZE))


@final
class Mount:
    """System calls about what is mounted where, in the task's mount namespace."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def mount(
        self,
        source: StrPath,
        target: StrPath,
        fstype: str = "",
        flags: MS = MS.NONE,
        data: str = "",
    ) -> None:
        """Mount a file system, or change a mount. ``mount(2)``."""
        task = self._task
        with (
            task.transient(c_path(source)) as from_,
            task.transient(c_path(target)) as to,
            task.transient(c_string(fstype)) as kind,
            task.transient(c_string(data)) as options,
        ):
            try:
                await ns.mount(
                    task.sysif,
                    from_.address,
                    to.address,
                    kind.address if fstype else NULL,
                    flags,
                    options.address if data else NULL,
                )
            except OSError as error:
                error.filename = str(target)
                raise

    async def umount2(self, target: StrPath, flags: int = 0) -> None:
        """Unmount. ``umount2(2)``."""
        with self._task.transient(c_path(target)) as path:
            try:
                await ns.umount2(self._task.sysif, path.address, flags)
            except OSError as error:
                error.filename = str(target)
                raise


@final
class Memory:
    """System calls about the task's address space."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def mmap(
        self,
        length: int,
        prot: PROT = PROT.READ | PROT.WRITE,
        flags: MAP = MAP.PRIVATE | MAP.ANONYMOUS,
    ) -> Address:
        """Map anonymous memory; returns its address, for ``munmap``. ``mmap(2)``."""
        fit("length", length, 1, SIZE_LIMIT)
        return await ns.mmap(self._task.sysif, NULL, length, prot, flags, -1, 0)

    async def munmap(self, address: Address, length: int) -> None:
        """Unmap memory. ``munmap(2)``."""
        fit("length", length, 1, SIZE_LIMIT)
        await ns.munmap(self._task.sysif, address, length)
