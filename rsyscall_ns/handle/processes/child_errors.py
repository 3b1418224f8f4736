"""What is raised when a child can't be used as was asked."""

from __future__ import annotations

from errno import ECHILD, EPERM

from rsyscall_ns.near.abi.wait_h import ChildState
from rsyscall_ns.near.errors import RsyscallError

__all__ = [
    "ChildBusyError",
    "ChildDeadError",
    "ChildEndedError",
    "ChildNotEndedError",
    "ExitStatusLostError",
    "NoSiginfoError",
    "NoStateChangeError",
    "UnreadSiginfoError",
]


class ChildDeadError(RsyscallError):
    """A child was to be used after its death had been seen: its id may be another's by now."""

    def __init__(self, child: object, state: ChildState) -> None:
        super().__init__(f"{child} is dead, it {state}: read child.death_state instead")
        self.state = state


class ChildBusyError(RsyscallError):
    """A child was to be used while another call uses it."""

    def __init__(self, child: object) -> None:
        super().__init__(f"{child} is in use: leave the other borrow() first")


class UnreadSiginfoError(RsyscallError):
    """A child was to be used while a siginfo buffer, which may tell of its death, is unread."""

    def __init__(self, child: object) -> None:
        super().__init__(f"{child} has an unread siginfo: await child.read_siginfo() first")


class NoSiginfoError(RsyscallError):
    """A siginfo was to be read, but no waitid has filled one."""

    def __init__(self, child: object) -> None:
        super().__init__(f"{child} has no siginfo buffer to read: await child.waitid(...) first")


class NoStateChangeError(RsyscallError):
    """A siginfo was read that reports nothing."""

    def __init__(self, child: object) -> None:
        super().__init__(f"waitid reported no change of state of {child}")


class ChildNotEndedError(RsyscallError, PermissionError):
    """A child may not be killed: it has become another user's, by a set-uid program."""

    def __init__(self, pid: int) -> None:
        PermissionError.__init__(
            self,
            EPERM,
            f"child {pid} runs as another user by now, who alone (or root) can end it: it goes on",
            str(pid),
        )


class ExitStatusLostError(RsyscallError, ChildProcessError):
    """Somebody else reaped a child, or SIGCHLD is ignored, and the kernel does not tell."""

    def __init__(self, child: object, pid: int) -> None:
        ChildProcessError.__init__(
            self,
            ECHILD,
            f"{child} was reaped by somebody else (a wait for any child, or SIGCHLD ignored), so "
            "its exit status is lost; Linux 6.15 and later would still know it",
            str(pid),
        )


class ChildEndedError(RsyscallError, ChildProcessError):
    """A stop or continue was awaited of a child that has died and waits to be reaped."""

    def __init__(self, child: object, pid: int) -> None:
        ChildProcessError.__init__(
            self,
            ECHILD,
            f"{child} has died, so it will neither stop nor continue: await child.wait()",
            str(pid),
        )
