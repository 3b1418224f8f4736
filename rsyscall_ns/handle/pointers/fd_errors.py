"""What is raised when an fd can't be used as was asked."""

from __future__ import annotations

from rsyscall_ns.near.errors import RsyscallError

__all__ = ["FDClosedError", "FDKindError", "FDNotInheritedError", "FDTargetError"]


class FDClosedError(RsyscallError):
    """A handle was used after it had been closed."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"this {kind} was closed: keep a dup() if it is still needed")


class FDKindError(RsyscallError):
    """An fd is not of the kind that was asked for."""

    def __init__(self, fd: object, wanted: str, why: str) -> None:
        super().__init__(f"{fd} can't be used as {wanted}: {why}")


class FDTargetError(RsyscallError):
    """An entry of an fd table can't be replaced by dup2 or dup3."""

    def __init__(self, fd: object, why: str) -> None:
        super().__init__(f"{fd} can't be replaced: {why}")


class FDNotInheritedError(RsyscallError):
    """A child has no copy of an fd."""

    def __init__(self, fd: object, task: object) -> None:
        super().__init__(
            f"{task} did not inherit {fd}: name it in spawn(inherit=[...]), or pass a copy now "
            "with await fd.pass_to(task)"
        )
