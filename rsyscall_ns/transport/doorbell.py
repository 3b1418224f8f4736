"""The doorbell of a ring: a byte means completions, EOF a lost process, and it carries fds.

Owns our end of the ``AF_UNIX`` socket pair and the fds that arrived and were not yet asked for.
Packets (``SOCK_SEQPACKET``) keep bytes and fds apart.
"""

from __future__ import annotations

import os
import socket
import struct
from collections import deque
from typing import Final, final

from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.ffi import lib

__all__ = ["CONTROL_SIZE", "MESSAGE_SIZE", "Doorbell", "control_fd", "doorbell_pair", "message"]

EMPTY: Final = lib.RS_BELL_EMPTY
END: Final = lib.RS_BELL_END
MSGHDR: Final = struct.Struct("<QIxxxxQQQQixxxx")
IOVEC: Final = struct.Struct("<QQ")
CMSG: Final = struct.Struct("<QiiiI")
BYTES: Final = 8
CONTROL_SIZE: Final = CMSG.size
MESSAGE_SIZE: Final = MSGHDR.size + IOVEC.size + BYTES + CONTROL_SIZE


def message(base: int, fd: int) -> bytes:
    """Return a msghdr with one byte and room for one fd, to lie at address ``base``.

    With ``fd`` >= 0 the control part carries it (sendmsg); else it is empty (recvmsg).
    """
    iov = base + MSGHDR.size
    data = iov + IOVEC.size
    control = data + BYTES
    cmsg = CMSG.pack(CMSG.size - 4, socket.SOL_SOCKET, socket.SCM_RIGHTS, fd, 0)
    return (
        MSGHDR.pack(0, 0, iov, 1, control, CONTROL_SIZE, 0)
        + IOVEC.pack(data, 1)
        + bytes(BYTES)
        + (cmsg if fd >= 0 else bytes(CMSG.size))
    )


def control_fd(block: bytes) -> int | None:
    """Return the fd in a block that recvmsg has filled, or None."""
    length, _, kind, fd, _ = CMSG.unpack_from(block, MSGHDR.size + IOVEC.size + BYTES)
    return fd if length >= CMSG.size - 4 and kind == socket.SCM_RIGHTS else None


@final
class Doorbell:
    """Our end of a doorbell; owns it."""

    __slots__ = ("_fd", "_inbox")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._inbox: deque[int] = deque()

    def fileno(self) -> int:
        """Return the fd, -1 after ``close``."""
        return self._fd

    def move_up(self) -> None:
        """Leave a low number to fds that are there for a short time only."""
        self._fd = lib.rs_move_up(self._fd)

    def drain(self) -> bool:
        """Read what is there, keep the fds; returns False at the end."""
        while True:
            got = lib.rs_doorbell_take(self._fd)
            if got >= 0:
                self._inbox.append(got)
            elif got == EMPTY:
                return True
            elif got == END:
                return False

    def take_fd(self) -> int | None:
        """Return the oldest fd that was drained; it belongs to the caller."""
        return self._inbox.popleft() if self._inbox else None

    def send_fd(self, number: int) -> None:
        """Send a copy of an fd of ours; BrokenPipeError when nobody is there any more."""
        failure = lib.rs_doorbell_send(self._fd, number)
        if failure:
            raise OSError(-failure, os.strerror(-failure))

    def close(self) -> None:
        """Close our end and the fds that nobody took. Idempotent."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        while self._inbox:
            os.close(self._inbox.popleft())


def doorbell_pair() -> tuple[Doorbell, int]:
    """Return our end, and the fd of the other one, to be closed by the caller."""
    ends = lib.rs_doorbell_pair()
    if ends < 0:
        raise kernel_error(-ends, "socketpair", "this interpreter")
    return Doorbell(ends >> 32), ends & 0xFFFFFFFF
