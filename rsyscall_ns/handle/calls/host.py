"""``task.host``: the whole machine, its kernel, and what is nobody's own.

Nearly all of it needs the rights of the first user namespace's root, and has effects on all who
use the machine.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.host_errors import MachineRebootError
from rsyscall_ns.handle.objects.kernel_log import KernelLog
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import (
    PathLike,
    Text,
    borrowed,
    given,
    path_given,
    room,
    text_given,
)
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES, struct_of
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.kernel_h import MODULE_INIT, SWAP_FLAG, SWAP_PRIORITIES
from rsyscall_ns.near.abi.kexec_h import (
    KEXEC,
    KEXEC_ARCH,
    KEXEC_FILE,
    KEXEC_SEGMENT_MAX,
    KexecSegment,
)
from rsyscall_ns.near.abi.reboot_h import REBOOT, REBOOT_MAGIC1, REBOOT_MAGIC2
from rsyscall_ns.near.abi.stat_h import STATX, Statx
from rsyscall_ns.near.calls import attr as near_attr
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.calls import mount as near_mount
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.strings import c_path

__all__ = ["Host"]

NO_MODULE_FLAG: Final = MODULE_INIT.NONE
NO_SWAP_FLAG: Final = SWAP_FLAG.NONE
NO_KEXEC_FLAG: Final = KEXEC.NONE
NO_FILE_FLAG: Final = KEXEC_FILE.NONE
THIS_MACHINE: Final = KEXEC_ARCH.DEFAULT
ENDING: Final = frozenset({REBOOT.RESTART, REBOOT.RESTART2, REBOOT.HALT, REBOOT.POWER_OFF})
NAME_SIZE: Final = 256  # bytes; a file system type's name is shorter
BY_NAME, BY_INDEX, COUNT = 1, 2, 3  # what sysfs is asked for
OWN_NAMESPACE: Final = "/proc/thread-self/ns/pid"
STATX_OF: Final = struct_of(Statx)
INT_MAX: Final = 2**31 - 1


@final
class Host:
    """System calls about the whole machine."""

    __slots__ = ("_task", "log")

    def __init__(self, task: MemoryTask) -> None:
        self._task = task
        self.log = KernelLog(task)

    # its end

    @trio.lowlevel.enable_ki_protection
    async def reboot(self, cmd: REBOOT, arg: Text | None = None, *, machine: bool = False) -> None:
        """End the task's pid namespace, or with ``machine`` the whole machine, at once.

        In a pid namespace that was made from here, its init dies: its parent sees SIGHUP after
        ``RESTART`` and ``RESTART2``, SIGINT after ``HALT`` and ``POWER_OFF``; the task is lost.
        Elsewhere it is refused with MachineRebootError, unless ``machine`` says that it is
        meant; nothing is written to the disks before. ``arg``: for ``RESTART2``.
        ``reboot(2)``.
        """
        task = self._task
        if not machine and (task.pid_namespace.parent is None or await self._is_interpreters()):
            raise MachineRebootError(cmd, task)
        with ExitStack() as stack:
            at = None if arg is None else stack.enter_context(text_given(task, arg)).address
            await task.sysif.call(SYS.getpid)  # of a task that is lost already this tells
            try:
                await near_host.reboot(task.sysif, REBOOT_MAGIC1, REBOOT_MAGIC2, cmd, at)
            except TaskLostError:
                if cmd not in ENDING:
                    raise

    async def _is_interpreters(self) -> bool:
        """Tell whether the task is in the interpreter's own pid namespace, if /proc can tell."""
        task = self._task
        try:
            own = file_id(OWN_NAMESPACE)
            with task.transient(c_path(OWN_NAMESPACE)) as path, room(task, STATX_OF) as there:
                await near_attr.statx(task.sysif, None, path.address, 0, STATX.INO, there.address)
                told = there.result()
        except OSError:
            return False  # nothing is known but what is believed
        assert not isinstance(told, Pointer)
        return (told.ino, os.makedev(told.dev_major, told.dev_minor)) == own

    # its kernel

    async def init_module(self, image: bytes | Pointer[bytes], params: Text = "") -> None:
        """Load a kernel module that lies in memory. ``init_module(2)``."""
        task = self._task
        with given(task, image) as there, text_given(task, params) as words:
            await near_host.init_module(task.sysif, there.address, there.size, words.address)

    async def finit_module(
        self, file: FileDescriptor, params: Text = "", flags: MODULE_INIT = NO_MODULE_FLAG
    ) -> None:
        """Load a kernel module from a file. ``init_module(2)``."""
        task = self._task
        with borrowed(task, file) as near_file, text_given(task, params) as words:
            assert near_file is not None, "a module has a file"
            await near_host.finit_module(task.sysif, near_file, words.address, flags)

    async def delete_module(self, name: Text, flags: int = O.NONBLOCK) -> None:
        """Unload a kernel module that nobody uses. ``delete_module(2)``.

        ``flags``: with ``O.TRUNC`` also one that is used, which is dangerous.
        """
        task = self._task
        with text_given(task, name) as there:
            await near_host.delete_module(task.sysif, there.address, flags)

    async def kexec_load(
        self,
        entry: Address | None,
        segments: Sequence[KexecSegment] | Pointer[Sequence[KexecSegment]],
        flags: KEXEC = NO_KEXEC_FLAG,
        arch: KEXEC_ARCH = THIS_MACHINE,
    ) -> None:
        """Load another kernel, for ``REBOOT.KEXEC``; without segments, unload it.

        ``kexec_load(2)``.
        """
        task = self._task
        content = (
            segments
            if isinstance(segments, Pointer)
            else b"".join(segment.pack() for segment in segments)
        )
        with given(task, content) as there:
            count = there.size // KexecSegment.sizeof()
            fit("number of segments", count, 0, KEXEC_SEGMENT_MAX)
            await near_host.kexec_load(
                task.sysif, 0 if entry is None else entry.value, count, there.address, flags | arch
            )

    async def kexec_file_load(
        self,
        kernel: FileDescriptor,
        initrd: FileDescriptor | None,
        cmdline: Text = "",
        flags: KEXEC_FILE = NO_FILE_FLAG,
    ) -> None:
        """Load another kernel from files, for ``REBOOT.KEXEC``. ``kexec_load(2)``.

        Without ``initrd`` it gets none.
        """
        task = self._task
        if initrd is None:
            flags |= KEXEC_FILE.NO_INITRAMFS
        with (
            borrowed(task, kernel) as near_kernel,
            borrowed(task, initrd) as near_initrd,
            text_given(task, cmdline) as words,
        ):
            assert near_kernel is not None, "a kernel has a file"
            await near_host.kexec_file_load(
                task.sysif, near_kernel, near_initrd, words.size, words.address, flags
            )

    # its swap space, accounting and terminals

    async def swapon(
        self, path: PathLike, flags: SWAP_FLAG = NO_SWAP_FLAG, priority: int | None = None
    ) -> None:
        """Use a file or device for swapping. ``swapon(2)``.

        ``priority``: from 0 to 32767, higher ones are used first; None: below all that have one.
        """
        word = int(flags)
        if priority is not None:
            word |= SWAP_FLAG.PREFER | fit("priority", priority, 0, SWAP_PRIORITIES)
        with path_given(self._task, path) as there:
            await near_mount.swapon(self._task.sysif, there.address, word)

    async def swapoff(self, path: PathLike) -> None:
        """Stop to use a file or device for swapping. ``swapon(2)``."""
        with path_given(self._task, path) as there:
            await near_mount.swapoff(self._task.sysif, there.address)

    async def acct(self, path: PathLike | None) -> None:
        """Have each process that ends written to a file, of its pid namespace; None ends that.

        ``acct_records`` reads what is written. ``acct(2)``.
        """
        task = self._task
        if path is None:
            await near_process.acct(task.sysif, None)
            return
        with path_given(task, path) as there:
            await near_process.acct(task.sysif, there.address)

    async def vhangup(self) -> None:
        """Hang up the terminal of the task's session, for all who use it. ``vhangup(2)``."""
        await near_process.vhangup(self._task.sysif)

    # what only x86 has

    async def iopl(self, level: int) -> None:
        """Set the I/O privilege level of the thread, 0 to 3. x86 only. ``iopl(2)``."""
        await near_process.iopl(self._task.sysif, fit("level", level, 0, 3))

    async def ioperm(self, start: int, count: int, *, turn_on: bool) -> None:
        """Set whether the thread may use I/O ports itself. x86 only. ``ioperm(2)``."""
        await near_process.ioperm(self._task.sysif, start, count, turn_on)

    # obsolete: /proc/filesystems tells the same

    async def sysfs_count(self) -> int:
        """Return how many file system types the kernel has. x86 only. ``sysfs(2)``, option 3."""
        return await near_mount.sysfs(self._task.sysif, COUNT, 0, 0)

    async def sysfs_index(self, name: Text) -> int:
        """Return the index of a file system type. x86 only. ``sysfs(2)``, option 1."""
        with text_given(self._task, name) as there:
            assert there.address is not None, "a type has a name"
            return await near_mount.sysfs(self._task.sysif, BY_NAME, there.address.value, 0)

    @overload
    async def sysfs_name(self, index: int) -> str: ...

    @overload
    async def sysfs_name(self, index: int, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def sysfs_name(
        self, index: int, into: Pointer[bytes] | None = None
    ) -> str | Pointer[bytes]:
        """Return the name of a file system type. x86 only. ``sysfs(2)``, option 2.

        ``into``: must have 256 bytes; the name in it ends with a NUL.
        """
        task = self._task
        with room(task, BYTES, into, NAME_SIZE) as there:
            fit("size of the buffer", there.size, NAME_SIZE, INT_MAX)
            fit("index", index, 0, INT_MAX)
            await near_mount.sysfs(task.sysif, BY_INDEX, index, there.address.value)
            told = there.result()
        return told if isinstance(told, Pointer) else told.split(b"\0", 1)[0].decode()


def file_id(path: str) -> tuple[int, int]:
    """Return by which two numbers a file of the interpreter's is known; /proc never blocks."""
    found = Path(path).stat()
    return found.st_ino, found.st_dev
