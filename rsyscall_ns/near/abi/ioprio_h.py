"""``<linux/ioprio.h>``: whose input and output goes first."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

__all__ = ["IOPRIO_CLASS", "IOPRIO_HINT", "IOPRIO_WHO", "IoPriority"]

CLASS_SHIFT: Final = 13
HINT_SHIFT: Final = 3
LEVELS: Final = 8
HINTS: Final = 1 << (CLASS_SHIFT - HINT_SHIFT)


class IOPRIO_CLASS(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``IOPRIO_CLASS_*`` (``ioprio_set(2)``)."""

    NONE = 0
    RT = 1
    BE = 2
    IDLE = 3


class IOPRIO_WHO(IntEnum):  # noqa: N801 - the manual page's own prefix
    """``IOPRIO_WHO_*``: what the id is of which the priority is (``ioprio_set(2)``)."""

    PROCESS = 1
    PGRP = 2
    USER = 3


class IOPRIO_HINT(IntEnum):  # noqa: N801 - the header's own prefix
    """``IOPRIO_HINT_*``: which limit of time a drive should keep to."""

    NONE = 0
    DEV_DURATION_LIMIT_1 = 1
    DEV_DURATION_LIMIT_2 = 2
    DEV_DURATION_LIMIT_3 = 3
    DEV_DURATION_LIMIT_4 = 4
    DEV_DURATION_LIMIT_5 = 5
    DEV_DURATION_LIMIT_6 = 6
    DEV_DURATION_LIMIT_7 = 7


NO_HINT: Final = IOPRIO_HINT.NONE


@value
class IoPriority:
    """An I/O priority. ``level``: 0 (highest) to 7, for RT and BE. NONE: by the nice value."""

    cls: IOPRIO_CLASS = IOPRIO_CLASS.NONE
    level: int = 0
    hint: IOPRIO_HINT = NO_HINT

    def word(self) -> int:
        """Return it as the kernel takes it."""
        level = fit("level", self.level, 0, LEVELS - 1)
        return self.cls << CLASS_SHIFT | self.hint << HINT_SHIFT | level

    @classmethod
    def of(cls, word: int) -> IoPriority:
        """Return what the kernel has told."""
        hint = IOPRIO_HINT(word >> HINT_SHIFT & (HINTS - 1))
        return cls(IOPRIO_CLASS(word >> CLASS_SHIFT), word & (LEVELS - 1), hint)
