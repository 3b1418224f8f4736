"""A child's end of what connects it with its caller. Needs nothing of this package."""

from __future__ import annotations

import json
import os
import struct
from typing import Any, Final

__all__ = ["HEAD", "LENGTH", "Channel", "written"]

LENGTH: Final = struct.Struct("<Q")
HEAD: Final = struct.Struct("<IQ")  # sizes of a JSON object, and of what is behind it
INCREMENT: Final = 1 << 20


class Channel:
    """Our end of what connects us with the caller."""

    def __init__(self, number: int) -> None:
        self.number = number

    def close(self) -> None:
        """Close it."""
        os.close(self.number)

    def hello(self) -> None:
        """Say that we are there."""
        self._all(b"H")

    def wait(self) -> None:
        """Wait until the caller wants us to go on."""
        self._exactly(1)

    def receive(self) -> bytearray:
        """Return what the caller sends next; without a caller there is nothing to do."""
        (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
        return self._exactly(length)

    def _exactly(self, length: int) -> bytearray:
        found = bytearray(length)
        left = memoryview(found)
        while left:
            count = os.readv(self.number, [left[:INCREMENT]])
            if not count:
                os._exit(1)
            left = left[count:]
        return found

    def send(self, head: dict[str, Any] | bytes, body: bytes = b"") -> None:
        """Tell something; a caller who does not listen any more is let be.

        ``head``: also as the JSON that it is sent as.
        """
        text = head if isinstance(head, bytes) else written(head)
        try:
            self._all(HEAD.pack(len(text), len(body)) + text)
            if body:
                self._all(body)
        except OSError:
            return

    def _all(self, data: bytes) -> None:
        sent = os.write(self.number, data)
        while sent < len(data):
            sent += os.write(self.number, memoryview(data)[sent : sent + INCREMENT])


def written(head: dict[str, Any]) -> bytes:
    """Return a head as it is sent."""
    return json.dumps(head).encode("utf-8", "surrogatepass")
