"""Completed: how a container's command ended."""

from __future__ import annotations

from typing import final

from attrs import frozen

from rsyscall_ns.near.abi.wait_h import ChildState

from .status import exit_code

__all__ = ["Completed"]


@final
@frozen
class Completed:
    """How a container's command ended, and what it wrote to its pipes: None where it had none."""

    state: ChildState
    stdout: bytes | None
    stderr: bytes | None

    @property
    def exitcode(self) -> int:
        """The exit status, or a signal's number as a negative one."""
        return exit_code(self.state)

    def check(self) -> Completed:
        """Raise UncleanExitError unless it exited with 0."""
        self.state.check("the container's command")
        return self
