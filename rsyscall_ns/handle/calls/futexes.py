"""``task.futex``: waiting on words in memory that processes share, and waking who waits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, final

import trio

from rsyscall_ns.handle.calls.ns import InInterpreterError
from rsyscall_ns.handle.objects.futex_word import (
    LARGEST,
    FutexWaiter,
    Timeout,
    Word,
    check_clock,
    may_wait,
    waiter_given,
    word_given,
)
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.processes.thread import ThreadProcess
from rsyscall_ns.near.abi.futex_h import (
    FUTEX,
    FUTEX2,
    FUTEX_BITSET_MATCH_ANY,
    FUTEX_CMD,
    FUTEX_WAITV_MAX,
    FutexOp,
    RobustListHead,
)
from rsyscall_ns.near.abi.time_h import CLOCK
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.calls import scheduling as near_scheduling
from rsyscall_ns.near.ids import Address, fit

__all__ = ["Futexes"]

ALL: Final = FUTEX_BITSET_MATCH_ANY
CMD = FUTEX_CMD


@final
class Futexes:
    """System calls on futexes. A word is what begins at a ``Pointer``, of 32 bits.

    Waits are for children: in the interpreter's own task they raise BlocksLoopError, unless their
    time is 0, and a cancel ends them. They raise BlockingIOError at once if the word has another
    value, and TimeoutError when the time is over. A time is a point of ``CLOCK.MONOTONIC``, or of
    ``CLOCK.REALTIME`` with ``FUTEX.CLOCK_REALTIME``, unless the method says otherwise.
    ``FUTEX.PRIVATE_FLAG``: only for tasks that share all their memory; faster.
    """

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def wait(
        self, word: Word, val: int, timeout: Timeout = None, flags: FUTEX = FUTEX.NONE
    ) -> None:
        """Wait to be woken, if the word is ``val``. ``FUTEX_WAIT(2const)``.

        ``timeout``: a time from now on.
        """
        await self._wait(CMD.WAIT, word, val, timeout, flags)

    async def wake(self, word: Word, nr: int = 1, flags: FUTEX = FUTEX.NONE) -> int:
        """Wake up to ``nr`` that wait on the word; returns how many. ``FUTEX_WAKE(2const)``."""
        return await self._two(CMD.WAKE, flags, word, nr)

    async def wait_bitset(
        self,
        word: Word,
        val: int,
        bitset: int = ALL,
        timeout: Timeout = None,
        flags: FUTEX = FUTEX.NONE,
    ) -> None:
        """Wait to be woken with one of these bits. ``FUTEX_WAIT_BITSET(2const)``."""
        await self._wait(CMD.WAIT_BITSET, word, val, timeout, flags, bitset)

    async def wake_bitset(
        self, word: Word, nr: int = 1, bitset: int = ALL, flags: FUTEX = FUTEX.NONE
    ) -> int:
        """Wake those that wait with one of these bits. ``FUTEX_WAKE_BITSET(2const)``."""
        return await self._two(CMD.WAKE_BITSET, flags, word, nr, val3=fit("bitset", bitset, 1, ALL))

    async def requeue(
        self, word: Word, nr_wake: int, nr_requeue: int, to: Word, flags: FUTEX = FUTEX.NONE
    ) -> int:
        """Wake some that wait on the word, have others wait on another one; returns the first.

        ``FUTEX_REQUEUE(2const)``.
        """
        return await self._two(CMD.REQUEUE, flags, word, nr_wake, nr_requeue, to)

    async def cmp_requeue(
        self,
        word: Word,
        nr_wake: int,
        nr_requeue: int,
        to: Word,
        val: int,
        flags: FUTEX = FUTEX.NONE,
    ) -> int:
        """Do as ``requeue`` if the word is ``val``; returns how many were woken or moved.

        BlockingIOError: it is not. ``FUTEX_CMP_REQUEUE(2const)``.
        """
        return await self._two(CMD.CMP_REQUEUE, flags, word, nr_wake, nr_requeue, to, val)

    async def wake_op(
        self,
        word: Word,
        nr_wake: int,
        other: Word,
        nr_wake_other: int,
        op: FutexOp,
        flags: FUTEX = FUTEX.NONE,
    ) -> int:
        """Change another word, wake who waits on this one, and on that one if it was so.

        Returns how many were woken. ``FUTEX_WAKE_OP(2const)``.
        """
        return await self._two(CMD.WAKE_OP, flags, word, nr_wake, nr_wake_other, other, op.pack())

    async def lock_pi(self, word: Word, timeout: Timeout = None, flags: FUTEX = FUTEX.NONE) -> None:
        """Take a lock whose word is its owner's thread id, 0 if it is free; wait for it.

        Whoever has it gets the priority of those that wait. ``timeout``: a point of
        ``CLOCK.REALTIME``. OSError of EDEADLK: the task has it. ``FUTEX_LOCK_PI(2const)``.
        """
        await self._wait(CMD.LOCK_PI, word, 0, timeout, flags)

    async def lock_pi2(
        self, word: Word, timeout: Timeout = None, flags: FUTEX = FUTEX.NONE
    ) -> None:
        """Take a lock as ``lock_pi`` does, with another clock. ``FUTEX_LOCK_PI2(2const)``."""
        await self._wait(CMD.LOCK_PI2, word, 0, timeout, flags)

    async def trylock_pi(self, word: Word, flags: FUTEX = FUTEX.NONE) -> None:
        """Take a lock as ``lock_pi`` does, or raise BlockingIOError.

        It looks also whether the owner has died, which only the kernel can tell.
        ``FUTEX_TRYLOCK_PI(2const)``.
        """
        await self._two(CMD.TRYLOCK_PI, flags, word, 0)

    async def unlock_pi(self, word: Word, flags: FUTEX = FUTEX.NONE) -> None:
        """Give a lock to the first that waits for it. ``FUTEX_UNLOCK_PI(2const)``.

        PermissionError: the task does not have it.
        """
        await self._two(CMD.UNLOCK_PI, flags, word, 0)

    async def wait_requeue_pi(
        self,
        word: Word,
        val: int,
        to: Word,
        timeout: Timeout = None,
        flags: FUTEX = FUTEX.NONE,
    ) -> None:
        """Wait as ``wait`` does, to be moved to a lock and to get it.

        ``FUTEX_WAIT_REQUEUE_PI(2const)``.
        """
        await self._wait(CMD.WAIT_REQUEUE_PI, word, val, timeout, flags, ALL, to)

    async def cmp_requeue_pi(
        self, word: Word, nr_requeue: int, to: Word, val: int, flags: FUTEX = FUTEX.NONE
    ) -> int:
        """Give a lock to one that waits by ``wait_requeue_pi``, have others wait for it.

        Returns how many were woken or moved. ``FUTEX_CMP_REQUEUE_PI(2const)``.
        """
        return await self._two(CMD.CMP_REQUEUE_PI, flags, word, 1, nr_requeue, to, val)

    async def futex_wait(
        self,
        word: Word,
        val: int,
        mask: int = ALL,
        flags: FUTEX2 = FUTEX2.SIZE_U32,
        timeout: Timeout = None,
        clockid: CLOCK = CLOCK.MONOTONIC,
    ) -> None:
        """Wait as ``wait_bitset`` does; ``timeout`` is a point of the clock. ``futex(2)``.

        ``FUTEX2.PRIVATE`` is as ``FUTEX.PRIVATE_FLAG``.
        """
        task = self._task
        may_wait(task, "futex_wait", timeout)
        with ExitStack() as stack:
            place = word_given(stack, task, word, flags)
            time = stack.enter_context(given(task, timeout))
            await near_scheduling.futex_wait(
                task.sysif, place, val, mask, flags, time.address, clockid
            )

    async def futex_wake(
        self, word: Word, mask: int = ALL, nr: int = 1, flags: FUTEX2 = FUTEX2.SIZE_U32
    ) -> int:
        """Wake as ``wake_bitset`` does. ``futex(2)``."""
        task = self._task
        fit("nr", nr, 0, LARGEST)
        with ExitStack() as stack:
            place = word_given(stack, task, word, flags)
            return await near_scheduling.futex_wake(task.sysif, place, mask, nr, flags)

    async def futex_requeue(
        self, source: FutexWaiter, to: FutexWaiter, nr_wake: int, nr_requeue: int
    ) -> int:
        """Do as ``cmp_requeue``, between words of any flags. ``futex(2)``.

        The value is that of ``source``.
        """
        task = self._task
        fit("nr_wake", nr_wake, 0, LARGEST)
        fit("nr_requeue", nr_requeue, 0, LARGEST)
        with ExitStack() as stack:
            pair = b"".join(waiter_given(stack, task, one).pack() for one in (source, to))
            there = stack.enter_context(given(task, pair))
            return await near_scheduling.futex_requeue(
                task.sysif, there.address, 0, nr_wake, nr_requeue
            )

    async def futex_waitv(
        self,
        waiters: Sequence[FutexWaiter],
        timeout: Timeout = None,
        clockid: CLOCK = CLOCK.MONOTONIC,
    ) -> int:
        """Wait on up to 128 words; returns the place of one of those that were woken.

        ``timeout`` is a point of the clock. ``futex_waitv(2)``.
        """
        task = self._task
        fit("count of waiters", len(waiters), 1, FUTEX_WAITV_MAX)
        may_wait(task, "futex_waitv", timeout)
        with ExitStack() as stack:
            all_of_them = b"".join(waiter_given(stack, task, one).pack() for one in waiters)
            there = stack.enter_context(given(task, all_of_them))
            time = stack.enter_context(given(task, timeout))
            return await near_scheduling.futex_waitv(
                task.sysif, there.address, len(waiters), 0, time.address, clockid
            )

    @trio.lowlevel.enable_ki_protection
    async def set_robust_list(self, head: Pointer[RobustListHead]) -> None:
        """Have the kernel release, at the child's death, the locks that a list names.

        It marks their words with ``FUTEX_OWNER_DIED`` and wakes one of those that wait. The head
        is the child's then, and freed after its death or exec. The interpreter's own list is its C
        library's: InInterpreterError. ``set_robust_list(2)``.
        """
        task = self._task
        process: object = getattr(task, "process", None)
        if not isinstance(process, ThreadProcess):
            raise InInterpreterError("set_robust_list")
        size = RobustListHead.sizeof()
        with given(task, head) as there:
            await near_process.set_robust_list(task.sysif, there.address, size)
            process.keep(head)

    async def _wait(
        self,
        cmd: FUTEX_CMD,
        word: Word,
        val: int,
        timeout: Timeout,
        flags: FUTEX,
        bitset: int = 0,
        to: Word | None = None,
    ) -> None:
        task, op = self._task, check_clock(cmd, flags)
        if cmd == CMD.WAIT_BITSET:
            fit("bitset", bitset, 1, ALL)
        may_wait(task, f"FUTEX_{cmd.name}", timeout)
        with ExitStack() as stack:
            place = word_given(stack, task, word)
            other = None if to is None else word_given(stack, task, to)
            time = stack.enter_context(given(task, timeout))
            await near_scheduling.futex(task.sysif, place, op, val, time.address, other, bitset)

    async def _two(
        self,
        cmd: FUTEX_CMD,
        flags: FUTEX,
        word: Word,
        nr: int,
        nr2: int = 0,
        other: Word | None = None,
        val3: int = 0,
    ) -> int:
        task, op = self._task, check_clock(cmd, flags)
        fit("number of tasks", nr, 0, LARGEST)
        count = Address(fit("number of tasks", nr2, 0, LARGEST))  # the kernel takes it for val2
        with ExitStack() as stack:
            place = word_given(stack, task, word)
            second = None if other is None else word_given(stack, task, other)
            return await near_scheduling.futex(task.sysif, place, op, nr, count, second, val3)
