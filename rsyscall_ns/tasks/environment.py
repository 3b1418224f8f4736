"""The environment of programs to be exec'd, as execve takes it: written once, while unchanged.

Owns the memory in which environments lie. Most programs get the one that the interpreter has, and
it hardly ever changes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from itertools import accumulate
from typing import Final, Protocol, Self, final

from rsyscall_ns.memory.arena import Arena

from .command import Command, environment

__all__ = ["Attached", "Environment", "Environments", "table"]

WORD: Final = 8
MOST: Final = 4  # environments that are kept, the latest ones
MOST_ATTACHED: Final = 16  # programs that are kept with each


def table(strings: list[bytes], base: int) -> bytes:
    """Return a table of the addresses of strings that lie behind it, then the strings."""
    count = len(strings)
    ends = accumulate(map(len, strings), initial=base + WORD * (count + 1))
    addresses = list(ends)
    addresses[count] = 0  # the table ends so; what it replaces is where the strings end
    return struct.pack(f"<{count + 1}Q", *addresses) + b"".join(strings)


class Attached(Protocol):
    """Something that lives no longer than an environment, or than all of them."""

    users: int

    def release(self) -> None:
        """Give the memory back."""
        ...


@final
class Environment:
    """One environment in memory, at ``address``; ``with`` it to use it."""

    __slots__ = ("_owner", "_size", "address", "attached", "names", "updates", "users")

    def __init__(self, owner: Environments, command: Command, names: Mapping[bytes, bytes]) -> None:
        strings = command.envp()
        self._owner = owner
        self.names = dict(names)
        self.updates = dict(command.env_updates)
        self.users = 0
        self.attached: dict[object, Attached] = {}
        self._size = WORD * (len(strings) + 1) + sum(map(len, strings))
        self.address = owner.arena.allocate(self._size)
        owner.arena.view(self.address, self._size)[:] = table(strings, self.address)

    def __enter__(self) -> Self:
        self.users += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.users -= 1
        if not self.users and self not in self._owner.kept[:MOST]:
            self.release()

    def attach(self, key: object, made: Attached) -> None:
        """Keep it, as it will be used, and give up the oldest of too many that nobody uses."""
        self.attached[key] = made
        for old, other in list(self.attached.items()):
            if len(self.attached) <= MOST_ATTACHED:
                break
            if not other.users and other is not made:
                other.release()
                del self.attached[old]

    def release(self) -> None:
        """Give the memory back."""
        self._owner.kept.remove(self)
        self._owner.arena.release(self.address, self._size)
        for attached in self.attached.values():
            attached.release()


@final
class Environments:
    """The environments that were used last, in one arena, and what else is kept for programs."""

    __slots__ = ("arena", "common", "kept")

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.kept: list[Environment] = []
        self.common: dict[object, Attached] = {}

    def borrow(self, command: Command) -> Environment:
        """Return the environment for a command, to be entered at once; PathError for a bad one."""
        names = environment()
        for known in self.kept:
            if known.names == names and known.updates == command.env_updates:
                return known
        made = Environment(self, command, names)
        self.kept.insert(0, made)
        for old in self.kept[MOST:]:
            if not old.users:
                old.release()
        return made

    def clear(self) -> None:
        """Free those that nobody uses: the scope of the arena ends."""
        for known in list(self.kept):
            if not known.users:
                known.release()
        for key, common in list(self.common.items()):
            if not common.users:
                del self.common[key]
                common.release()
