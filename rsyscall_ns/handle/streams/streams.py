"""Fds of any task of this machine as trio streams and listeners, in the event loop.

A copy of the fd is brought into the interpreter and used there: no call of the owner's process is
under way while something is waited for. Where a socket belongs to - its network namespace - was
settled when it was made. The flags of the open file stay as they are, which others may share.

Who closes what: the stream takes the handle that it is made of, closes it, and owns the only copy.
Give it a ``dup()`` of what is still needed; the peer then sees the end only when both are closed.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from contextlib import AsyncExitStack
from errno import ECONNABORTED, EHOSTDOWN, EHOSTUNREACH, ENETDOWN, ENETUNREACH, EPERM, EPROTO
from typing import Self, TypeVar, final

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.socket_messages import Ancillary, Message, Part
from rsyscall_ns.handle.kinds.socket_names import UNDER_WAY, full, named
from rsyscall_ns.handle.kinds.sockets import CONTROL, SocketFD
from rsyscall_ns.handle.patience import asked_again
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.fd_errors import FDClosedError, FDKindError
from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.near.abi.fcntl_h import F_GETFL, F_SETFL, O
from rsyscall_ns.near.abi.sockaddr_h import Sockaddr
from rsyscall_ns.near.abi.socket_h import SHUT, SOCK, SOL
from rsyscall_ns.near.abi.sockopt_h import SO
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.errors import RsyscallError, TaskLostError, kernel_error
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program

from .stream_steps import Using, as_trio_does, at_most, closed, lent, ready, receive_some, send_all

__all__ = ["FDStream", "NoInterpreterTaskError", "SocketListener", "SocketStream"]

Kind = TypeVar("Kind", bound=FileDescriptor)
ACCEPTCONN = 30
# of a connection that has ended before it was accepted; accept(2) says to try again
NEXT = {ECONNABORTED, EPERM, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH}


class NoInterpreterTaskError(RsyscallError):
    """An fd can't be brought into the interpreter, as its task has no ancestor there."""

    def __init__(self, task: object) -> None:
        super().__init__(f"{task} is no descendant of an open_local_task(): pass_to() one first")


def interpreters(task: MemoryTask) -> MemoryTask:
    """Return the task of the interpreter that a task descends from."""
    found: MemoryTask | None = task
    while found is not None and not found.sysif.same_thread:
        found = found.parent_task if isinstance(found, ProcessTask) else None
    if found is None:
        raise NoInterpreterTaskError(task)
    return found


@trio.lowlevel.enable_ki_protection
async def brought_here(fd: Kind) -> Kind:
    """Return a handle in the interpreter. Consumes ``fd``, also when this fails."""
    try:
        here = await fd.pass_to(interpreters(fd.task))
    except BaseException:
        with trio.CancelScope(shield=True):
            await fd.close()
        raise
    try:
        await fd.close()
    except BaseException:
        here.close_now()
        raise
    return here


