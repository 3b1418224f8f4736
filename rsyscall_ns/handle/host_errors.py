"""What is refused because it would happen to the whole machine."""

from __future__ import annotations

from rsyscall_ns.near.errors import RsyscallError

__all__ = ["MachineRebootError"]


class MachineRebootError(RsyscallError):
    """A reboot was asked of a task whose pid namespace was not made from here."""

    def __init__(self, cmd: object, task: object) -> None:
        super().__init__(
            f"reboot with {cmd!r} through {task} would end this machine, or the container that "
            "the interpreter is in: spawn a child with CLONE.NEWPID, or say machine=True"
        )
