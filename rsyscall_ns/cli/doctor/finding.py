"""A probe, which tries one thing for real, and what it finds."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable

from attrs import asdict, frozen

from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.tasks.task import Task

__all__ = ["Finding", "MissingError", "Probe", "examine"]


class MissingError(RsyscallError):
    """What a probe looks for is not there; ``cure``: what to do about it."""

    def __init__(self, why: str, cure: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.cure = cure


@frozen
class Finding:
    """Whether one thing works: how, or why not and what to do."""

    group: str
    name: str
    works: bool
    needed: bool
    detail: str
    cure: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return asdict(self)


@frozen
class Probe:
    """One thing to try. ``look`` returns what there is to say when it works, or raises.

    ``cure``: what is to be done when it can't, for an errno. ``needed``: ``run --all`` needs it.
    """

    group: str
    name: str
    look: Callable[[Task], Awaitable[str]]
    cure: Callable[[int], str] = lambda _: ""
    needed: bool = False


async def examine(task: Task, probe: Probe) -> Finding:
    """Try it; whatever it raises is what is found."""

    def found(detail: str, *, works: bool, cure: str = "") -> Finding:
        return Finding(probe.group, probe.name, works, probe.needed, detail, cure)

    try:
        return found(await probe.look(task), works=True)
    except MissingError as error:
        return found(error.why, works=False, cure=error.cure)
    except (OSError, RsyscallError) as error:
        number = (error.errno if isinstance(error, OSError) else None) or 0
        name = errno.errorcode.get(number)
        why = str(error).removeprefix(f"[Errno {number}] ")
        return found(f"{name}: {why}" if name else why, works=False, cure=probe.cure(number))
