"""ProcessTask: a task that knows which process it is, and can make children."""

from __future__ import annotations

from errno import ENOSYS
from typing import Any, Generic, Protocol, cast

from typing_extensions import TypeVar

from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.memory.serializers import Stack
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.sched_h import CLONE, clone_args
from rsyscall_ns.near.abi.signal_h import ALL_SIGNALS, SIG, SIG_BLOCK, SIG_SETMASK, SIGSET_SIZE
from rsyscall_ns.near.calls.base import run
from rsyscall_ns.near.calls.process import last_two
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program

from .context import MemoryTask
from .kinds.pidfd import PidFD
from .pointer import Pointer, WrittenPointer
from .process import Process
from .readiness import Readiness
from .thread import ThreadProcess

__all__ = [
    "CloneFlagsError",
    "NoParentTaskError",
    "ProcessTask",
    "StackAlignmentError",
    "StackNotAdjacentError",
    "Watcher",
]

ProcessT_co = TypeVar("ProcessT_co", bound=Process, default=Process, covariant=True)
STACK_ALIGNMENT = 16
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


class CloneFlagsError(RsyscallError, ValueError):
    """Clone flags that can't work together, or with what else was given."""

    def __init__(self, flags: CLONE, why: str) -> None:
        super().__init__(f"clone flags {flags!r}: {why}")


class Watcher(Protocol):
    """Makes what a child needs to be waited for; the tasks layer implements it."""

    async def watch(self, pidfd: PidFD) -> Readiness:
        """Return the readiness of the process that ``pidfd`` refers to."""
        ...


# (flags of which any is asked for, flags of which then none may be, why)
FORBIDDEN = tuple(
    (int(some), int(others), why)
    for some, others, why in (
        (
            CLONE.NEWUSER | CLONE.NEWNS,
            CLONE.FS,
            "a new user or mount namespace can't share CLONE.FS",
        ),
        (CLONE.SIGHAND, CLONE.CLEAR_SIGHAND, "shared signal handlers can't be cleared"),
        (
            CLONE.NEWPID,
            CLONE.PARENT,
            "the first process of a pid namespace can't be a sibling",
        ),
        (CLONE.NEWIPC, CLONE.SYSVSEM, "a new ipc namespace can't share semaphore adjustments"),
        (CLONE.NEWUSER, CLONE.PARENT, "a new user namespace can't be made for a sibling"),
    )
)
REFUSED = (
    (int(CLONE.THREAD), "a thread is no child process: it can't be waited for"),
    (int(CLONE.VFORK), "CLONE.VFORK would stop the caller until the child execs"),
    (int(CLONE.DETACHED), "CLONE.DETACHED means nothing and excludes a pidfd"),
)
SIGHAND, VM, PARENT = int(CLONE.SIGHAND), int(CLONE.VM), int(CLONE.PARENT)
POINTERS = int(CLONE.PARENT_SETTID | CLONE.CHILD_SETTID | CLONE.CHILD_CLEARTID | CLONE.SETTLS)


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

    async def clone(
        self,
        flags: CLONE,
        child_stack: tuple[Pointer[Stack], WrittenPointer[Stack]],
        ptid: Pointer[int] | None = None,
        ctid: Pointer[int] | None = None,
        newtls: Pointer[Any] | None = None,
    ) -> ThreadProcess:
        """Make a child that calls the function which its stack's data names. ``clone3(2)``.

        ``child_stack``: the allocation, and behind it the data, at a multiple of 16; both are
        merged into the result's ``used_stack``. The result also owns ``ctid`` and ``newtls``.
        The child has a pidfd, dies with SIGCHLD, and starts with all signals blocked. With
        ``CLONE.PARENT`` it is a child of this task's parent task.
        """
        allocation, data = child_stack
        owner = self._check_clone(flags, allocation, data, ptid, ctid, newtls)
        flags |= CLONE.PIDFD
        with allocation.borrow(self) as bottom, data.borrow(self):
            size = allocation.size()
            pid, pidfd = await self._clone(flags, bottom.value, size, ptid, ctid, newtls)
        mine = PidFD(self, ids.FileDescriptor(pidfd))
        child = ThreadProcess(
            owner,
            ids.Process(pid),
            used_stack=allocation.merge(data),
            stack_data=data.value,
            ctid=ctid,
            tls=newtls,
            pidfd=mine,
        )
        owner.children.add(child)
        child.when_dead = lambda: owner.children.discard(child)
        try:
            theirs = mine
            if owner is not self:
                theirs = child.pidfd = await mine.pass_to(owner)
                await mine.close()
            child.readiness = await self.watcher.watch(theirs)
        except BaseException:
            await child.end()
            raise
        return child

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
    ) -> tuple[int, int]:
        """Make the call, with all signals blocked around it; returns (pid, pidfd)."""

        def at(pointer: Pointer[Any] | None) -> int:
            return 0 if pointer is None else pointer.near.value

        with self.transient(2 * SIGSET_SIZE + INT) as memory:
            pidfd = memory + 2 * SIGSET_SIZE
            args = clone_args(
                flags=flags,
                stack=bottom,
                stack_size=size,
                pidfd=pidfd.value,
                child_tid=at(ctid),
                parent_tid=at(ptid),
                # a sibling gets the signal of its parent, and the kernel insists on none here
                exit_signal=0 if int(flags) & PARENT else SIG.CHLD,
                tls=at(newtls),
            )
            with self.transient(args) as wanted:
                try:
                    pid = await self._clone_program(
                        memory.address.value, SYS.clone3, wanted.address.value, wanted.size
                    )
                except OSError as error:
                    if error.errno != ENOSYS or flags >= CLONE.CLEAR_SIGHAND or ptid is not None:
                        raise
                    # an older kernel, or a container engine's filter: the old call can do this
                    pid = await self._clone_program(
                        memory.address.value,
                        SYS.clone,
                        flags | SIG.CHLD,
                        bottom + size,
                        pidfd.value,
                        *last_two(at(ctid), at(newtls)),
                    )
            number = int.from_bytes(memory.read(2 * SIGSET_SIZE), "little")
        return pid, number

    async def clone_by_args(self, args: bytes) -> int:
        """Make the bare call with these ``clone_args``; what they name is the caller's to own."""
        with self.transient(2 * SIGSET_SIZE) as masks, self.transient(args) as wanted:
            return await self._clone_program(
                masks.address.value, SYS.clone3, wanted.address.value, wanted.size
            )

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


def check_flags(flags: CLONE) -> None:
    """Refuse flags that no clone by us can have, or that exclude each other."""
    bits = int(flags)  # plain ints: a flag type's own operators are slow
    for some, others, why in FORBIDDEN:
        if bits & some and bits & others:
            raise CloneFlagsError(flags, why)
    for flag, why in REFUSED:
        if bits & flag:
            raise CloneFlagsError(flags, why)
    if bits & SIGHAND and not bits & VM:
        raise CloneFlagsError(flags, "shared signal handlers need shared memory, CLONE.VM")
