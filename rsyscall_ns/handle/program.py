"""Programs of calls that are made by name, with the handles and values of this library.

``program.calls.openat(...)`` appends a call, as its manual page writes it. What an argument may be
follows from its C type:

- a number: an int that fits the type; an fd also a FileDescriptor;
- a string: str, bytes or a path; a buffer: bytes; an address: a Pointer, memory that
  ``program.room()`` gave, or None;
- anything: the ``Ref`` of an earlier call.

All is checked when the call is appended, and that handles belong to the task when it is run.
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from errno import EDQUOT, EINTR, EIO, ENOSPC
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, final, overload

import trio
from attrs import frozen

from rsyscall_ns.memory.serializers import Serializer
from rsyscall_ns.near import ids
from rsyscall_ns.near import program as near
from rsyscall_ns.near.abi.fcntl_h import CLOSE_RANGE_CLOEXEC
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.nr import SYS, name_of
from rsyscall_ns.near.program import ProgramError, Ref, Region
from rsyscall_ns.transport.apart import to_the_end

from .fds.fd import FileDescriptor
from .fds.holding import FDRef, HoldingProgram
from .named import NamedCalls
from .pointers.context import MemoryTask
from .pointers.pointer import Pointer

if TYPE_CHECKING:
    from .by_name import Calls  # pyright: ignore[reportMissingModuleSource] - a type, nothing else

__all__ = ["Bound", "Program", "ProgramResults", "check_runnable", "run_program"]

T = TypeVar("T")
FD = TypeVar("FD", bound=FileDescriptor)
WORD: Final = struct.Struct("<Q")
CLOSED: Final = {0, -EIO, -ENOSPC, -EDQUOT}  # results of a close after which the fd is closed
INT: Final = 2**32  # as much of a word the kernel takes for an fd
REPLACING: Final = {  # calls after which there is another program, or another process
    getattr(SYS, name): instead
    for name, instead in {
        "execve": "task.exec(command, before=program)",
        "execveat": "task.exec(command, before=program)",
        "clone": "task.spawn(flags)",
        "clone3": "task.spawn(flags)",
    }.items()
}
MOVING: Final = {  # calls after which we would believe something wrong of the task
    SYS.unshare: "task.ns.unshare(flags), or before= of task.exec and task.launch",
    SYS.setns: "a method of task.ns, or before= of task.exec and task.launch",
}


@final
class Program(HoldingProgram):
    """Calls that a process makes in one go; it may be run any number of times, on any task.

    ``calls`` has a method for each system call. Each returns a Ref to its result, which later
    calls take. A call that fails ends the program, unless ``must_succeed`` is false.
    """

    __slots__ = ()

    @property
    def calls(self) -> Calls:
        """The system calls of this machine, by name: each appends one."""
        return cast("Calls", NamedCalls(self))

    @contextmanager
    def bound(self, task: MemoryTask) -> Generator[Bound]:
        """Use its handles through a task; refused if they are of another one."""
        plain = near.Program()
        plain.extend(self)
        plain.interruptible = self.interruptible
        numbers: list[int] = []
        with ExitStack() as borrowed:
            for place, handle in self.handles:
                if isinstance(handle, FileDescriptor):
                    word = borrowed.enter_context(handle.borrow(task)).number
                    numbers.append(word)
                else:
                    word = borrowed.enter_context(handle.borrow(task)).value
                WORD.pack_into(plain.ops, place, word)
            handles = tuple(handle for _, handle in self.handles)
            yield Bound(plain, self, handles, tuple(numbers))

    def left_open(self, results: near.Results) -> dict[int, int]:
        """Return the fds that it has made and not closed, by step."""
        values, steps = results.values, near.OP.iter_unpack(results.program.ops)
        makers: dict[int, int] = {}  # of each fd that is open: what closes it may not name its step
        for step, (value, op) in enumerate(zip(values, steps, strict=False)):
            kind, _, refs, number, *args, _ = op
            if step in self.made:
                if value >= 0:
                    makers[value] = step
            elif kind == near.KIND_CALL and number in (SYS.close, SYS.close_range):
                for place in range(3):
                    if refs & 1 << place:
                        args[place] = values[args[place]]
                low, high, flags = (arg % INT for arg in args[:3])
                if number == SYS.close:
                    high, done = low, value in CLOSED
                else:
                    done = value == 0 and not flags & CLOSE_RANGE_CLOEXEC
                if done:
                    makers = {fd: at for fd, at in makers.items() if not low <= fd <= high}
        return {step: number for number, step in makers.items()}


@frozen
class Bound:
    """A program that is ready for one task."""

    program: near.Program
    source: Program
    handles: tuple[FileDescriptor | Pointer[Any], ...]
    numbers: tuple[int, ...]  # the fds that it uses

    @contextmanager
    def held(self, task: MemoryTask) -> Generator[None]:
        """Use its handles once more, later: refused if one is closed or freed meanwhile."""
        with ExitStack() as borrowed:
            for handle in self.handles:
                borrowed.enter_context(handle.borrow(task))
            yield


@final
@frozen
class ProgramResults:
    """What a program gave.

    ``results[ref]`` is the number that a call returned; it raises the error of one that failed and
    was allowed to. ``results[region]`` is what is in memory that ``program.room()`` gave. The fds
    that it made belong to the task: as handles, which ``fd`` gives. One that nobody keeps is
    closed with the results.
    """

    task: MemoryTask
    raw: near.Results
    handles: dict[int, FileDescriptor]  # by step

    @overload
    def __getitem__(self, what: Region) -> bytes: ...

    @overload
    def __getitem__(self, what: Ref) -> int: ...

    def __getitem__(self, what: Ref | Region) -> bytes | int:
        if isinstance(what, Region):
            return self.raw.read(what)
        value = self.value(what)
        if near.LOWEST_ERROR <= value < 0:
            raise self.raw.error(what.step, self.task)
        return value

    def fd(self, ref: FDRef[FD]) -> FD:
        """Return the handle of an fd that a call has made, and the program has not closed."""
        handle = self.handles.get(ref.step)
        if handle is None:
            number = self[ref]  # raises, if the call has failed
            raise ProgramError(
                f"step {ref.step + 1} made no fd, or the program has closed fd {number}"
            )
        assert isinstance(handle, ref.kind)
        return handle

    def value(self, ref: Ref) -> int:
        """Return the kernel's result of a call: ``-errno`` where it failed."""
        if ref.step >= len(self.raw.values):
            raise ProgramError(f"the program that ran had no step {ref.step + 1}")
        return self.raw.value(ref)

    def load(self, what: Region | Ref, serializer: Serializer[T]) -> T:
        """Return the value that is in a region, or that a ``read`` step has read."""
        return serializer.from_bytes(self.raw.read(what))


