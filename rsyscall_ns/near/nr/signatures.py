"""What each system call takes: the names and C types of its parameters, from the table.

The kernel's own record of names is the source; where there is none, a call takes words.
"""

from __future__ import annotations

import re
from functools import cache
from keyword import iskeyword
from typing import Final

from rsyscall_ns.near.values import value

from .table import rows

__all__ = ["Parameter", "Signature", "signature", "signatures"]

UNKNOWN: Final = "?"
FD: Final = re.compile(r"(?!max_|newfd)\w*fd|fd\w*|fildes|mqdes")
SIZE: Final = re.compile(r"size_t|unsigned (int|long)|int|u32")
SIZES: Final = re.compile(r"count|len|size|\w+_?(len|size)|bufsiz|nbytes|n|length")
POINTERS: Final = {"cap_user_header_t", "cap_user_data_t"}  # by other names
BITS: Final = {8: (-(2**63), 2**64 - 1), 4: (-(2**31), 2**32 - 1)}
RANGES: Final = {
    "size_t": (0, 2**63 - 1),
    "loff_t": (-(2**63), 2**63 - 1),
    "off_t": (-(2**63), 2**63 - 1),
    "umode_t": (0, 0o177777),
    "long": BITS[8],
    "unsigned long": BITS[8],
    "u64": BITS[8],
    "__u64": BITS[8],
    "aio_context_t": BITS[8],
}
# as in C, the last ones may be left out where the call does not look at them
LEAST: Final = {
    "open": 2,
    "openat": 3,
    "fcntl": 2,
    "ioctl": 2,
    "prctl": 1,
    "mremap": 4,
    "futex": 3,
    "ptrace": 2,
    "semctl": 3,
    "keyctl": 1,
}


@value
class Parameter:
    """One parameter of a call. ``text``: a string; ``fd``: an fd that a call uses."""

    name: str
    c_type: str
    text: bool
    fd: bool

    @property
    def pointer(self) -> bool:
        """Whether it is declared as an address."""
        return "*" in self.c_type or self.c_type.removeprefix("const ") in POINTERS

    @property
    def address(self) -> bool:
        """Whether it may be an address, as the last argument of ioctl may."""
        return self.range == BITS[8] and not self.fd

    @property
    def range(self) -> tuple[int, int]:
        """The least and the greatest value; both ways of reading a word of four bytes fit."""
        plain = self.c_type.removeprefix("const ")
        if self.pointer or plain == UNKNOWN:
            return BITS[8]
        return RANGES.get(plain, BITS[4])


@value
class Signature:
    """All parameters of a call, and how many must be given."""

    parameters: tuple[Parameter, ...]
    least: int


def parse(name: str, text: str) -> Signature:
    """Parse the parameters of one call, as the kernel writes them."""
    if text == UNKNOWN:
        words = tuple(Parameter(f"arg{n}", UNKNOWN, text=False, fd=False) for n in range(1, 7))
        return Signature(words, 0)
    pairs = [part.strip().rsplit(" ", 1) for part in text.split(",") if part.strip()]
    found: list[Parameter] = []
    for place, (c_type, parameter) in enumerate(pairs):
        follower = pairs[place + 1] if place + 1 < len(pairs) else ["", ""]
        sized = SIZES.fullmatch(follower[1]) and SIZE.fullmatch(follower[0])
        text_like = c_type.removeprefix("const ") == "char*" and not sized
        number = FD.fullmatch(parameter) and not c_type.endswith("*")
        shown = f"{parameter}_" if iskeyword(parameter) else parameter
        found.append(Parameter(shown, c_type, text=text_like, fd=bool(number)))
    return Signature(tuple(found), LEAST.get(name, len(found)))


@cache
def signatures() -> dict[str, Signature]:
    """Return what is known of all calls, by name."""
    return {name: parse(name, row.arguments) for name, row in rows().items()}


def signature(name: str) -> Signature | None:
    """Return what a call takes, or None if there is no such call."""
    return signatures().get(name)
