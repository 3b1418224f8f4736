"""Cloning a child in a parent that is a child itself, by its own system call."""

from __future__ import annotations

import struct
from collections.abc import Callable
from errno import ENOSYS
from typing import Any, Final

from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.near.abi.sched_h import CLONE, clone_args
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.near.ffi import lib

from .block import STACK_SIZE, ServerBlock

__all__ = ["clone_there"]

# plain ints: a flag type's own operators are slow
CLEAR_SIGHAND: Final = int(CLONE.CLEAR_SIGHAND)
PIDFD: Final = int(CLONE.PIDFD)
PARENT_SETTID: Final = int(CLONE.PARENT_SETTID)
CLONED: Final = struct.Struct("<ii")  # pidfd, pid
INT: Final = 4  # bytes


async def clone_there(
    parent: ProcessTask[Any],
    block: ServerBlock,
    flags: int,
    cgroup: int,
    lose: Callable[[int], None],
) -> tuple[int, int]:
    """Clone a child that serves a prepared block; returns its pid and its pidfd in the parent.

    ``lose`` is given the pidfd of a child that its parent has made, and died before it could tell.
    """
    with parent.transient(CLONED.pack(0, 0)) as cloned:

        def arguments(flags: int, parent_tid: int = 0) -> bytes:
            return clone_args(
                flags=flags | PIDFD,
                stack=block.stack,
                stack_size=STACK_SIZE,
                pidfd=cloned.address.value,
                parent_tid=parent_tid,
                exit_signal=SIG.CHLD,
                cgroup=cgroup,
            )

        try:
            # the pid is written when it is certain that there is a child, the pidfd before
            with_pid = arguments(flags | PARENT_SETTID | CLEAR_SIGHAND, (cloned + INT).value)
            pid = await parent.clone_at(with_pid)
        except TaskLostError:
            pidfd, pid = CLONED.unpack(cloned.read())
            if pid:
                lose(pidfd)
            raise
        except OSError as error:
            if error.errno != ENOSYS:
                raise
            # without clone3 the child itself puts the signal handlers back
            lib.rs_ring_add_setup(block.ring, lib.RS_SETUP_RESET)
            pid = await parent.clone_at(arguments(flags))
        pidfd, _ = CLONED.unpack(cloned.read())
        return pid, pidfd
