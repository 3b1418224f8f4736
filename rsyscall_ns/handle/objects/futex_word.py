"""What the calls on futexes share: words of the caller's, their sizes, and who may wait."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Final

from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.waiting import BlocksLoopError
from rsyscall_ns.near.abi.futex_h import FUTEX, FUTEX2, FUTEX_CMD, FutexWaitv
from rsyscall_ns.near.abi.time_h import Timespec
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.values import value

__all__ = ["FutexFlagsError", "FutexWaiter", "Timeout", "Word", "check_clock", "may_wait"]
__all__ += ["waiter_given", "word_given"]

Word = Pointer[Any]  # at its start
Timeout = Timespec | Pointer[Timespec] | None
LARGEST: Final = 2**31 - 1
SIZE: Final = 3  # the bits of FUTEX2 that say it
BY_REALTIME: Final = {
    FUTEX_CMD.WAIT,
    FUTEX_CMD.WAIT_BITSET,
    FUTEX_CMD.WAIT_REQUEUE_PI,
    FUTEX_CMD.LOCK_PI2,
}


class FutexFlagsError(RsyscallError, ValueError):
    """A futex operation has no time limit, or can't choose its clock."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} can't choose a clock: leave FUTEX.CLOCK_REALTIME out")


@value
class FutexWaiter:
    """A word for ``futex_waitv`` and ``futex_requeue``, and the value that it must have."""

    word: Word
    val: int
    flags: FUTEX2 = FUTEX2.SIZE_U32


def word_given(
    stack: ExitStack, task: MemoryTask, word: Word, flags: FUTEX2 = FUTEX2.SIZE_U32
) -> Address:
    """Borrow a word until the stack is left; it must have all bytes that the kernel looks at."""
    need = (1 << (flags & SIZE)) * (2 if flags & FUTEX2.NUMA else 1)
    fit("size of a futex word", word.size(), need, 2**63 - 1)
    return stack.enter_context(word.borrow(task))


def waiter_given(stack: ExitStack, task: MemoryTask, waiter: FutexWaiter) -> FutexWaitv:
    """Return a waiter as the kernel takes it; its word is borrowed until the stack is left."""
    place = word_given(stack, task, waiter.word, waiter.flags)
    return FutexWaitv(waiter.val, place.value, waiter.flags)


def check_clock(cmd: FUTEX_CMD, flags: FUTEX) -> int:
    """Return the operation with its flags, if it has a clock to choose or chooses none."""
    if flags & FUTEX.CLOCK_REALTIME and cmd not in BY_REALTIME:
        raise FutexFlagsError(f"FUTEX_{cmd.name}")
    return cmd | flags


def may_wait(task: MemoryTask, what: str, timeout: Timeout) -> None:
    """Refuse a wait that would hold up the event loop; one with a time of 0 never does."""
    if not task.sysif.same_thread:
        return
    limit = timeout.peek() if isinstance(timeout, Pointer) else timeout
    if limit is None or limit != Timespec():
        raise BlocksLoopError(what)
