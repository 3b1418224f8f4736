"""A program that a stub starts for us, after steps of its own such as joining namespaces.

The stub makes the program's process, which is our child and not its own, tells us its pidfd, and
is gone: nothing is asked of either in between, and nothing of this interpreter is in the memory of
either. Whatever fails, the two end by themselves.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, final

import trio

from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.sched_h import CLONE, clone_args
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.abi.socket_h import MSG
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ffi import BLOCK_SIZE, lib
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program
from rsyscall_ns.transport.apart import to_the_end
from rsyscall_ns.transport.doorbell import MESSAGE_SIZE, message
from rsyscall_ns.transport.pace import pace
from rsyscall_ns.transport.posting import PENDING, post_on

from .block import STACK_SIZE, ServerBlock
from .environment import Environments
from .exec import ExecPlan, ExecProgram
from .launch import Launch
from .readiness import ChildWatcher
from .stub import Ground, StubChild, StubExec, rights_of

__all__ = ["start_relayed"]

FLAGS: Final = int(
    CLONE.VM | CLONE.VFORK | CLONE.PARENT | CLONE.PIDFD | CLONE.PARENT_SETTID | CLONE.CLEAR_SIGHAND
)
HOW: Final = int(MSG.NOSIGNAL | MSG.DONTWAIT)
STACK_DATA: Final = 16  # bytes, at the top of a block: what begins there
PIDFD: Final = MESSAGE_SIZE - 8  # where it is in a message
INT: Final = struct.Struct("<i")
WORD: Final = 8
ARGUMENTS_SIZE: Final = 128  # more than clone3 takes today
SETUP: Final = lib.RS_SETUP_HANDLERS | lib.RS_SETUP_OWN_FILES | lib.RS_SETUP_ONCE


@final
class Heir:
    """The process that the stub makes for the program. What it needs goes with the stub's arena."""

    __slots__ = ("_arena", "_block", "_message", "_parent", "_pid", "_posted")

    def __init__(
        self, parent: ProcessTask[Any], ground: Ground, plan: ExecPlan, bell: int, program: Program
    ) -> None:
        """Append to the stub's program what makes it; it has the stub's end of the doorbell."""
        self._parent = parent
        arena = self._arena = ground.arena
        environment = ground.environments.borrow(plan.command)
        exec_ = ExecProgram(plan, arena, environment.address)
        block = self._block = ServerBlock(parent, arena)
        kept = sorted({bell, *plan.needed})
        # the message, its id, what makes it, the fds that it keeps
        size = MESSAGE_SIZE + WORD + ARGUMENTS_SIZE + INT.size * len(kept)
        self._message = arena.allocate(size)
        self._pid = self._message + MESSAGE_SIZE
        arguments = self._pid + WORD
        numbers = arguments + ARGUMENTS_SIZE
        block.prepare(
            setup=SETUP, doorbell=bell, death_signal=SIG.KILL, mask=0, kept=(numbers, len(kept))
        )
        block.ring.parent = os.getpid()
        self._posted = post_on(block.ring, arena, exec_.program)
        how = clone_args(
            flags=FLAGS,
            stack=block.stack,
            stack_size=STACK_SIZE,
            pidfd=self._message + PIDFD,
            parent_tid=self._pid,
        )
        content = (message(self._message, 0), bytes(WORD), how.ljust(ARGUMENTS_SIZE, b"\0"))
        arena.view(self._message, size)[:] = b"".join(content) + struct.pack(
            f"<{len(kept)}i", *kept
        )
        program.call(SYS.clone3, arguments, len(how))
        program.call(SYS.sendmsg, bell, self._message, HOW)

    @property
    def begins_at(self) -> int:
        """Where the stub is to write at what address its server begins."""
        return self._block.address + BLOCK_SIZE - STACK_DATA

    @property
    def pid(self) -> int:
        """Its id, 0 while there is none."""
        (pid,) = INT.unpack(self._arena.view(self._pid, INT.size))
        return int(pid)

    @property
    def has_failed(self) -> bool:
        """Whether it has not become the program."""
        ring = self._block.ring
        began = not lib.rs_ring_failure(ring)
        return not began or bool(lib.rs_ring_done(ring, self._posted.state - PENDING))

    async def adopt(self, number: int) -> ChildProcess:
        """Have an object for it; ``number``: its pidfd."""
        parent, watcher = self._parent, self._parent.watcher
        assert isinstance(watcher, ChildWatcher)
        pidfd = PidFD(parent, ids.FileDescriptor(number))
        process = ChildProcess(parent, ids.Process(self.pid), pidfd=pidfd)
        process.readiness = await watcher.watch(pidfd)
        parent.children.add(process)
        return process

    async def end(self) -> None:
        """End one that nobody has told us of; the stub is dead."""
        if not self.pid:
            return
        with suppress(ProcessLookupError):
            # nobody else reaps it, so it is no other
            os.kill(self.pid, signal.SIGKILL)
            process = await self.adopt(os.pidfd_open(self.pid))
            await process.end()


@trio.lowlevel.enable_ki_protection
async def start_relayed(
    parent: ProcessTask[Any],
    environments: Environments,
    plan: ExecPlan,
    steps: Callable[[Program], None],
    inherit: Sequence[int],
) -> ChildProcess | None:
    """Have a stub make steps, and start the program in a process of its own.

    None where a step or the exec has failed, and nothing has run. TaskLostError: the program had
    been started when the stub was killed, and was ended.

    ``parent`` is the interpreter's own task. The stub has copies of the fds ``inherit`` until it
    ends, the program those of the plan. When this fails, or is cancelled, nothing is left.
    """
    rights = await rights_of(parent, 0, None)
    with ground_of(environments) as ground, plan.held(parent):
        async with StubChild(parent, ground.file, rights, ground) as stub:
            process = await relay(parent, ground, stub, plan, steps, inherit)
    if process is not None:
        process.did_exec(plan.command)
    return process


async def relay(
    parent: ProcessTask[Any],
    ground: Ground,
    stub: StubChild,
    plan: ExecPlan,
    steps: Callable[[Program], None],
    inherit: Sequence[int],
) -> ChildProcess | None:
    heir: Heir | None = None
    process: ChildProcess | None = None
    try:
        async with Launch(parent, 0, None) as launch:
            bell = await launch.open_doorbell()
            program = Program()
            program.interruptible = False
            steps(program)
            heir = Heir(parent, ground, plan, bell, program)
            kept = sorted({*inherit, *plan.needed})
            stub.prepare(launch, bell, kept, program, lib.RS_SETUP_ONCE)
            stub.ring.next = heir.begins_at
            launch.first.become(StubExec(stub, parent.arena, None))
            await pace()
            await launch.start([*kept, *stub.numbers], once=True)
            number = await launch.passed_on()
            if number is not None:
                process = await heir.adopt(number)
            if not launch.reap_now():
                stub_process = await launch.adopt_program()
                launch.leave_block().free()
                await stub_process.end()
    except BaseException:
        if process is not None:
            await process.end()
        elif heir is not None:
            await to_the_end(heir.end)
        raise
    if process is not None and not heir.has_failed:
        return process
    await to_the_end(heir.end if process is None else process.end)
    if heir.pid and not heir.has_failed:
        raise TaskLostError("the stub", f"it died when {plan.command} had been started")
    return None


def ground_of(environments: Environments) -> Ground:
    """Return the one that is kept, if nobody uses it; else another one."""
    kept = environments.common.get(Ground)
    if isinstance(kept, Ground) and not kept.users:
        return kept
    made = Ground(lasts=kept is None)
    if kept is None:
        environments.common[Ground] = made
    return made
