"""What a Python callable is, on its way into a container: pickled, with the steps before it."""

from __future__ import annotations

import inspect
import marshal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, final

from attrs import frozen

from rsyscall_ns.containers.errors import CallablePickleError, ContainerArgumentError
from rsyscall_ns.containers.options import Arguments, Target
from rsyscall_ns.containers.setup import Setup
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Results

from . import pickling
from .channel import LENGTH
from .parts import Part, parts_of
from .surroundings import Surroundings, search_path, to_change

__all__ = ["CLONE_NUMBERS", "HOOKS", "Call", "Enters", "Extras", "Job", "call_of", "hooks_of"]
__all__ += ["module_command"]

CLONE_NUMBERS: Final = (int(SYS.clone3), int(SYS.clone))
EMPTY: Final[Mapping[object, FileDescriptor]] = MappingProxyType({})

HOOKS: Final = ("preup", "postup", "exceptup", "preexec", "postexec", "exceptexec")
Hooked = tuple[dict[str, object], dict[str, object]]  # functions, and what they find in self


@final
@frozen
class Call:
    """What is to be called, and how its process is made."""

    target: Callable[..., object]
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    start_method: str

    def pickled(self, hooks: Hooked | None) -> bytes:
        """Return all of it as bytes."""
        try:
            content: bytes = pickling.dumps((self.target, self.args, dict(self.kwargs), hooks))
        except Exception as error:
            raise CallablePickleError(self.target, f"{type(error).__name__}: {error}") from error
        return content


def hooks_of(container: object, base: type) -> Hooked | None:
    """Return what a subclass has added, if it has hooks."""
    if type(container) is base:
        return None
    functions: dict[str, object] = {}
    for kind in reversed(type(container).__mro__):
        if issubclass(kind, base) and kind.__module__.split(".")[0] != __name__.split(".")[0]:
            functions |= {
                name: value
                for name, value in vars(kind).items()
                if name != "__init__" and not name.startswith("__")
            }
    own = [name for name in HOOKS if name in functions]
    if not own:
        return None
    for name in own:
        if inspect.iscoroutinefunction(functions[name]):
            raise ContainerArgumentError(
                name, "a hook of a callable runs in its process: write it with a plain def"
            )
    hidden = {"options", "command", "call", "stdin", "stdout", "stderr", "task", "completed"}
    state = {
        name: value
        for name, value in vars(container).items()
        if not name.startswith("_") and name not in hidden
    }
    return functions, state


@final
@frozen
class Enters:
    """Which namespaces of others a child is to enter, and how."""

    namespaces: tuple[tuple[int, int], ...]  # kind and fd, in the order in which they are tried
    every: bool  # whether nothing is called where one can't be entered
    settled: Part  # what is done then,
    inside: Part  # and what where a user namespace was entered
    shut: bool  # whether nothing may be loaded from then on

    def message(self, page: int) -> dict[str, object]:
        """Return what the child is told."""
        return {
            "namespaces": self.namespaces,
            "every": self.every,
            "settled": self.settled.packed,
            "inside": self.inside.packed,
            "shut": self.shut,
            "page": page,
            "numbers": CLONE_NUMBERS,
        }


@final
@frozen
class Extras:
    """What a child has besides its streams and its call. ``given``: mounts, made beforehand."""

    passed: Sequence[FileDescriptor] = ()
    given: Mapping[object, FileDescriptor] = EMPTY
    imports: Sequence[str] = ()
    enters: Enters | None = None

    def numbers(self, task: MemoryTask) -> list[int]:
        """Return the numbers of all fds, which are the same in the child: all the task's own."""
        found: list[int] = []
        for fd in (*self.passed, *self.given.values()):
            with fd.borrow(task) as near_id:
                found.append(near_id.number)
        if self.enters is not None:
            found += [number for _, number in self.enters.namespaces]
        return found


@final
class Job:
    """One call with its steps: what the child is sent, and what is made of its answers."""

    __slots__ = ("content", "extras", "page", "parts", "wanted")

    def __init__(
        self,
        content: bytes,
        setup: Setup,
        flags: CLONE,
        extras: Extras,
        *,
        page: int | None,
        wanted: bool,
        old: bool,
    ) -> None:
        """``wanted``: whether somebody waits for a result. ``old``: mounts by mount(2).

        ``page``: see ``move`` in ``foreign.py``.
        """
        parts = dict(parts_of(setup, flags, extras.given, old=old))
        if extras.enters is not None:
            parts["settled"] = extras.enters.settled
            parts["inside"] = extras.enters.inside
        self.parts = parts
        self.content = content
        self.extras = extras
        self.page = page
        self.wanted = wanted

    def message(
        self, updates: Mapping[str, str | None], known: Surroundings | None = None
    ) -> bytes:
        """Return what is sent before the content.

        ``updates``: of the environment. ``known``: what is around the child already.
        """
        enters, page = self.extras.enters, self.page
        job = marshal.dumps(
            {
                "names": self.parts["names"].packed,
                "places": self.parts["places"].packed,
                "wanted": self.wanted,
                "passed": [fd.near.number for fd in self.extras.passed],
                "imports": list(self.extras.imports),
                "enters": None if enters is None or page is None else enters.message(page),
                **to_change(known, updates),
            }
        )
        return LENGTH.pack(len(job)) + job + LENGTH.pack(len(self.content))

    def error(self, part: str, step: int, number: int, where: object) -> OSError:
        """Return the error of a step that has failed in the child."""
        program = self.parts[part].program
        values = (*(0,) * step, -number)
        return Results(program, values).error(step, where)


def module_command(function: str, number: int, *others: str) -> Sequence[str]:
    """Return the command line of an interpreter that serves an fd; ``others`` are told as well."""
    module, name = function.rsplit(".", 1)
    lines = f"import sys; sys.path[:] = {search_path()!r}; from {module} import {name} as main"
    given = ", ".join(map(repr, (number, *others)))
    return [sys.executable, "-I", "-c", f"{lines}; main({given})"]


def call_of(target: Target, given: Arguments) -> Call | None:
    """Return what is to be called; None for a command. Refuses what can't be."""
    args, kwargs = given.get("args", ()), given.get("kwargs", {})
    method = given.get("start_method", "zygote")
    if not callable(target):
        named = given.keys() & {"args", "kwargs", "start_method"}
        if named:
            raise ContainerArgumentError(
                ", ".join(sorted(named)), "they are a callable's, and the target is a command"
            )
        return None
    if method not in {"zygote", "spawn", "fork"}:
        raise ContainerArgumentError(
            f"start_method={method!r}", 'it is "zygote", "spawn" or "fork"'
        )
    if isinstance(args, str | bytes):
        raise ContainerArgumentError(f"args={args!r}", "it is a tuple")
    return Call(target, tuple(args), dict(kwargs), method)
