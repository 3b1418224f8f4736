"""System calls on processes: children that you steer, from trio programs.

All names of ``constants``, ``errors``, ``objects`` and ``structs`` are here. A module is imported
when the first of its names is asked for: a program that makes no sockets doesn't wait for what
belongs to them.
"""

from typing import Final

from . import constants, errors, objects, structs

_LISTS: Final = {
    name: part for part in (constants, errors, objects, structs) for name in part.__all__
}
# the names are in the stubs
__all__ = sorted(_LISTS)  # noqa: PLE0605  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for."""
    part = _LISTS.get(name)
    if part is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(part, name)
    return found


def __dir__() -> list[str]:
    return [*__all__]
