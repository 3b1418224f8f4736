"""How paths and strings become what the kernel takes."""

from __future__ import annotations

import os

from .errors import PathError

__all__ = ["StrPath", "c_path", "c_string"]

StrPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
PATH_MAX = 4096


def c_string(value: StrPath) -> bytes:
    """Return the bytes with a NUL behind them; one inside is refused."""
    try:
        data = os.fsencode(value)
    except UnicodeEncodeError as error:
        raise PathError(value, "can't be encoded for the kernel: pass bytes") from error
    if b"\0" in data:
        raise PathError(value, "has a NUL byte, which would end it early: remove it")
    return data + b"\0"


def c_path(value: StrPath) -> bytes:
    """Return a path for the kernel; too long ones are refused."""
    data = c_string(value)
    if len(data) > PATH_MAX:
        raise PathError(value, f"is longer than {PATH_MAX - 1} bytes: use a directory fd")
    return data
