"""How a task asks to be told of something by a signal, and what of that no system call can do."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi.siginfo_h import SIGEV, Sigevent
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import fit

from .pointers.context import MemoryTask
from .pointers.pointer import Pointer
from .waiting import InterruptSignalError

__all__ = ["SigeventError", "check_event"]

LAST: Final = 64
OF_A_PROCESS: Final = (SIGEV.SIGNAL, SIGEV.NONE)


class SigeventError(RsyscallError, ValueError):
    """A call was to tell of something in a way that no system call has."""

    def __init__(self, notify: object) -> None:
        super().__init__(
            f"the kernel can't tell by {notify!r} here: SIGEV.SIGNAL or SIGEV.NONE; a thread is "
            "the C library's to start"
        )


def check_event(
    task: MemoryTask, event: Sigevent | Pointer[Sigevent] | None, *, threads: bool = False
) -> None:
    """Refuse what can't be had, before anything is made; ``threads``: one can be chosen."""
    if isinstance(event, Pointer):
        event = event.peek()
    if event is None or event.notify == SIGEV.NONE:
        return
    if event.notify not in OF_A_PROCESS and not (threads and event.notify == SIGEV.THREAD_ID):
        raise SigeventError(event.notify)
    fit("signal", event.signo, SIG.HUP, LAST)
    if event.signo == task.sysif.interrupt_signal():
        raise InterruptSignalError(event.signo)
