"""``task.lsm``: security modules, and what they say about the task."""

from __future__ import annotations

import struct
from contextlib import ExitStack
from errno import E2BIG
from typing import Final, final, overload

from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.lsm_h import LSM_ATTR, LSM_FLAG, LSM_ID, LsmCtx, unpack_contexts
from rsyscall_ns.near.calls import host as near_host

__all__ = ["SecurityModules"]

SIZE: Final = struct.Struct("<Q")  # a u32, so that what follows is aligned
ROOM: Final = 4096


@final
class SecurityModules:
    """System calls about security modules, since Linux 6.8."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @overload
    async def list_modules(self) -> list[LSM_ID | int]: ...

    @overload
    async def list_modules(self, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def list_modules(
        self, *, into: Pointer[bytes] | None = None
    ) -> list[LSM_ID | int] | Pointer[bytes]:
        """Return the active modules, in their order. ``lsm_list_modules(2)``.

        ``into`` is consumed: the part that was filled is returned, 8 bytes for each. An OSError of
        E2BIG: it is too small.
        """
        task = self._task
        with room(task, BYTES, into, ROOM) as there, task.transient(SIZE.pack(there.size)) as size:
            count = await near_host.lsm_list_modules(task.sysif, there.address, size.address, 0)
            found = there.result(8 * count)
        if isinstance(found, Pointer):
            return found
        numbers = struct.unpack(f"<{count}Q", found)
        return [LSM_ID(one) if one in LSM_ID.__members__.values() else one for one in numbers]

    @overload
    async def get_self_attr(
        self, attr: LSM_ATTR, module: LSM_ID | None = ...
    ) -> tuple[LsmCtx, ...]: ...

    @overload
    async def get_self_attr(
        self, attr: LSM_ATTR, module: LSM_ID | None = ..., *, into: Pointer[bytes]
    ) -> Pointer[bytes]: ...

    async def get_self_attr(
        self,
        attr: LSM_ATTR,
        module: LSM_ID | None = None,
        *,
        into: Pointer[bytes] | None = None,
    ) -> tuple[LsmCtx, ...] | Pointer[bytes]:
        """Return an attribute of the task, as each module has it, or only one.

        ``into`` is consumed: the part that was filled is returned, one ``LsmCtx`` behind the other.
        An OSError of E2BIG: it is too small; of EOPNOTSUPP: no module has the attribute.
        ``lsm_get_self_attr(2)``.
        """
        if into is not None:
            found = await self._attr(attr, module, into.size(), into)
            assert isinstance(found, Pointer), "it was filled in place"
            return found
        size = ROOM
        while True:
            try:
                found = await self._attr(attr, module, size)
                assert not isinstance(found, Pointer), "no pointer was given"
                return unpack_contexts(found)
            except OSError as error:
                if error.errno != E2BIG or size >= 1 << 20:
                    raise
                size *= 4

    async def _attr(
        self,
        attr: LSM_ATTR,
        module: LSM_ID | None,
        size: int,
        into: Pointer[bytes] | None = None,
    ) -> bytes | Pointer[bytes]:
        task = self._task
        wanted = b"" if module is None else LsmCtx(module, b"").pack()
        flags = LSM_FLAG.NONE if module is None else LSM_FLAG.SINGLE
        first = wanted + bytes(max(size - len(wanted), 0))
        with ExitStack() as stack:
            length = stack.enter_context(task.transient(SIZE.pack(size)))
            if into is None:
                there = stack.enter_context(task.transient(first))
                await near_host.lsm_get_self_attr(
                    task.sysif, attr, there.address, length.address, flags
                )
                return there.read(0, SIZE.unpack(length.read())[0] & 0xFFFFFFFF)
            into.poke(first)
            mine = stack.enter_context(room(task, BYTES, into))
            await near_host.lsm_get_self_attr(task.sysif, attr, mine.address, length.address, flags)
            return mine.result(SIZE.unpack(length.read())[0] & 0xFFFFFFFF)

    async def set_self_attr(self, attr: LSM_ATTR, context: LsmCtx | Pointer[bytes]) -> None:
        """Set an attribute of the task, as the context's module has it.

        ``lsm_set_self_attr(2)``.
        """
        content = context.pack() if isinstance(context, LsmCtx) else context
        with given(self._task, content) as there:
            await near_host.lsm_set_self_attr(self._task.sysif, attr, there.address, there.size, 0)
