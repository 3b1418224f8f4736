"""How a task's credentials are changed, and what the kernel takes away with that is put back.

A change of user or group ids clears the signal that the task gets when its parent dies, and makes
its memory one that nobody may look at, which may be ours. So both are asked for first; then the
change, and what puts them back, are one program that can't be interrupted. Should the interpreter
die in the middle of it, nobody would signal the task: so it looks at the end whether the
interpreter's end of the doorbell is closed, and exits then.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from weakref import WeakKeyDictionary

import trio

from rsyscall_ns.far.namespaces import AddressSpace
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.calls.base import run
from rsyscall_ns.near.errors import RsyscallError, TaskLostError
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Argument, Program, Ref
from rsyscall_ns.near.values import value
from rsyscall_ns.transport.ring import RingInterface

__all__ = ["Kept", "ThreadCredentialsError", "change", "own_thread_refused", "put_back"]

INT: Final = struct.Struct("<i")
POLLFD: Final = struct.Struct("<ihh")
NOW: Final = bytes(16)  # struct timespec: no waiting
SIGSET_SIZE: Final = 8
CAN_BE_SET: Final = (0, 1)  # SUID_DUMP_DISABLE and USER; ROOT can't

_changing: WeakKeyDictionary[AddressSpace, trio.Lock] = WeakKeyDictionary()


class ThreadCredentialsError(RsyscallError):
    """Credentials of a single thread of the interpreter were to be changed."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} would change one thread of this interpreter only, and not its other threads: "
            "do it in a child"
        )


@value
class Kept:
    """What a change takes away: it is the same afterwards as it was before."""

    death_signal: int
    dumpable: int
    parent: int


def own_thread_refused(task: MemoryTask, what: str) -> None:
    """Raise ThreadCredentialsError for the interpreter's own task."""
    if task.sysif.same_thread:
        raise ThreadCredentialsError(what)


async def change(task: MemoryTask, build: Callable[[Program], Ref]) -> int:
    """Make a call that changes credentials, which ``build`` appends; returns its result.

    A failed call changes nothing. One at a time for tasks of the same memory: whether that can be
    looked at is a property of the memory, and each must find it as it is meant to be.
    """
    ring = task.sysif
    assert isinstance(ring, RingInterface), "the interpreter's own task was refused before"
    async with _changing.setdefault(task.address_space, trio.Lock()):
        kept = await _look(task)
        program = Program()
        program.interruptible = False
        changed = build(program)
        restored = put_back(program, kept, ring.server_doorbell)
        results = await ring.execute(program)
    result = results.require(changed, ring)
    for step in restored[:-1]:
        results.require(step, ring)
    if results.value(restored[-1]) != kept.parent:
        # we are alive, so it is a steered child that has died, and its own child should have too
        with trio.CancelScope(shield=True), suppress(TaskLostError):
            await ring.call(SYS.exit_group, 0)
        raise TaskLostError(task, "its parent died while its credentials changed")
    return result


async def _look(task: MemoryTask) -> Kept:
    program = Program()
    signal = program.room(INT.size)
    program.call(SYS.prctl, PR.GET_PDEATHSIG, signal, 0, 0, 0)
    dumpable = program.call(SYS.prctl, PR.GET_DUMPABLE, 0, 0, 0, 0)
    parent = program.call(SYS.getppid)
    results = await run(task.sysif, program)
    (number,) = INT.unpack(results.read(signal))
    return Kept(number, results.value(dumpable), results.value(parent))


def put_back(program: Program, kept: Kept, doorbell: int) -> list[Ref]:
    """Append what puts things back, and what exits if the interpreter has died meanwhile.

    ``doorbell``: the number of the task's end of it. Returns the steps: those that put back, and
    last that which tells the parent's id.
    """
    steps: list[Ref] = []

    def also(number: int, *args: Argument) -> Ref:
        step = program.call(number, *args, must_succeed=False)
        steps.append(step)
        return step

    if kept.death_signal:
        also(SYS.prctl, PR.SET_PDEATHSIG, kept.death_signal, 0, 0, 0)
    if kept.dumpable in CAN_BE_SET:
        also(SYS.prctl, PR.SET_DUMPABLE, kept.dumpable, 0, 0, 0)
    also(SYS.getppid)
    bell, now = program.room(POLLFD.pack(doorbell, 0, 0)), program.room(NOW)
    closed = program.call(SYS.ppoll, bell, 1, now, 0, SIGSET_SIZE, must_succeed=False)
    # 0 is no kind of priority, which ends the program; 1 is, then it goes on
    program.call(SYS.ioprio_get, closed, 0)
    program.call(SYS.exit_group, 0)
    return steps
