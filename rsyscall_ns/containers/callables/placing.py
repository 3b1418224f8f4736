"""The fds of a new child, put where its callable expects them. Needs nothing of this package."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["FIRST_PLAIN_FD", "move_in", "put"]

FIRST_PLAIN_FD: Final = 3


def move_in(places: Mapping[int, int], here: int, channel: int) -> int:
    """Have these fds, and this directory, which is closed then; returns where the channel is now.

    A standard stream that has no place is closed.
    """
    os.fchdir(here)
    os.close(here)
    for number in range(FIRST_PLAIN_FD):
        if number not in places:
            os.close(number)
    (channel,) = put(places, [channel])
    return channel


def put(places: Mapping[int, int], movable: Sequence[int] = ()) -> list[int]:
    """Put each fd onto its number: ``places`` has the fds by these; they are closed then.

    ``movable``: further fds, which are in the way perhaps; returns where they are now.
    """
    if {*places.values(), *movable}.isdisjoint(places):  # as usual: nothing is in the way
        for target, source in places.items():
            os.dup2(source, target, inheritable=target < FIRST_PLAIN_FD)
            os.close(source)
        return list(movable)
    now = dict(places)
    others = list(movable)
    for target in places:
        source = now[target]
        if source == target:
            os.set_inheritable(target, target < FIRST_PLAIN_FD)
            continue
        for waiting, fd in now.items():
            if fd == target and waiting != target:
                now[waiting] = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_PLAIN_FD)
        for number, fd in enumerate(others):
            if fd == target:
                others[number] = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_PLAIN_FD)
        os.dup2(source, target, inheritable=target < FIRST_PLAIN_FD)
        os.close(source)
        now[target] = target
    return others
