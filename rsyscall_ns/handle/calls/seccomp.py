"""``task.seccomp``: filters of system calls."""

from __future__ import annotations

from errno import EOPNOTSUPP
from typing import final, overload

import trio

from rsyscall_ns.handle.confining import in_child, set_no_new_privs
from rsyscall_ns.handle.kinds.seccomp import SeccompNotifyFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.filter_h import FilterError, FilterProgram, SockFilter, SockFprog
from rsyscall_ns.near.abi.seccomp_calls import denied_to_server
from rsyscall_ns.near.abi.seccomp_h import (
    SECCOMP_FILTER_FLAG,
    SECCOMP_OP,
    SeccompNotifSizes,
)
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import fit

__all__ = ["Seccomp", "SeccompServerError", "SeccompThreadError"]

FLAG = SECCOMP_FILTER_FLAG
NO_FLAG = FLAG.NONE


class SeccompServerError(RsyscallError):
    """A filter would deny what the server of a steered child itself calls."""

    def __init__(self, task: object, name: str, answer: int) -> None:
        super().__init__(
            f"the filter answers {name} by {answer:#x}, and without it {task} could not be "
            "steered: allow it, and have the filter installed by the program that is exec'd"
        )


class SeccompThreadError(RsyscallError, OSError):
    """A filter could not be given to all threads: one of them has another one."""

    def __init__(self, thread: int) -> None:
        OSError.__init__(self, f"thread {thread} has filters that the caller lacks")
        self.thread = thread


@final
class Seccomp:
    """System calls about filters, which are for good: nothing takes one off."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def set_mode_filter(
        self,
        program: FilterProgram | Pointer[bytes],
        flags: SECCOMP_FILTER_FLAG = NO_FLAG,
        *,
        no_new_privs: bool = True,
        for_good: bool = False,
    ) -> None:
        """Filter the task's system calls, and those of what it becomes and starts.

        ``no_new_privs``: set that first; without it CAP_SYS_ADMIN is needed. A steered child
        goes on only while its server's own calls are allowed: a filter that denies one of
        ``SERVER_CALLS`` raises SeccompServerError. The interpreter's own task is refused unless
        ``for_good`` says that it is meant. ``seccomp(2)``.
        """
        if flags & FLAG.NEW_LISTENER:
            raise FilterError("NEW_LISTENER makes an fd: use new_listener")
        failed = await self._install(program, flags, no_new_privs, for_good)
        if failed:
            raise SeccompThreadError(failed)

    @trio.lowlevel.enable_ki_protection
    async def new_listener(
        self,
        program: FilterProgram | Pointer[bytes],
        flags: SECCOMP_FILTER_FLAG = NO_FLAG,
        *,
        no_new_privs: bool = True,
        for_good: bool = False,
    ) -> SeccompNotifyFD:
        """Filter, and return the fd that tells of calls answered by ``SECCOMP_RET.USER_NOTIF``.

        One that the task itself makes waits until somebody else has answered it, through a copy
        of the fd (``pass_to``). Else as ``set_mode_filter``. ``seccomp_unotify(2)``.
        """
        if flags & FLAG.TSYNC and not flags & FLAG.TSYNC_ESRCH:
            raise FilterError("TSYNC needs TSYNC_ESRCH where a listener is made")
        await self._task.sweep()
        made = await self._install(program, flags | FLAG.NEW_LISTENER, no_new_privs, for_good)
        return SeccompNotifyFD(self._task, ids.FileDescriptor(made))

    async def _install(
        self,
        program: FilterProgram | Pointer[bytes],
        flags: SECCOMP_FILTER_FLAG,
        no_new_privs: bool,  # noqa: FBT001 - as given
        for_good: bool,  # noqa: FBT001 - as given
    ) -> int:
        task = self._task
        in_child(task, "a filter of system calls", for_good=for_good)
        content = program.pack() if isinstance(program, FilterProgram) else program
        known = program if isinstance(program, FilterProgram) else peeked(program)
        denied = None if task.sysif.same_thread else denied_to_server(known)
        if denied is not None:
            raise SeccompServerError(task, *denied)
        if no_new_privs:
            await set_no_new_privs(task)
        with given(task, content) as steps:
            assert steps.address is not None, "a program is never None"
            count = steps.size // SockFilter.sizeof()
            with given(task, SockFprog(count, steps.address.value)) as there:
                return await near_host.seccomp(
                    task.sysif, SECCOMP_OP.SET_MODE_FILTER, flags, there.address
                )

    async def get_action_avail(self, action: int | Pointer[int]) -> bool:
        """Return whether the kernel knows an answer (``SECCOMP_RET``). ``seccomp(2)``."""
        task = self._task
        wanted = action if isinstance(action, Pointer) else packed_action(action)
        with given(task, wanted) as there:
            try:
                await near_host.seccomp(task.sysif, SECCOMP_OP.GET_ACTION_AVAIL, 0, there.address)
            except OSError as error:
                if error.errno != EOPNOTSUPP:
                    raise
                return False
            return True

    @overload
    async def get_notif_sizes(self) -> SeccompNotifSizes: ...

    @overload
    async def get_notif_sizes(
        self, *, into: Pointer[SeccompNotifSizes]
    ) -> Pointer[SeccompNotifSizes]: ...

    async def get_notif_sizes(
        self, *, into: Pointer[SeccompNotifSizes] | None = None
    ) -> SeccompNotifSizes | Pointer[SeccompNotifSizes]:
        """Return how large the kernel's structs of notifications are. ``seccomp(2)``."""
        task = self._task
        with room(task, struct_of(SeccompNotifSizes), into) as there:
            await near_host.seccomp(task.sysif, SECCOMP_OP.GET_NOTIF_SIZES, 0, there.address)
            return there.result()


def packed_action(action: int) -> bytes:
    """Return an answer as the kernel reads it."""
    return fit("action", action, 0, 2**32 - 1).to_bytes(4, "little")


def peeked(program: Pointer[bytes]) -> FilterProgram:
    """Return the program that lies there."""
    return FilterProgram.unpack(program.peek())
