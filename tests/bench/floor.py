"""The least that a program costs in trio whose start is waited for: a clone, two waits, a waitid.

What ``launch`` does without all that makes it safe: no handles, no errors, nothing undone. All is
prepared before: what is left is two calls of C, and what trio needs to wait for exec and for death.
"""

from __future__ import annotations

import os
from typing import Final, Self

import trio

from rsyscall_ns import CLONE, Command, Task
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.tasks.block import ServerBlock
from rsyscall_ns.tasks.exec import ExecPlan
from rsyscall_ns.tasks.standing import StandingExec
from rsyscall_ns.transport.posting import Posted, start_server

__all__ = ["Floor"]

NONE: Final = CLONE(0)
VM: Final = int(CLONE.VM)


class Floor:
    """A command that is ready to be run, over and over; ``with`` it while the local task lasts.

    ``namespaces``: new ones that the clone makes. No ids are mapped.
    """

    def __init__(self, local: Task, command: Command, namespaces: CLONE = NONE) -> None:
        self._flags = VM | int(namespaces)
        plan = ExecPlan.make(local, command, (None, None, None), ())
        self._arena = local.arena
        self._environment = local.environments.borrow(command)
        self._exec = StandingExec(plan, local.arena, self._environment)
        self._block = ServerBlock(local, local.arena)

    def __enter__(self) -> Self:
        self._environment.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._exec.release()
        self._block.free()
        self._environment.__exit__()

    async def run(self) -> None:
        """Run it, and wait for its end."""
        ring, exec_ = self._block.ring, self._exec
        posted = Posted(exec_.exec.program, self._arena, exec_.steps, self._block.results)
        _, pidfd, bell = start_server(ring, posted.first(), self._arena.entry, self._flags)
        lib.rs_ring_arm(ring)
        await trio.lowlevel.wait_readable(bell)
        os.close(bell)
        await trio.lowlevel.wait_readable(pidfd)
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)  # noqa: ASYNC222 it is dead
        os.close(pidfd)
