"""KernelLog: the messages of the kernel, ``task.host.log``."""

from __future__ import annotations

from errno import EAGAIN
from typing import Final, final, overload

from rsyscall_ns.handle.patience import asked_again
from rsyscall_ns.handle.pointers.context import LARGEST, MemoryTask
from rsyscall_ns.handle.pointers.passing import room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.kernel_h import SYSLOG_ACTION
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.ids import fit

__all__ = ["KernelLog"]

LOWEST: Final = 1  # of the console's levels
HIGHEST: Final = 8
READ_SIZE: Final = 8192
NOTHING: Final = frozenset({EAGAIN})


@final
class KernelLog:
    """The kernel's ring of messages, and what of it the console shows. ``syslog(2)``."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def _act(self, action: SYSLOG_ACTION, number: int = 0) -> int:
        return await near_host.syslog(self._task.sysif, action, None, number)

    @overload
    async def read(self, size: int = ...) -> bytes: ...

    @overload
    async def read(self, size: Pointer[bytes]) -> Pointer[bytes]: ...

    async def read(self, size: int | Pointer[bytes] = READ_SIZE) -> bytes | Pointer[bytes]:
        """Wait for messages that nobody has read, and take up to ``size`` bytes of them.

        Can be cancelled; the interpreter's own task asks again and again. With a pointer:
        consumes it, and returns the part that was filled. SYSLOG_ACTION_READ.
        """

        async def unread() -> None:
            if not await self.size_unread():
                raise BlockingIOError(EAGAIN, "the kernel has no new message")

        if self._task.sysif.same_thread:
            await asked_again(unread, NOTHING)
        return await self._read(SYSLOG_ACTION.READ, size)

    @overload
    async def read_all(self, size: int | None = ...) -> bytes: ...

    @overload
    async def read_all(self, size: Pointer[bytes]) -> Pointer[bytes]: ...

    async def read_all(self, size: int | Pointer[bytes] | None = None) -> bytes | Pointer[bytes]:
        """Return the last ``size`` bytes of messages, all by default, and leave them there.

        SYSLOG_ACTION_READ_ALL.
        """
        return await self._read(SYSLOG_ACTION.READ_ALL, await self._size(size))

    @overload
    async def read_clear(self, size: int | None = ...) -> bytes: ...

    @overload
    async def read_clear(self, size: Pointer[bytes]) -> Pointer[bytes]: ...

    async def read_clear(self, size: int | Pointer[bytes] | None = None) -> bytes | Pointer[bytes]:
        """As ``read_all``, and as ``clear``. SYSLOG_ACTION_READ_CLEAR."""
        return await self._read(SYSLOG_ACTION.READ_CLEAR, await self._size(size))

    async def _size(self, size: int | Pointer[bytes] | None) -> int | Pointer[bytes]:
        return await self.size_buffer() if size is None else size

    async def _read(
        self, action: SYSLOG_ACTION, size: int | Pointer[bytes]
    ) -> bytes | Pointer[bytes]:
        into = size if isinstance(size, Pointer) else None
        most = size.size() if isinstance(size, Pointer) else fit("size", size, 0, LARGEST)
        with room(self._task, BYTES, into, most) as there:
            got = await near_host.syslog(self._task.sysif, action, there.address, most)
            return there.result(got)

    async def clear(self) -> None:
        """Have ``read_all`` give only what comes from now on. SYSLOG_ACTION_CLEAR."""
        await self._act(SYSLOG_ACTION.CLEAR)

    async def size_unread(self) -> int:
        """Return how many bytes ``read`` would give. SYSLOG_ACTION_SIZE_UNREAD."""
        return await self._act(SYSLOG_ACTION.SIZE_UNREAD)

    async def size_buffer(self) -> int:
        """Return how many bytes of messages the kernel keeps. SYSLOG_ACTION_SIZE_BUFFER."""
        return await self._act(SYSLOG_ACTION.SIZE_BUFFER)

    async def console_off(self) -> None:
        """Show only the worst messages on the console. SYSLOG_ACTION_CONSOLE_OFF."""
        await self._act(SYSLOG_ACTION.CONSOLE_OFF)

    async def console_on(self) -> None:
        """Take ``console_off`` back. SYSLOG_ACTION_CONSOLE_ON."""
        await self._act(SYSLOG_ACTION.CONSOLE_ON)

    async def console_level(self, level: int) -> None:
        """Show messages below a level, 1 to 8, on the console. SYSLOG_ACTION_CONSOLE_LEVEL."""
        await self._act(SYSLOG_ACTION.CONSOLE_LEVEL, fit("level", level, LOWEST, HIGHEST))
