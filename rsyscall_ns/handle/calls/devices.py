"""``task.dev``: device files, opened as what they are.

The module of each kind is imported when the first of that kind is opened.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, final

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import PathLike, path_given
from rsyscall_ns.near.abi.fcntl_h import F_SETFL, O
from rsyscall_ns.near.calls import path as near_path

if TYPE_CHECKING:
    from rsyscall_ns.handle.kinds.block import BlockFD, LoopControlFD, LoopFD
    from rsyscall_ns.handle.kinds.fuse import FuseFD
    from rsyscall_ns.handle.kinds.tty import TtyFD
    from rsyscall_ns.handle.kinds.tun import TunFD

__all__ = ["Devices"]

KINDS: Final = "rsyscall_ns.handle.kinds."
HOMES: Final = {
    "BlockFD": "block",
    "FuseFD": "fuse",
    "LoopControlFD": "block",
    "LoopFD": "block",
    "TtyFD": "tty",
    "TunFD": "tun",
}
PLAIN_TUN: Final = 0x1001  # TUN_IFF.TUN | TUN_IFF.NO_PI


@final
class Devices:
    """Opens devices. What is no such device raises FDKindError, and is closed again."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @trio.lowlevel.enable_ki_protection
    async def open_tty(self, path: PathLike, flags: int = O.RDWR) -> TtyFD:
        """Open a terminal; it becomes nobody's controlling one. ``tty(4)``.

        A serial line is waited for until there is a carrier, but not in the interpreter's own task.
        """
        if not self._task.sysif.same_thread or flags & O.NONBLOCK:
            return await self._tty(path, flags)
        made = await self._tty(path, flags | O.NONBLOCK)
        try:
            await made.fcntl(F_SETFL, flags)
        except BaseException:
            await made.close()
            raise
        return made

    @trio.lowlevel.enable_ki_protection
    async def openpty(self, ptmx: PathLike = "/dev/ptmx") -> tuple[TtyFD, TtyFD]:
        """Make a pseudoterminal; returns its master and its terminal, which nobody controls.

        ``ptmx``: that of the devpts to make it in. ``openpty(3)``, ``pts(4)``.
        """
        master = await self._tty(ptmx, O.RDWR)
        try:
            await master.lock_pty(on=False)
            return master, await master.ptpeer()
        except BaseException:
            await master.close()
            raise

    @trio.lowlevel.enable_ki_protection
    async def open_tun(
        self,
        name: str = "",
        flags: int = PLAIN_TUN,
        *,
        path: PathLike = "/dev/net/tun",
    ) -> TunFD:
        """Make a tun or tap device in the task's network namespace, or join one, as TUNSETIFF does.

        ``flags``: of ``TUN_IFF``; the default is ``TUN | NO_PI``. It is down; ``get_iff`` tells
        its name.
        """
        made: TunFD = await self._open(path, O.RDWR, "TunFD")
        try:
            await made.set_iff(name, flags)
        except BaseException:
            await made.close()
            raise
        return made

    @trio.lowlevel.enable_ki_protection
    async def open_block(self, path: PathLike, flags: int = O.RDONLY) -> BlockFD:
        """Open a block device."""
        made: BlockFD = await self._open(path, flags, "BlockFD")
        return made

    @trio.lowlevel.enable_ki_protection
    async def open_loop(self, path: PathLike, flags: int = O.RDWR) -> LoopFD:
        """Open a loop device. ``loop(4)``."""
        made: LoopFD = await self._open(path, flags, "LoopFD")
        return made

    @trio.lowlevel.enable_ki_protection
    async def open_loop_control(self, path: PathLike = "/dev/loop-control") -> LoopControlFD:
        """Open what makes and removes loop devices. ``loop(4)``."""
        made: LoopControlFD = await self._open(path, O.RDWR, "LoopControlFD")
        return made

    @trio.lowlevel.enable_ki_protection
    async def open_fuse(self, path: PathLike = "/dev/fuse") -> FuseFD:
        """Open what a file system in user space is served through, once it is mounted.

        The task that mounts it must be in the user namespace of this one. ``fuse(4)``.
        """
        made: FuseFD = await self._open(path, O.RDWR, "FuseFD")
        return made

    @trio.lowlevel.enable_ki_protection
    async def _tty(self, path: PathLike, flags: int) -> TtyFD:
        made: TtyFD = await self._open(path, flags | O.NOCTTY, "TtyFD")
        return made

    @trio.lowlevel.enable_ki_protection
    async def _open(
        self,
        path: PathLike,
        flags: int,
        name_of_kind: str,
    ) -> Any:  # noqa: ANN401 - a handle of that kind, which type checkers know by the caller
        kind: type[FileDescriptor] = getattr(
            import_module(KINDS + HOMES[name_of_kind]), name_of_kind
        )
        task = self._task
        await task.sweep()
        with path_given(task, path) as name:
            made = await near_path.openat(task.sysif, None, name.address, flags | O.CLOEXEC, 0)
            opened = kind(task, made)
        try:
            await kind.check_kind(opened)
        except BaseException:
            await opened.close()
            raise
        return opened
