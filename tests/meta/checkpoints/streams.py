"""Streams and listeners of trio's own kinds."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import FDStream, SocketListener, SocketStream

from .sockets import NOWHERE
from .world import Call, World

__all__ = ["TABLE"]


def stream(w: World) -> SocketStream:
    return SocketStream(w.socket)


def listener(w: World) -> SocketListener:
    return SocketListener(w.socket)


def plain(w: World) -> FDStream:
    return FDStream(w.file)


TABLE: Final[dict[str, Call]] = {
    "FDStream.aclose": lambda w: plain(w).aclose(),
    "FDStream.of": lambda w: FDStream.of(w.file),
    "FDStream.receive_some": lambda w: plain(w).receive_some(),
    "FDStream.send_all": lambda w: plain(w).send_all(b"a"),
    "FDStream.wait_readable": lambda w: plain(w).wait_readable(),
    "FDStream.wait_send_all_might_not_block": lambda w: plain(w).wait_send_all_might_not_block(),
    "SocketListener.accept": lambda w: listener(w).accept(),
    "SocketListener.aclose": lambda w: listener(w).aclose(),
    "SocketListener.of": lambda w: SocketListener.of(w.socket),
    "SocketStream.aclose": lambda w: stream(w).aclose(),
    "SocketStream.connect": lambda w: SocketStream.connect(w.socket, NOWHERE),
    "SocketStream.of": lambda w: SocketStream.of(w.socket),
    "SocketStream.receive_some": lambda w: stream(w).receive_some(),
    "SocketStream.recvmsg": lambda w: stream(w).recvmsg(),
    "SocketStream.send_all": lambda w: stream(w).send_all(b"a"),
    "SocketStream.send_eof": lambda w: stream(w).send_eof(),
    "SocketStream.sendmsg": lambda w: stream(w).sendmsg(b"a"),
    "SocketStream.wait_readable": lambda w: stream(w).wait_readable(),
    "SocketStream.wait_send_all_might_not_block": lambda w: stream(
        w
    ).wait_send_all_might_not_block(),
}
