"""Id maps: which ids of a new user namespace are which ids outside.

Owns the vocabulary (``True``, an int, strings, lists) and what makes a map impossible. Writes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, final

from attrs import field

from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["IdMap", "IdMapError", "IdMapLike", "IdRange", "parse_id_map", "render"]

LAST_ID: Final = 2**32 - 2  # the last number means "no id"
MOST_EXTENTS: Final = 340
LONGEST_TEXT: Final = 4096  # the kernel takes less than a page
WORDS: Final = (1, 2, 3)


class IdMapError(RsyscallError, ValueError):
    """An id map that does not parse, or that no kernel would take."""

    def __init__(self, text: object, why: str) -> None:
        super().__init__(f"id map {text!r} {why}; write e.g. '0 1000 1' (inside outside count)")


@value
class IdRange:
    """``count`` ids from ``inside`` on are those from ``outside`` on in the parent namespace."""

    inside: int = field()
    outside: int = field()
    count: int = field(default=1)

    def __attrs_post_init__(self) -> None:
        for name in ("inside", "outside"):
            fit(f"{name} id", getattr(self, name), 0, LAST_ID)
        fit("count of ids", self.count, 1, LAST_ID)
        fit("last id", max(self.inside, self.outside) + self.count - 1, 0, LAST_ID)


def _all(ranges: Iterable[IdRange]) -> tuple[IdRange, ...]:
    return tuple(ranges)


@final
@value
class IdMap:
    """A whole map of user or group ids, as a value: of a new user namespace, or read back."""

    ranges: tuple[IdRange, ...] = field(converter=_all)

    def __attrs_post_init__(self) -> None:
        _check(self, self.ranges)

    @classmethod
    def parse(cls, value: IdMapLike, own: int) -> IdMap:
        """Return what ``value`` means, where ``own`` is the id that True stands for."""
        return cls(parse_id_map(value, own))

    @classmethod
    def read(cls, text: str | bytes) -> IdMap:
        """Return what ``/proc/PID/uid_map`` or ``gid_map`` holds; an empty file is no map."""
        lines = (text.decode() if isinstance(text, bytes) else text).splitlines()
        return cls(tuple(_item(text, index, line) for index, line in enumerate(lines)))

    def inside(self, outside: int) -> int | None:
        """Return the id that stands for an outer one in there, None if none does."""
        for one in self.ranges:
            if 0 <= outside - one.outside < one.count:
                return one.inside + outside - one.outside
        return None

    def outside(self, inside: int) -> int | None:
        """Return what an id in there is in the parent namespace, None if it is not mapped."""
        for one in self.ranges:
            if 0 <= inside - one.inside < one.count:
                return one.outside + inside - one.inside
        return None

    def __str__(self) -> str:
        return render(self.ranges).decode().strip().replace("\n", ",")


IdMapLike = bool | int | str | Sequence[int | str] | IdMap


def parse_id_map(value: IdMapLike | None, own: int) -> tuple[IdRange, ...]:
    """Return the ranges that ``value`` means; ``own`` is the caller's id.

    None: own id to itself. True: own id to root. An int: that id to root. ``"0 1000 1"``: as in
    ``user_namespaces(7)``. ``"1000,1001"`` or a list: the first to root, the next to 1 and so on;
    items of three words are taken as they are.
    """
    if value is None or value is False:
        return only(own, own)
    if value is True:
        return only(0, own)
    if isinstance(value, IdMap):
        return value.ranges
    if isinstance(value, int):
        return (_range(value, (0, value, 1)),)
    items: list[object]
    try:
        items = [*value.split(",")] if isinstance(value, str) else [*value]
    except TypeError:
        raise IdMapError(value, "is neither a number, a string nor a list") from None
    if not items:
        raise IdMapError(value, "is empty")
    ranges = tuple(_item(value, index, item) for index, item in enumerate(items))
    _check(value, ranges)
    return ranges


@lru_cache(maxsize=16)
def only(inside: int, outside: int) -> tuple[IdRange, ...]:
    """Return the usual map, of one id: it is asked for again and again."""
    return (IdRange(inside, outside),)


def _item(whole: object, index: int, item: object) -> IdRange:
    if isinstance(item, bool) or not isinstance(item, int | str):
        raise IdMapError(whole, f"has an item {item!r} that is neither a number nor a string")
    words = [item] if isinstance(item, int) else item.split()
    if len(words) not in WORDS:
        raise IdMapError(whole, f"has an item {item!r} of {len(words)} words")
    try:
        numbers = [int(word) for word in words]
    except ValueError:
        raise IdMapError(whole, f"has an item {item!r} that is no number") from None
    match numbers:
        case [outside]:
            return _range(whole, (index, outside, 1))
        case [inside, outside]:
            return _range(whole, (inside, outside, 1))
        case _:
            return _range(whole, (numbers[0], numbers[1], numbers[2]))


def _range(whole: object, numbers: tuple[int, int, int]) -> IdRange:
    try:
        return IdRange(*numbers)
    except ValueError as error:
        raise IdMapError(whole, f"has a number out of range ({error})") from None


def _check(whole: object, ranges: tuple[IdRange, ...]) -> None:
    if len(ranges) > MOST_EXTENTS:
        raise IdMapError(whole, f"has {len(ranges)} ranges, but {MOST_EXTENTS} is the most")
    size = len(render(ranges))
    if size >= LONGEST_TEXT:
        raise IdMapError(whole, f"is {size} bytes long, but must be shorter than {LONGEST_TEXT}")
    for side in ("inside", "outside"):
        last = -1
        for one in sorted(ranges, key=lambda r: int(getattr(r, side))):
            first = getattr(one, side)
            if first <= last:
                raise IdMapError(whole, f"is ambiguous: {side} id {first} is there twice")
            last = first + one.count - 1


def render(ranges: tuple[IdRange, ...]) -> bytes:
    """Return what is written to ``uid_map`` or ``gid_map``."""
    lines = [f"{one.inside} {one.outside} {one.count}\n" for one in ranges]
    return "".join(lines).encode()
