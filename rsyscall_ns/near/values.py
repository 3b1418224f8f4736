"""value: a frozen attrs class whose methods are made when it is first used.

attrs writes the methods of a class and compiles them, which takes about half a millisecond. A
program uses few of all the values that belong to what it imports, and its event loop stands still
while it imports. So these classes are completed by whoever first makes one, or looks for the
fields. They have no slots: with them attrs makes another class than the one it was given, which
by then is known to others. What every program uses is made at once, by ``attrs.frozen``.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Final, TypeVar, final

import attrs

__all__ = ["value"]

T = TypeVar("T")
_MAKING: Final = RLock()
_MADE: Final = "__attrs_attrs__"  # attrs puts its own in place of it, and of the next
_TAKEN_AWAY: Final = ("__match_args__", "__signature__")  # or attrs would think that they are meant
_LATER: Final = (_MADE, "__init__", *_TAKEN_AWAY)


@final
class _WhenUsed:
    """An attribute of a class that attrs has still to make: asking for it has it made."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, _value: object, cls: type[object]) -> object:
        for owner in cls.__mro__:
            if owner.__dict__.get(self._name) is self:
                _make(owner)
        return getattr(_value if _value is not None else cls, self._name)


def _make(cls: type[object]) -> None:
    with _MAKING:
        if isinstance(cls.__dict__[_MADE], _WhenUsed):
            for name in _TAKEN_AWAY:
                delattr(cls, name)
            attrs.frozen(cls, slots=False, init=True)  # with slots it would be another class


if TYPE_CHECKING:
    from attrs import frozen as value
else:

    def value(cls: type[T]) -> type[T]:
        """Make a frozen attrs class of a description, when it is first used."""
        for name in _LATER:
            setattr(cls, name, _WhenUsed(name))
        return cls
