"""A child that the kernel stops at system calls of our choosing, so that a race can be forced.

The child puts a filter on itself whose answer is ours to give (``seccomp_unotify(2)``). All that
it makes has the filter too. Nobody sleeps: who is stopped is told by an fd, and stays so until we
let it go on, or it is killed.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from errno import ENOENT
from typing import Final, final

import pytest
import trio
from attrs import frozen

from rsyscall_ns import BYTES, SYS, FileDescriptor, Task
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.ffi import lib
from rsyscall_ns.transport.ring import RingInterface

__all__ = ["Stopped", "Stops", "stopped_at"]

SET_MODE_FILTER: Final = 1
NEW_LISTENER: Final = 1 << 3
LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
NUMBER: Final = 0  # where it is in struct seccomp_data
FIRST_ARGUMENT: Final = 16
FIRST_ARGUMENT_HIGH: Final = 20  # its upper half
JUMP_IF_EQUAL: Final = 0x15
RETURN: Final = 0x06
ALLOW: Final = 0x7FFF0000
ASK: Final = 0x7FC00000  # SECCOMP_RET_USER_NOTIF
NOTIFICATION: Final = struct.Struct("<QIIiIQ6Q")
RESPONSE: Final = struct.Struct("<QqiI")
RECEIVE: Final = 0xC0502100  # SECCOMP_IOCTL_NOTIF_RECV
SEND: Final = 0xC0182101  # SECCOMP_IOCTL_NOTIF_SEND
CONTINUE: Final = 1  # Linux has it from 5.5 on, and pidfd_getfd from 5.6
OLDEST: Final = (5, 6)


@frozen
class Stopped:
    """A process that is about to make a call."""

    cookie: int
    pid: int
    number: int
    args: tuple[int, ...]


@final
class Stops:
    """Tells who is stopped, in the order in which they came to it."""

    def __init__(self, listener: int) -> None:
        self._listener = listener

    async def next(self) -> Stopped:
        """Wait until a process is stopped."""
        while True:
            await trio.lowlevel.wait_readable(self._listener)
            try:
                told = fcntl.ioctl(self._listener, RECEIVE, bytes(NOTIFICATION.size))
            except OSError as error:
                if error.errno != ENOENT:  # killed meanwhile
                    raise
                continue
            cookie, pid, _, number, _, _, *args = NOTIFICATION.unpack(told)
            return Stopped(cookie, pid, number, tuple(args))

    def go_on(self, stopped: Stopped) -> None:
        """Let it make the call, unless it was killed or interrupted meanwhile."""
        self._answer(RESPONSE.pack(stopped.cookie, 0, 0, CONTINUE))

    def refuse(self, stopped: Stopped, error: int) -> None:
        """Have the call fail with this errno."""
        self._answer(RESPONSE.pack(stopped.cookie, 0, -error, 0))

    def answer(self, stopped: Stopped, result: int) -> None:
        """Have the call give this result, without being carried out."""
        self._answer(RESPONSE.pack(stopped.cookie, result, 0, 0))

    def _answer(self, answer: bytes) -> None:
        try:
            fcntl.ioctl(self._listener, SEND, answer)
        except OSError as error:
            if error.errno != ENOENT:
                raise

    async def let_all_go_on(self) -> None:
        """Stop nobody any more, until this is cancelled."""
        while True:
            self.go_on(await self.next())

    async def refuse_all(self, error: int) -> None:
        """Have all such calls fail with this errno, until this is cancelled."""
        while True:
            self.refuse(await self.next(), error)


@asynccontextmanager
async def stopped_at(child: Task, *numbers: int) -> AsyncGenerator[Stops, None]:
    """Stop the child, and all that it will make, before each of these calls.

    After the block they fail with ENOSYS.
    """
    if kernel_version() < OLDEST:
        pytest.skip("processes can't be stopped at a call (seccomp user notification, Linux 5.6)")
    number = await listener(child, numbers)
    made = FileDescriptor(child, ids.FileDescriptor(number))
    ours = fetched(child, number)
    stops = Stops(ours)
    try:
        async with trio.open_nursery() as nursery:  # close may be one of the calls
            nursery.start_soon(stops.let_all_go_on)
            await made.close()
            nursery.cancel_scope.cancel()
        yield stops
    finally:
        os.close(ours)


def fetched(child: Task, number: int) -> int:
    """Return a copy of the child's fd, which is asked for nothing: any call may stop it now."""
    pidfd = os.pidfd_open(child.process.near.id)
    try:
        ours = lib.rs_direct_call(SYS.pidfd_getfd, pidfd, number, 0, 0, 0, 0)
    finally:
        os.close(pidfd)
    assert ours >= 0, os.strerror(-ours)
    return ours


def kernel_version() -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])


async def listener(child: Task, numbers: tuple[int, ...]) -> int:
    jumps = [(JUMP_IF_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    ring = child.sysif
    assert isinstance(ring, RingInterface)
    steps = [
        (LOAD, 0, 0, NUMBER),
        # never what the server tells that it is done with: who is to answer may wait for it. Its
        # bytes on the doorbell,
        (JUMP_IF_EQUAL, 0, 3, SYS.sendto),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (JUMP_IF_EQUAL, len(numbers) + 5, 0, ring.server_doorbell),
        (LOAD, 0, 0, NUMBER),
        # and the words of the ring, whose addresses don't fit into 32 bits
        (JUMP_IF_EQUAL, 0, 3, SYS.futex),
        (LOAD, 0, 0, FIRST_ARGUMENT_HIGH),
        (JUMP_IF_EQUAL, 0, len(numbers) + 1, 0),
        (LOAD, 0, 0, NUMBER),
        *jumps,
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, ASK),
    ]
    code = await child.ptr(b"".join(struct.pack("<HBBI", *step) for step in steps), BYTES)
    program = await child.ptr(struct.pack("<HxxxxxxQ", len(steps), code.near.value), BYTES)
    assert await child.sysif.call(SYS.prctl, PR.SET_NO_NEW_PRIVS, 1) == 0
    at = program.near.value
    number = await child.sysif.call(SYS.seccomp, SET_MODE_FILTER, NEW_LISTENER, at)
    code.free()
    program.free()
    assert number >= 0, os.strerror(-number)
    return number