@final
class FDStream(trio.abc.Stream):
    """Any fd as a stream: a pipe's end, a terminal, a device. ``of`` makes one.

    Both directions may be used at once, each by one task. What an fd can't do, its kernel error
    says, within a ``trio.BrokenResourceError``.
    """

    def __init__(self, fd: FileDescriptor) -> None:
        """``fd``: of the interpreter's own task, which it takes over."""
        self.fd = fd
        self._sending = Using("sending on")
        self._receiving = Using("receiving from")

    @classmethod
    async def of(cls, fd: FileDescriptor) -> Self:
        """Bring an fd of any task into the event loop. Consumes it, also when this fails."""
        return cls(await brought_here(fd))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write everything; how much was written of it when this is cancelled is not known."""
        with self._sending:
            await send_all(self.fd, data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until something can be written."""
        with self._sending:
            await ready(self.fd, select.POLLOUT)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for data and return it; b"" is the end. Nothing is lost when this is cancelled."""
        with self._receiving:
            return await receive_some(self.fd, max_bytes)

    async def wait_readable(self) -> None:
        """Wait until there is something to read, or the end."""
        with self._receiving:
            await ready(self.fd, select.POLLIN)

    async def aclose(self) -> None:
        """Close it; who waits for it gets ``trio.ClosedResourceError``. Idempotent."""
        await closed(self.fd)


@final
class SocketStream(trio.abc.HalfCloseableStream):
    """A connected socket as a stream, for ``trio.SSLStream`` and all that takes streams.

    ``of`` and ``connect`` make one, a ``SocketListener`` too.
    """

    def __init__(self, socket: SocketFD) -> None:
        """``socket``: of the interpreter's own task, which it takes over."""
        self.socket = socket
        self._ended = False
        self._sending = Using("sending on")
        self._receiving = Using("receiving from")

    @classmethod
    async def of(cls, socket: SocketFD) -> Self:
        """Bring a connected stream socket of any task into the event loop.

        Consumes it, also when this fails; FDKindError if it is no stream.
        """
        here = await brought_here(socket)
        await checked_option(here, SO.TYPE, SOCK.STREAM, cls.__name__, "it is no SOCK.STREAM")
        return cls(here)

    @classmethod
    async def connect(cls, socket: SocketFD, address: Sockaddr) -> Self:
        """Connect a socket of any task to a peer that this task sees. ``connect(2)``.

        It is awaited here: other calls of the socket's task go on. Consumes the socket, also
        when this fails.
        """
        try:
            done = await begin_connect(socket, address)
        except BaseException:
            with trio.CancelScope(shield=True):
                await socket.close()
            raise
        stream = await cls.of(socket)
        try:
            here = stream.socket
            if not done:
                await here.task.sysif.wait_ready(here.near.number, select.POLLOUT)
            failure = await here.getsockopt(SOL.SOCKET, SO.ERROR)
        except BaseException:
            stream.socket.close_now()
            raise
        if failure:
            stream.socket.close_now()
            raise kernel_error(failure, "connect", socket.task)
        return stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything; how much of it was sent when this is cancelled is not known."""
        with self._sending:
            if self._ended:
                raise trio.ClosedResourceError("send_eof() was called")
            await send_all(self.socket, data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until something can be sent."""
        with self._sending:
            await ready(self.socket, select.POLLOUT)

    async def send_eof(self) -> None:
        """Let the peer see the end; receiving goes on. ``shutdown(2)``. Idempotent."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            if self._ended:
                return
            with as_trio_does():
                await self.socket.shutdown(SHUT.WR)
            self._ended = True

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for data and return it; b"" is the end. Nothing is lost when this is cancelled."""
        with self._receiving:
            return await receive_some(self.socket, max_bytes)

    async def wait_readable(self) -> None:
        """Wait until there is something to receive, or the end."""
        with self._receiving:
            await ready(self.socket, select.POLLIN)

    async def sendmsg(
        self, data: Part | Sequence[Part], ancillary: Sequence[Ancillary] = ()
    ) -> int:
        """Send bytes, and what goes with the first of them. ``sendmsg(2)``.

        Returns how many bytes were taken: send the others by ``send_all``. Fds in ``Rights`` may
        be any task's of this machine. When it is cancelled nothing was sent.
        """
        with self._sending:
            await trio.lowlevel.checkpoint()
            if self._ended:
                raise trio.ClosedResourceError("send_eof() was called")
            async with AsyncExitStack() as copies:
                items = [await lent(item, self.socket.task, copies) for item in ancillary]
                with as_trio_does():
                    return await self.socket.sendmsg(data, items)

    async def recvmsg(
        self, max_bytes: int | None = None, *, control: int = CONTROL
    ) -> Message[bytes]:
        """Wait for data and return them with what has come along; no data are the end.

        Fds that it brings are handles of the interpreter's own task, close-on-exec: ``close`` of
        the message closes them. No cancel loses one. ``recvmsg(2)``.
        """
        count = at_most(max_bytes)
        with self._receiving:
            await trio.lowlevel.checkpoint()
            with as_trio_does():
                return await self.socket.recvmsg(count, control=control)

    async def aclose(self) -> None:
        """Close it; who waits for it gets ``trio.ClosedResourceError``. Idempotent."""
        await closed(self.socket)


@final
class SocketListener(trio.abc.Listener[SocketStream]):
    """A listening socket, for ``trio.serve_listeners``. ``of`` makes one."""

    def __init__(self, socket: SocketFD) -> None:
        """``socket``: of the interpreter's own task, which it takes over."""
        self.socket = socket

    @classmethod
    async def of(cls, socket: SocketFD) -> Self:
        """Bring a listening socket of any task into the event loop.

        Consumes it, also when this fails; FDKindError if it does not listen.
        """
        here = await brought_here(socket)
        await checked_option(here, ACCEPTCONN, 1, cls.__name__, "it does not listen")
        return cls(here)

    async def accept(self) -> SocketStream:
        """Wait for a connection. ``accept(2)``. Several tasks may wait at once.

        An OSError is one that trio retries by itself, or that it must know of (EMFILE).
        """
        await trio.lowlevel.checkpoint()
        while True:
            try:
                made, _ = await self.socket.accept()
            except (FDClosedError, TaskLostError) as error:
                raise trio.ClosedResourceError("this listener was closed") from error
            except OSError as error:
                if error.errno not in NEXT:
                    raise
            else:
                return SocketStream(made)

    async def aclose(self) -> None:
        """Close it; who waits for it gets ``trio.ClosedResourceError``. Idempotent."""
        await closed(self.socket)


async def checked_option(socket: SocketFD, option: int, wanted: int, kind: str, why: str) -> None:
    """Close a socket and raise FDKindError unless an option of it is so."""
    try:
        found = await socket.getsockopt(SOL.SOCKET, option)
    except BaseException:
        socket.close_now()
        raise
    if found != wanted:
        socket.close_now()
        raise FDKindError(socket, kind, why)


async def begin_connect(socket: SocketFD, address: Sockaddr) -> bool:
    """Begin to connect, in the socket's task; returns whether it is connected already.

    A unix socket whose listener's queue is full asks again and again.
    """
    task, data = socket.task, address.pack()

    async def attempt() -> None:
        with socket.borrow() as near_id:
            flags = await near_fd.fcntl(task.sysif, near_id, F_GETFL, 0)
            program = Program()
            program.interruptible = False  # the flags are set back in any case
            program.call(SYS.fcntl, near_id.number, F_SETFL, flags | O.NONBLOCK)
            made = program.call(
                SYS.connect, near_id.number, buffer.address.value, len(data), must_succeed=False
            )
            program.call(SYS.fcntl, near_id.number, F_SETFL, flags)
            (await task.sysif.execute(program)).require(made, task.sysif)

    with named(address), task.transient(data) as buffer:
        try:
            await asked_again(attempt, full(address))
        except BlockingIOError as error:
            if error.errno not in UNDER_WAY:
                raise
            return False
    return True
