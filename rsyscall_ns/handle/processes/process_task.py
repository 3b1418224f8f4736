"""ProcessTask: a task that knows which process it is, and can make children."""

from __future__ import annotations

from errno import ENOSYS
from typing import TYPE_CHECKING, Any, Generic, cast

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import borrowed
from rsyscall_ns.handle.pointers.pointer import Pointer, WrittenPointer
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.memory.serializers import Stack
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.sched_h import CLONE, clone_args, old_clone_arguments
from rsyscall_ns.near.abi.signal_h import ALL_SIGNALS, SIG, SIG_BLOCK, SIG_SETMASK, SIGSET_SIZE
from rsyscall_ns.near.calls.base import run
from rsyscall_ns.near.errors import RsyscallError, TaskLostError
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program

from .clone_flags import POINTERS, CloneFlagsError, check_flags
from .process import Process
from .readiness import Readiness, Watcher
from .thread import ThreadProcess

__all__ = [
    "NoParentTaskError",
    "ProcessTask",
    "StackAlignmentError",
    "StackNotAdjacentError",
]

if TYPE_CHECKING:  # its default is for checkers alone, and the package takes long to import
    from typing_extensions import TypeVar

    ProcessT_co = TypeVar("ProcessT_co", bound=Process, default=Process, covariant=True)
else:
    from typing import TypeVar

    ProcessT_co = TypeVar("ProcessT_co", covariant=True)
STACK_ALIGNMENT = 16
PARENT = int(CLONE.PARENT)
INT = 4


class StackAlignmentError(RsyscallError):
    """A child's stack would not begin at a multiple of 16."""

    def __init__(self, data: object) -> None:
        super().__init__(
            f"stack data {data} does not begin at a multiple of {STACK_ALIGNMENT}: allocate it so"
        )


class StackNotAdjacentError(RsyscallError):
    """A child's stack would grow down into memory that is not its own."""

    def __init__(self, allocation: object, data: object) -> None:
        super().__init__(
            f"stack allocation {allocation} does not end where the stack data {data} begins: "
            "split() both from one allocation"
        )


class NoParentTaskError(RsyscallError):
    """CLONE.PARENT was asked of a task whose parent is not known."""

    def __init__(self, task: object) -> None:
        super().__init__(
            f"{task} has no known parent task that could own the child: leave CLONE.PARENT out"
        )


