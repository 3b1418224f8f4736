"""The environment of programs to be exec'd, as execve takes it: written once, while unchanged.

Owns the memory in which environments lie. Most programs get the one that the interpreter has, and
it hardly ever changes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from itertools import accumulate
from typing import Final, final

from rsyscall_ns.memory.arena import Arena

from .command import Command, environment

__all__ = ["Environments", "Strings", "table"]

WORD: Final = 8
MOST: Final = 4  # environments that are kept, the latest ones


def table(strings: list[bytes], base: int) -> bytes:
    """Return a table of the addresses of strings that lie behind it, then the strings."""
    count = len(strings)
    ends = accumulate(map(len, strings), initial=base + WORD * (count + 1))
    addresses = list(ends)
    addresses[count] = 0  # the table ends so; what it replaces is where the strings end
    return struct.pack(f"<{count + 1}Q", *addresses) + b"".join(strings)


@final
class Strings:
    """One environment in memory, at ``address``, and who uses it."""

    __slots__ = ("address", "names", "size", "updates", "users")

    def __init__(self, arena: Arena, command: Command, names: Mapping[bytes, bytes]) -> None:
        strings = command.envp()
        self.names = dict(names)
        self.updates = dict(command.env_updates)
        self.size = WORD * (len(strings) + 1) + sum(map(len, strings))
        self.address = arena.allocate(self.size)
        arena.view(self.address, self.size)[:] = table(strings, self.address)
        self.users = 0


@final
class Environments:
    """The environments that were used last, in one arena."""

    __slots__ = ("_arena", "_kept")

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._kept: list[Strings] = []

    def borrow(self, command: Command) -> Strings:
        """Return the environment for a command, to be given back; PathError for a bad one."""
        names = environment()
        for strings in self._kept:
            if strings.updates == command.env_updates and strings.names == names:
                strings.users += 1
                return strings
        made = Strings(self._arena, command, names)
        made.users = 1
        self._kept.insert(0, made)
        for old in self._kept[MOST:]:
            if not old.users:
                self._free(old)
        return made

    def give_back(self, strings: Strings) -> None:
        """End what ``borrow`` began."""
        strings.users -= 1
        if not strings.users and strings not in self._kept[:MOST]:
            self._free(strings)

    def _free(self, strings: Strings) -> None:
        self._kept.remove(strings)
        self._arena.release(strings.address, strings.size)

    def clear(self) -> None:
        """Free those that nobody uses: the scope of the arena ends."""
        for strings in list(self._kept):
            if not strings.users:
                self._free(strings)
