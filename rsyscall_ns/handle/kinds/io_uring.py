"""IoUringFD: an io_uring, as system calls see it. The ring: ``handle/objects/ring.py``."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, ClassVar, Final, final, overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.io_uring_h import IORING_ENTER, IORING_REGISTER
from rsyscall_ns.near.abi.io_uring_structs import (
    IoUringFilesUpdate,
    IoUringProbeOp,
    unpack_probe,
)
from rsyscall_ns.near.calls import ipc as near_ipc
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import fit

__all__ = ["IoUringBlocksError", "IoUringFD"]

IOVEC: Final = struct.Struct("<QQ")
OPS: Final = 255
HEAD: Final = 16  # bytes of a probe before the first operation
PROBE: Final = HEAD + OPS * IoUringProbeOp.sizeof()
NO_FLAG: Final = IORING_ENTER.NONE


class IoUringBlocksError(RsyscallError):
    """A wait for completions would have blocked the event loop."""

    def __init__(self) -> None:
        super().__init__(
            "enter with min_complete would block the event loop: await Ring.completions(), or do "
            "it in a child"
        )


@final
class IoUringFD(FileDescriptor):
    """What ``task.io_uring.setup`` gives. ``task.io_uring.ring`` gives one that is ready to use."""

    __slots__ = ("_buffers",)
    kind: ClassVar[str] = "io_uring"

    def __init__(self, task: MemoryTask, near_id: ids.FileDescriptor) -> None:
        """Take over the fd."""
        super().__init__(task, near_id)
        self._buffers: list[Pointer[Any]] = []

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is an io_uring, as ``/proc`` shows it."""
        await check_link(fd, cls.__name__, "anon_inode:[io_uring]")

    async def enter(
        self, to_submit: int = 0, min_complete: int = 0, flags: IORING_ENTER = NO_FLAG
    ) -> int:
        """Have the kernel take entries, and wait; returns how many it took.

        The interpreter's own task must not wait: IoUringBlocksError. ``io_uring_enter(2)``.
        """
        waits = min_complete and flags & IORING_ENTER.GETEVENTS
        if (waits or flags & IORING_ENTER.SQ_WAIT) and self.task.sysif.same_thread:
            raise IoUringBlocksError
        with self.borrow() as near_id:
            return await near_ipc.io_uring_enter(
                self.task.sysif, near_id, to_submit, min_complete, flags, None, 0
            )

    async def register(
        self, opcode: IORING_REGISTER, arg: Pointer[Any] | bytes | None = None, count: int = 0
    ) -> int:
        """Make any registration; ``arg`` is what it takes. ``io_uring_register(2)``."""
        with self.borrow() as near_id, given(self.task, arg) as there:
            return await near_ipc.io_uring_register(
                self.task.sysif, near_id, opcode, there.address, count
            )

    async def register_buffers(self, buffers: Sequence[Pointer[Any]]) -> None:
        """Register memory for ``Operation.read_fixed`` and ``write_fixed``.

        It is held until that is taken back, or the ring is closed. IORING_REGISTER_BUFFERS.
        """
        with ExitStack() as stack:
            pieces = b"".join(
                IOVEC.pack(stack.enter_context(one.borrow(self.task)).value, one.size())
                for one in buffers
            )
            await self.register(IORING_REGISTER.BUFFERS, pieces, len(buffers))
            for one in buffers:
                one.hold(self)
            self._buffers += buffers

    async def unregister_buffers(self) -> None:
        """Take ``register_buffers`` back, and let go of its memory. IORING_UNREGISTER_BUFFERS."""
        await self.register(IORING_REGISTER.UNREGISTER_BUFFERS)
        self.let_go()

    def let_go(self) -> None:
        """Let go of registered memory, of an io_uring that was closed. A Ring does it by itself."""
        buffers, self._buffers = self._buffers, []
        for one in buffers:
            one.let_go(self)

    async def register_files(self, files: Sequence[FileDescriptor | None]) -> None:
        """Register open files, to be named by their places; None is an empty place.

        They are kept open by that. IORING_REGISTER_FILES.
        """
        numbers = self._numbers(files)
        await self.register(IORING_REGISTER.FILES, numbers, len(files))

    async def register_files_update(
        self, offset: int, files: Sequence[FileDescriptor | None]
    ) -> int:
        """Replace registered files from a place on; returns how many. None empties a place.

        IORING_REGISTER_FILES_UPDATE.
        """
        with self.task.transient(self._numbers(files)) as there:
            update = IoUringFilesUpdate(offset, there.address.value).pack()
            return await self.register(IORING_REGISTER.FILES_UPDATE, update, len(files))

    def _numbers(self, files: Sequence[FileDescriptor | None]) -> bytes:
        numbers = [-1 if file is None else self._number_of(file) for file in files]
        return struct.pack(f"<{len(numbers)}i", *numbers)

    def _number_of(self, file: FileDescriptor) -> int:
        with file.borrow(self.task) as near_id:
            return near_id.number

    async def unregister_files(self) -> None:
        """Take ``register_files`` back. IORING_UNREGISTER_FILES."""
        await self.register(IORING_REGISTER.UNREGISTER_FILES)

    async def register_eventfd(self, eventfd: FileDescriptor) -> None:
        """Have each completion counted by an eventfd. IORING_REGISTER_EVENTFD."""
        await self.register(IORING_REGISTER.EVENTFD, self._numbers([eventfd]), 1)

    async def unregister_eventfd(self) -> None:
        """Take ``register_eventfd`` back. IORING_UNREGISTER_EVENTFD."""
        await self.register(IORING_REGISTER.UNREGISTER_EVENTFD)

    async def register_enable_rings(self) -> None:
        """Begin, where ``R_DISABLED`` was asked for. IORING_REGISTER_ENABLE_RINGS."""
        await self.register(IORING_REGISTER.ENABLE_RINGS)

    @overload
    async def register_probe(self) -> tuple[IoUringProbeOp, ...]: ...

    @overload
    async def register_probe(self, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def register_probe(
        self, *, into: Pointer[bytes] | None = None
    ) -> tuple[IoUringProbeOp, ...] | Pointer[bytes]:
        """Return which operations the kernel has. IORING_REGISTER_PROBE.

        ``into``: memory for as many of them as fit, to be read by ``unpack_probe``.
        """
        task = self.task
        size = PROBE if into is None else into.size()
        most = fit("room for operations", (size - HEAD) // IoUringProbeOp.sizeof(), 1, OPS)
        if into is not None:
            into.poke(bytes(size))  # the kernel insists on zeros
        with self.borrow() as near_id, room(task, BYTES, into, size) as there:
            await near_ipc.io_uring_register(
                task.sysif, near_id, IORING_REGISTER.PROBE, there.address, most
            )
            found = there.result()
        return found if isinstance(found, Pointer) else unpack_probe(found)