def check_runnable(program: near.Program, *, before_exec: bool) -> None:
    """Refuse calls that change what the task is, which does not matter before an exec."""
    refused = REPLACING if before_exec else REPLACING | MOVING
    for kind, _, _, number, *_ in near.OP.iter_unpack(program.ops):
        if kind == near.KIND_CALL and number in refused:
            raise ProgramError(
                f"{name_of(number)} can't be run in a program, use {refused[number]}"
            )


async def run_program(task: MemoryTask, program: Program) -> ProgramResults:
    """Carry out a program; raises the error of the call that ended it, and leaves no fd then."""
    check_runnable(program, before_exec=False)
    await task.sweep()
    with program.bound(task) as bound:
        results = await task.sysif.execute(bound.program)
    failed = results.failure()
    if failed is not None or not results.complete:
        await close_all(task, program.left_open(results))
        await trio.lowlevel.checkpoint_if_cancelled()
    if failed is not None:
        raise results.error(failed[0], task)
    if not results.complete:  # the cancel that interrupted it is shielded by now
        ran, steps = len(results.values), len(program)
        raise InterruptedError(EINTR, f"interrupted after step {ran} of {steps} in {task}")
    handles = {
        step: program.made[step].kind(task, ids.FileDescriptor(number))
        for step, number in program.left_open(results).items()
    }
    return ProgramResults(task, results, handles)


async def close_all(task: MemoryTask, fds: dict[int, int]) -> None:
    """Close what a program that failed has left open. Neither a cancel nor Ctrl-C comes out."""

    async def close() -> None:
        for number in fds.values():
            try:
                await task.sysif.call(SYS.close, number)
            except TaskLostError:
                task.holdings.forgotten.append(number)  # another task may share the table

    if fds:
        await to_the_end(close)
