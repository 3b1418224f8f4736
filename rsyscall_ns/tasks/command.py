"""Command: what to exec, as a value."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import evolve, field, frozen

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.near.errors import PathError, RsyscallError
from rsyscall_ns.near.strings import StrPath, c_path, c_string

__all__ = ["Command", "CommandNotFoundError", "environment"]

NO_PATH: Final = b"\0"


class CommandNotFoundError(RsyscallError, FileNotFoundError):
    """No program of this name is on the PATH."""

    def __init__(self, name: str, path: str) -> None:
        FileNotFoundError.__init__(self, 2, f"no executable file of this name in PATH={path}", name)


def environment() -> Mapping[bytes, bytes]:
    """Return our environment as bytes, not a copy."""
    # what os.environb looks into: it would decode and encode every value on the way
    inner: dict[bytes, bytes] | None = getattr(os.environ, "_data", None)
    return os.environb if inner is None else inner


def _strings(values: Sequence[StrPath]) -> tuple[StrPath, ...]:
    if isinstance(values, str | bytes):
        raise PathError(values, "is one string: give the arguments as a list of strings")
    return tuple(values)


@frozen
class Command:
    """A program, its arguments (the first is its own name), and changes of the environment.

    The program is a path, or an fd that it is open on: one of the task that execs, and where it is
    a script one that is passed (``pass_fds``), as its interpreter reads it. A variable set to None
    in ``env_updates`` is removed. ``elsewhere``: paths that are tried, one after the other, where
    there is no ``executable``.
    """

    executable: StrPath | FileDescriptor
    args: tuple[StrPath, ...] = field(converter=_strings)
    env_updates: Mapping[str, str | None] = field(factory=dict[str, str | None])
    elsewhere: tuple[StrPath, ...] = field(default=(), kw_only=True, converter=_strings)
    _encoded: list[tuple[bytes, ...]] = field(
        init=False, eq=False, repr=False, factory=list[tuple[bytes, ...]]
    )

    def shown(self) -> str:
        """Return the program as an error names it."""
        if isinstance(self.executable, FileDescriptor):
            return str(self.executable)
        return os.fsdecode(os.fspath(self.executable))

    def with_args(self, *more: StrPath) -> Command:
        """Return the command with more arguments."""
        return evolve(self, args=(*self.args, *more))

    def with_env(self, **updates: str | None) -> Command:
        """Return the command with more changes of the environment."""
        return evolve(self, env_updates={**self.env_updates, **updates})

    def strings(self) -> tuple[bytes, ...]:
        """Return arguments and, behind them, the path, for the kernel.

        One with a NUL raises PathError.
        """
        if not self._encoded:
            program = self.executable
            path = NO_PATH if isinstance(program, FileDescriptor) else c_path(program)
            self._encoded.append((*map(c_string, self.args), path))
        return self._encoded[0]

    def path(self) -> bytes:
        """Return the path for the kernel, an empty one for an fd; a bad one is a PathError."""
        return self.strings()[-1]

    def argv(self) -> list[bytes]:
        """Return the arguments for the kernel; one with a NUL raises PathError."""
        return list(self.strings()[:-1])

    def envp(self) -> list[bytes]:
        """Return the environment for the kernel: our own with the changes."""
        names = dict(environment())
        for name, value in self.env_updates.items():
            if not name or "=" in name:
                raise PathError(name, "is no name of an environment variable")
            if value is None:
                names.pop(os.fsencode(name), None)
            else:
                names[c_string(name)[:-1]] = c_string(value)[:-1]
        return [b"%b=%b\0" % pair for pair in names.items()]

    def __str__(self) -> str:
        return " ".join(os.fsdecode(arg) for arg in self.args)
