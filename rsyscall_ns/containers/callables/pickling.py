"""cloudpickle, with types."""

from __future__ import annotations

import pickle
from typing import Any, Final

import cloudpickle  # pyright: ignore[reportMissingTypeStubs] - it has none

__all__ = ["dumps", "loads"]

PLAIN: Final = (int, str, bytes, float, bool, type(None))  # cloudpickle leaves them to pickle


def dumps(value: object) -> bytes:
    """Return a value as bytes; raises what its classes raise."""
    if type(value) in PLAIN:
        return pickle.dumps(value, cloudpickle.DEFAULT_PROTOCOL)
    data: bytes = cloudpickle.dumps(value)  # pyright: ignore[reportUnknownMemberType] - as above
    return data


def loads(data: bytes | bytearray) -> Any:  # noqa: ANN401 - of any type
    """Return the value; whoever has made the bytes can run code here."""
    return cloudpickle.loads(data)
