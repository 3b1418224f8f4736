"""ThreadProcess: a child that still runs on a stack of ours, and owns it."""

from __future__ import annotations

from typing import Any, Protocol

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.pidfd import PidFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import Stack
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.wait_h import ChildState

from .child import ChildProcess
from .readiness import Readiness

__all__ = ["ThreadProcess"]


class Server(Protocol):
    """What serves in the child, out of the memory that the child owns."""

    def lose(self, why: str) -> None:
        """Use that memory no more."""
        ...


class ThreadProcess(ChildProcess):
    """A child with its stack, until it has exec'd or died; a plain ChildProcess then.

    ``used_stack`` is the whole stack, ``stack_data`` what was written on it (None once merged),
    ``ctid`` and ``tls`` the memory that clone was given. None of them can be freed while the
    child may use it.
    """

    __slots__ = (
        "ctid",
        "held",
        "server",
        "shared_doorbell",
        "stack_data",
        "tls",
        "used_stack",
    )

    def __init__(
        self,
        task: MemoryTask,
        near_id: ids.Process,
        *,
        used_stack: Pointer[Stack],
        stack_data: Stack,
        ctid: Pointer[Any] | None = None,
        tls: Pointer[Any] | None = None,
        pidfd: PidFD | None = None,
        readiness: Readiness | None = None,
    ) -> None:
        """Own the pointers from now on."""
        super().__init__(task, near_id, pidfd=pidfd, readiness=readiness)
        self.used_stack = used_stack
        self.stack_data = stack_data
        self.ctid = ctid
        self.tls = tls
        self.held: list[Pointer[Any]] = []
        self.server: Server | None = None
        self.shared_doorbell: FileDescriptor | None = None  # in a table shared with its parent
        for pointer in (used_stack, ctid, tls):
            if pointer is not None:
                self.keep(pointer)

    def __repr__(self) -> str:
        name = "ThreadProcess" if self.held else "ChildProcess"
        return f"{name}({self.near.id}, parent=<{self.task!r}>)"

    def __str__(self) -> str:
        return f"{self!r}, which is alive and has not exec'd" if self.held else repr(self)

    def keep(self, pointer: Pointer[Any]) -> None:
        """Own one more piece of memory for as long as the child may use it."""
        pointer.hold(self)
        self.held.append(pointer)

    def free_everything(self) -> None:
        """Free those of the pointers that are valid, and held by nobody else. Idempotent."""
        if self.server is not None:
            self.server.lose("it has exec'd or died")
        held, self.held = self.held, []
        for pointer in held:
            if pointer.valid:
                pointer.let_go(self)
                if not pointer.held:
                    pointer.free()

    def did_exec(self, command: object) -> None:
        """Remember the command; the stack is ours again, and freed."""
        super().did_exec(command)
        self.free_everything()

    def mark_dead(self, state: ChildState) -> None:
        """Remember the death; the stack is ours again, and freed."""
        super().mark_dead(state)
        self.free_everything()
