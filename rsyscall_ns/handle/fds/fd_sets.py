"""The sets of fds that select takes: a bit for each number."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["WORD", "in_fd_set", "pack_fd_set"]

WORD = 8  # bytes: the kernel reads whole ones
BITS = 8 * WORD


def pack_fd_set(numbers: Iterable[int], n: int) -> bytes:
    """Return the set of these numbers, all below ``n``, in as many bytes as the kernel reads."""
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits.to_bytes(-(-n // BITS) * WORD, "little")


def in_fd_set(data: bytes, number: int) -> bool:
    """Return whether a number is in a set."""
    return bool(data[number // 8] >> number % 8 & 1)
