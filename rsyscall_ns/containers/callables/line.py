"""Our end of what connects us with a callable's process: a socket, without a detour."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final, final

import trio

__all__ = ["Line"]

LEAST: Final = 1 << 16  # bytes that are asked for, as there may be more than is waited for
MOST: Final = 1 << 20


@final
class Line:
    """A stream socket, which it owns, and what came of it and was not read yet."""

    __slots__ = ("_buffer", "_socket")

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._buffer = bytearray()

    async def send(self, *parts: bytes) -> None:
        """Send all of it; one who does not listen any more is let be."""
        left = [memoryview(part) for part in parts]
        while left:
            try:
                sent = self._socket.sendmsg(left)
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._socket)
                continue
            except ConnectionError:
                return
            while left and sent >= len(left[0]):
                sent -= len(left.pop(0))
            if left:
                left[0] = left[0][sent:]

    async def receive(self, size: int) -> bytes | None:
        """Return what is sent next, of this size; None where there is an end before."""
        buffer = self._buffer
        while len(buffer) < size:
            try:
                part = self._socket.recv(max(LEAST, min(MOST, size - len(buffer))))
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self._socket)
                continue
            except ConnectionError:
                return None
            if not part:
                return None
            buffer += part
        found = bytes(memoryview(buffer)[:size])
        del buffer[:size]
        return found

    def shut(self) -> None:
        """Have it end: what was sent can still be received."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Close it. Idempotent."""
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
