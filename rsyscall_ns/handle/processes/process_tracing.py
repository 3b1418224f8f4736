"""TraceableProcess: a process that a task begins to trace."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from .process_memory import ReachedProcess

if TYPE_CHECKING:  # imported when somebody is first traced
    from rsyscall_ns.near.abi.ptrace_h import PTRACE_O

    from .traced import Traced

__all__ = ["TraceableProcess"]

TRACED: Final = "rsyscall_ns.handle.processes.traced"


class TraceableProcess(ReachedProcess):
    """A process that can be traced: a base of ``Process``."""

    __slots__ = ()

    def ptrace_seize(self, options: PTRACE_O | None = None) -> Traced:
        """Trace the process, or the thread of this id; ``async with`` it. ``ptrace(2)``.

        The tracer is the task that uses the id: a child's parent. For another one make a
        ``Process`` of it. It goes on meanwhile; ``interrupt`` stops it. Leaving the block lets it
        go where it is, also when it is cancelled, and all that the options have added: each gets
        the signal that it has stopped by. That waits for it to stop, so not while it is in an
        uninterruptible sleep. Its stops are told to ``wait`` of the handle: a ``waitid`` of the
        child would take them away. ``PTRACE_O.TRACESYSGOOD`` is always set. ``TRACECLONE``
        of a thread needs Linux 6.9. Leave the block before that of the process itself: its
        parent can't reap it while another task traces it.
        """
        traced: Traced = import_module(TRACED).Traced(self, options)
        return traced

    def ptrace_traceme(self, options: PTRACE_O | None = None) -> Traced:
        """Trace a child that has asked for it by ``PTRACE_TRACEME``; ``async with`` it.

        That is how a program is traced from its first instruction: make the request in the
        ``before`` of ``launch``. It has stopped by a SIGTRAP when the block begins. Otherwise it
        is as with ``ptrace_seize``; ``interrupt`` sends a SIGSTOP, which the program does not see.
        ``ptrace(2)``.
        """
        traced: Traced = import_module(TRACED).Traced(self, options, seized=False)
        return traced
