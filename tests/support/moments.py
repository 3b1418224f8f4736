"""The moments at which a signal can interrupt Python code, one after the other.

The interpreter looks for signals when a function begins, and when a built-in function returns.
A profile function is called at both, so it can send a signal there, and the handler runs as if
the signal had come by itself.
"""

from __future__ import annotations

import dis
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final, final

from attrs import frozen

__all__ = ["Moments", "Place"]

RESUME: Final = dis.opmap["RESUME"]
WHY: Final = 3  # the part of the argument that tells why a function goes on
AFTER_YIELD: Final = 2  # from here on: it does not begin


@frozen
class Place:
    """One place in the source; ``event`` is that of ``sys.setprofile``."""

    file: str
    line: int
    event: str
    function: str  # that begins, or that calls

    def __str__(self) -> str:
        return f"{self.file}:{self.line}, {self.function}, {self.event}"


def begins(frame: FrameType) -> bool:
    """Return whether a function begins, and does not just go on after an await."""
    code, at = frame.f_code.co_code, frame.f_lasti
    return code[at] == RESUME and code[at + 1] & WHY < AFTER_YIELD


@final
class Moments:
    """Finds the places below a folder that a run comes through, and sends a signal in one."""

    def __init__(self, folder: str, number: signal.Signals) -> None:
        self._folder = folder
        self._number = number
        self.places: dict[Place, None] = {}
        self.reached = False

    def _place(self, frame: FrameType, event: str) -> Place | None:
        code = frame.f_code
        if event not in {"call", "c_return"} or not code.co_filename.startswith(self._folder):
            return None
        if event == "call" and not begins(frame):
            return None
        file = code.co_filename.removeprefix(self._folder).lstrip("/")
        return Place(file, frame.f_lineno, event, code.co_qualname)

    @contextmanager
    def listed(self) -> Generator[None, None, None]:
        """List all places that the block comes through."""

        def on_event(frame: FrameType, event: str, _: object) -> None:
            place = self._place(frame, event)
            if place is not None:
                self.places[place] = None

        with profiled(on_event):
            yield

    @contextmanager
    def signalled(self, wanted: Place) -> Generator[None, None, None]:
        """Send the signal once, when the block comes to a place."""
        self.reached = False

        def on_event(frame: FrameType, event: str, _: object) -> None:
            if not self.reached and self._place(frame, event) == wanted:
                self.reached = True
                signal.raise_signal(self._number)

        with profiled(on_event):
            yield


@contextmanager
def profiled(function: Callable[[FrameType, str, object], None]) -> Generator[None, None, None]:
    """Have a profile function for the time of a block."""
    sys.setprofile(function)
    try:
        yield
    finally:
        sys.setprofile(None)
