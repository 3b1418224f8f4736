"""``<sys/wait.h>``: waitid's options, and what it reports."""

from __future__ import annotations

import os
import struct
from enum import IntEnum, IntFlag
from signal import Signals
from typing import Final

from attrs import frozen

from rsyscall_ns.near.errors import RsyscallError, SerializerError
from rsyscall_ns.near.ids import fit

__all__ = ["CLD", "SIGINFO_SIZE", "ChildState", "IdType", "Siginfo", "UncleanExitError", "W"]

SIGINFO_SIZE: Final = 128
_SIGINFO: Final = struct.Struct("<iiixxxxiIi")
_STATUS_SHIFT: Final = 8
_CORE_FLAG: Final = 0x80


class W(IntFlag):
    """``W*``: what to wait for, and how; ``__W*``: of which children (``waitid(2)``)."""

    NOHANG = 1
    STOPPED = 2
    EXITED = 4
    CONTINUED = 8
    NOWAIT = 0x1000000
    NOTHREAD = 0x20000000
    ALL = 0x40000000
    CLONE = 0x80000000


class IdType(IntEnum):
    """``P_*``: what waitid's id is."""

    ALL = 0
    PID = 1
    PGID = 2
    PIDFD = 3


class CLD(IntEnum):
    """``CLD_*``: how a child changed its state."""

    EXITED = 1
    KILLED = 2
    DUMPED = 3
    TRAPPED = 4
    STOPPED = 5
    CONTINUED = 6


_CLD: Final = {int(code): code for code in CLD}


class UncleanExitError(RsyscallError):
    """A child did not end by exiting with status 0."""

    def __init__(self, what: object, state: ChildState) -> None:
        super().__init__(f"{what} {state}")
        self.state = state


@frozen
class ChildState:
    """One change of state of a child, as waitid told it.

    ``status`` is the exit status (0 to 255) for ``CLD.EXITED``, else the signal's number.
    """

    code: CLD
    pid: int
    uid: int
    status: int

    @property
    def exit_status(self) -> int | None:
        """The exit status, None if it did not exit."""
        return self.status if self.code is CLD.EXITED else None

    @property
    def signal(self) -> int | None:
        """The signal that killed, stopped or continued it, None if it exited."""
        return None if self.code is CLD.EXITED else self.status

    def died(self) -> bool:
        """Whether this was its end."""
        return self.code in {CLD.EXITED, CLD.KILLED, CLD.DUMPED}

    def clean(self) -> bool:
        """Whether it exited with status 0."""
        return self.code is CLD.EXITED and self.status == 0

    def killed_with(self) -> int | None:
        """Return the signal that killed it, None if it was not killed."""
        return self.status if self.code in {CLD.KILLED, CLD.DUMPED} else None

    def shell_status(self) -> int:
        """Return the status as a shell gives it: 128 + N after signal N."""
        return self.status if self.code is CLD.EXITED else 128 + self.status

    def check(self, what: object = "the child") -> None:
        """Raise UncleanExitError unless it exited with status 0."""
        if not self.clean():
            raise UncleanExitError(what, self)

    def __str__(self) -> str:
        if self.code is CLD.EXITED:
            return f"exited with status {self.status}"
        try:
            name = Signals(self.status).name
        except ValueError:
            name = f"signal {self.status}"
        verbs = {CLD.KILLED: "was killed by", CLD.DUMPED: "dumped core after"}
        verb = verbs.get(self.code, f"was {self.code.name.lower()} by")
        return f"{verb} {name}"

    @classmethod
    def unpack(cls, siginfo: bytes) -> ChildState | None:
        """Read a ``siginfo_t`` that waitid filled; None when it reported nothing."""
        _, _, code, pid, uid, status = _fields(siginfo)
        if pid == 0:
            return None
        fit("si_code", code, CLD.EXITED, CLD.CONTINUED)
        return cls(_CLD[code], pid, uid, status)

    @classmethod
    def found(cls, found: os.waitid_result) -> ChildState:
        """Build it from what ``os.waitid`` returned."""
        return cls(_CLD[found.si_code], found.si_pid, found.si_uid, found.si_status)

    @classmethod
    def from_wait_status(cls, pid: int, uid: int, status: int) -> ChildState:
        """Build the final state from a wait status word, as ``PIDFD_GET_INFO`` gives it."""
        number = status & 0x7F
        if number == 0:
            return cls(CLD.EXITED, pid, uid, status >> _STATUS_SHIFT & 0xFF)
        return cls(CLD.DUMPED if status & _CORE_FLAG else CLD.KILLED, pid, uid, number)


@frozen
class Siginfo:
    """``siginfo_t`` as waitid fills it; ``pid`` is 0 when nothing was reported."""

    signo: int = 0
    errno: int = 0
    code: int = 0
    pid: int = 0
    uid: int = 0
    status: int = 0

    @classmethod
    def unpack(cls, data: bytes) -> Siginfo:
        """Read the fields that waitid sets."""
        return cls(*_fields(data))

    def pack(self) -> bytes:
        """Return the whole ``siginfo_t``, zeros elsewhere."""
        for name in ("signo", "errno", "code", "pid", "status"):
            fit(name, getattr(self, name), -(2**31), 2**31 - 1)
        fit("uid", self.uid, 0, 2**32 - 1)
        head = _SIGINFO.pack(self.signo, self.errno, self.code, self.pid, self.uid, self.status)
        return head + bytes(SIGINFO_SIZE - len(head))

    def child_state(self) -> ChildState | None:
        """Return the change of state, None when nothing was reported."""
        if self.pid == 0:
            return None
        fit("si_code", self.code, CLD.EXITED, CLD.CONTINUED)
        return ChildState(CLD(self.code), self.pid, self.uid, self.status)


def _fields(siginfo: bytes) -> tuple[int, int, int, int, int, int]:
    if len(siginfo) != SIGINFO_SIZE:
        raise SerializerError("siginfo_t", SIGINFO_SIZE, len(siginfo))
    signo, errno, code, pid, uid, status = _SIGINFO.unpack_from(siginfo)
    return signo, errno, code, pid, uid, status
