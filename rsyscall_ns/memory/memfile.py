"""Files in memory that other programs of ours are given, and that can be sealed."""

from __future__ import annotations

import fcntl
import mmap
import os
from errno import EINVAL
from typing import Final

from rsyscall_ns.near.errors import named_here

__all__ = ["EXEC", "KEEPS_SIZE", "NOEXEC", "new_memfile", "new_page"]

NOEXEC: Final = 0x8  # MFD_NOEXEC_SEAL, Linux 6.3
EXEC: Final = 0x10  # MFD_EXEC, Linux 6.3
KEEPS_SIZE: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


def new_memfile(name: str, how: int = NOEXEC) -> int:
    """Return the fd of an empty file in memory, close-on-exec, that can be sealed.

    ``how``: whether it is a program, which a kernel that does not know it does not ask.
    ``memfd_create(2)``.
    """
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    with named_here("memfd_create"):
        try:
            return os.memfd_create(name, flags | how)
        except OSError as error:
            if error.errno != EINVAL:
                raise
            return os.memfd_create(name, flags)


def new_page(name: str) -> int:
    """Return the fd of a page of zeros that nobody can make shorter: who maps it would die."""
    number = new_memfile(name)
    try:
        os.ftruncate(number, mmap.PAGESIZE)
        fcntl.fcntl(number, fcntl.F_ADD_SEALS, KEEPS_SIZE)
    except BaseException:
        os.close(number)
        raise
    return number
