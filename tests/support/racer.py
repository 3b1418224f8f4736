"""A program that swaps a name between a directory and a symbolic link until it is killed."""

from __future__ import annotations

import os
import sys


def swap(name: str, link: str) -> None:
    """Exchange both for ever, in one step each: a name is never missing."""
    libc = __import__("ctypes").CDLL(None, use_errno=True)
    first, second = os.fsencode(name), os.fsencode(link)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        if libc.renameat2(-100, first, -100, second, 2):
            raise OSError(libc.get_errno(), "renameat2")


if __name__ == "__main__":
    swap(*sys.argv[1:])