class ProcessTask(MemoryTask, Generic[ProcessT_co]):
    """A task whose process is known.

    ``process``: the process itself; a spawned child's is its ``ThreadProcess``.
    ``parent_task``: the task that it is a child of, None where that is not known.
    """

    __slots__ = ("parent_task", "process", "watcher")

    def __init__(
        self,
        sysif: SyscallInterface,
        process: ProcessT_co | ids.Process,
        parent: ProcessTask[Any] | None,
        flags: CLONE,
        arena: Arena,
        watcher: Watcher,
    ) -> None:
        """``process``: a ``Process`` knows its parent task; a near id has none."""
        super().__init__(sysif, parent, flags, arena)
        self.watcher = watcher
        self.parent_task: MemoryTask | None
        self.process: ProcessT_co
        if isinstance(process, Process):
            self.process = process
            self.parent_task = process.task
        else:
            # by an id alone: then ProcessT_co is plain Process
            self.process = cast("ProcessT_co", Process(self, process))
            self.parent_task = None

    @trio.lowlevel.enable_ki_protection
    async def clone(
        self,
        flags: CLONE,
        child_stack: tuple[Pointer[Stack], WrittenPointer[Stack]],
        ptid: Pointer[int] | None = None,
        ctid: Pointer[int] | None = None,
        newtls: Pointer[Any] | None = None,
        cgroup: FileDescriptor | None = None,
    ) -> ThreadProcess:
        """Make a child that calls the function which its stack's data names. ``clone3(2)``.

        ``child_stack``: the allocation, and behind it the data, at a multiple of 16; both are
        merged into the result's ``used_stack``. The result also owns ``ctid`` and ``newtls``.
        The child has a pidfd, sends SIGCHLD when it dies, and starts with all signals blocked. With
        ``CLONE.PARENT`` it is a child of this task's parent task. ``cgroup``: the directory, on
        cgroup2, of the cgroup that it starts in, which ``CLONE.INTO_CGROUP`` asks for.
        """
        allocation, data = child_stack
        owner = self._check_clone(flags, allocation, data, ptid, ctid, newtls)
        if (cgroup is not None) != (CLONE.INTO_CGROUP in flags):
            raise CloneFlagsError(flags, "CLONE.INTO_CGROUP and cgroup= go together")
        flags |= CLONE.PIDFD
        with (
            allocation.borrow(self) as bottom,
            data.borrow(self),
            borrowed(self, cgroup) as directory,
        ):
            size = allocation.size()
            pid, pidfd = await self._clone(flags, bottom.value, size, ptid, ctid, newtls, directory)
        mine = PidFD(self, ids.FileDescriptor(pidfd))

        def child(theirs: PidFD | None, readiness: Readiness | None) -> ThreadProcess:
            made = ThreadProcess(
                owner,
                ids.Process(pid),
                used_stack=allocation.merge(data),
                stack_data=data.value,
                ctid=ctid,
                tls=newtls,
                pidfd=theirs,
                readiness=readiness,
            )
            owner.children.add(made)
            return made

        theirs: PidFD | None = mine if owner is self else None
        with trio.CancelScope(shield=True):
            try:
                if theirs is None:
                    theirs = await mine.pass_to(owner)
                    await mine.close()
                return child(theirs, await self._watcher_of(owner).watch(theirs))
            except TaskLostError:
                raise  # we have died in the middle: the stack may be in use, and stays the caller's
            except BaseException:
                await child(theirs, None).end()
                raise
        raise AssertionError("a shielded scope is never cancelled")

    def _watcher_of(self, owner: MemoryTask) -> Watcher:
        return owner.watcher if isinstance(owner, ProcessTask) else self.watcher

    def _check_clone(
        self,
        flags: CLONE,
        allocation: Pointer[Stack],
        data: WrittenPointer[Stack],
        ptid: Pointer[int] | None,
        ctid: Pointer[int] | None,
        newtls: Pointer[Any] | None,
    ) -> MemoryTask:
        """Refuse what can't work, before any system call; returns who will own the child."""
        if data.near.value % STACK_ALIGNMENT:
            raise StackAlignmentError(data)
        if allocation.near.value + allocation.size() != data.near.value:
            raise StackNotAdjacentError(allocation, data)
        check_flags(flags)
        if int(flags) & POINTERS:
            self._check_pointers(flags, ptid, ctid, newtls)
        for pointer in (ptid, ctid, newtls):
            if pointer is not None:
                with pointer.borrow(self):
                    pass
        if not int(flags) & PARENT:
            return self
        if self.parent_task is None:
            raise NoParentTaskError(self)
        self.parent_task.check_pid_namespace(self, self.pid_namespace)
        return self.parent_task

    @staticmethod
    def _check_pointers(
        flags: CLONE,
        ptid: Pointer[int] | None,
        ctid: Pointer[int] | None,
        newtls: Pointer[Any] | None,
    ) -> None:
        for flag, pointer, name in (
            (CLONE.PARENT_SETTID, ptid, "ptid"),
            (CLONE.CHILD_SETTID, ctid, "ctid"),
            (CLONE.CHILD_CLEARTID, ctid, "ctid"),
            (CLONE.SETTLS, newtls, "newtls"),
        ):
            if flag in flags and pointer is None:
                raise CloneFlagsError(flags, f"{flag!r} needs a pointer {name}")

    async def _clone(
        self,
        flags: CLONE,
        bottom: int,
        size: int,
        ptid: Pointer[int] | None,
        ctid: Pointer[int] | None,
        newtls: Pointer[Any] | None,
        cgroup: ids.FileDescriptor | None,
    ) -> tuple[int, int]:
        """Make the call, with all signals blocked around it; returns (pid, pidfd)."""

        def at(pointer: Pointer[Any] | None) -> int:
            return 0 if pointer is None else pointer.near.value

        with self.transient(INT) as pidfd:
            pid = await self.clone_at(
                clone_args(
                    flags=flags,
                    stack=bottom,
                    stack_size=size,
                    pidfd=pidfd.address.value,
                    child_tid=at(ctid),
                    parent_tid=at(ptid),
                    # a sibling gets its parent's signal, and the kernel insists on none here
                    exit_signal=0 if int(flags) & PARENT else SIG.CHLD,
                    tls=at(newtls),
                    cgroup=0 if cgroup is None else cgroup.number,
                )
            )
            return pid, int.from_bytes(pidfd.read(), "little")

    async def clone_at(self, args: bytes) -> int:
        """Make the call with these ``clone_args``, with all signals blocked around it.

        Falls back to the old call where there is no clone3 (an older kernel, or the filter of a
        container engine) and the old one can do the same. What the addresses in ``args`` name
        is the caller's to own.
        """
        with self.transient(2 * SIGSET_SIZE) as masks, self.transient(args) as wanted:
            place = masks.address.value
            try:
                return await self._clone_program(
                    place, SYS.clone3, wanted.address.value, wanted.size
                )
            except OSError as error:
                old = old_clone_arguments(args)
                if error.errno != ENOSYS or old is None:
                    raise
                return await self._clone_program(place, SYS.clone, *old)

    async def _clone_program(self, masks: int, number: int, *args: int) -> int:
        program = Program()
        program.interruptible = False
        program.write(masks, ALL_SIGNALS.to_bytes(SIGSET_SIZE, "little"))
        old = masks + SIGSET_SIZE
        program.call(SYS.rt_sigprocmask, SIG_BLOCK, masks, old, SIGSET_SIZE)
        made = program.call(number, *args, must_succeed=False)
        program.call(SYS.rt_sigprocmask, SIG_SETMASK, old, 0, SIGSET_SIZE)
        results = await run(self.sysif, program)
        return results.require(made, self.sysif)
