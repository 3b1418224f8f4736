"""The numbers of all system calls: ``SYS.openat`` is openat's number on this machine.

A name that this architecture lacks is no attribute of ``SYS``.
"""

import os
from typing import TYPE_CHECKING

# typed as one of them: the names that are used in this package exist on both
if TYPE_CHECKING or os.uname().machine == "x86_64":
    from . import x86_64 as SYS  # noqa: N812 - reads as the manual page's SYS_openat
else:
    from . import aarch64 as SYS  # noqa: N812 - reads as the manual page's SYS_openat

__all__ = ["SYS", "name_of"]


def name_of(number: int) -> str:
    """Return the name of the call with this number, for messages."""
    for name, value in vars(SYS).items():
        if value == number and not name.startswith("_"):
            return name
    return f"system call {number}"
