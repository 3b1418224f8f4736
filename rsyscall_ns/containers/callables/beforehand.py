"""Something that is made while somebody else is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar, final

__all__ = ["Beforehand"]

T = TypeVar("T")


@final
class Beforehand(Generic[T]):
    """What ``make`` returns: made by ``begin``, or when it is asked for."""

    __slots__ = ("_error", "_made", "_make")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._error: Exception | None = None

    def begin(self) -> None:
        """Make it now; raises nothing."""
        try:
            self._made.append(self._make())
        except Exception as error:  # noqa: BLE001 - raised when it is asked for
            self._error = error

    def get(self) -> T:
        """Return it; raises what making it has raised."""
        if self._error is not None:
            raise self._error
        if not self._made:
            self._made.append(self._make())
        return self._made[0]
