"""System calls of a process that runs Python callables. Needs nothing of this package."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

__all__ = [
    "AMBIENT_CLEAR_ALL",
    "KIND_CALL",
    "OP",
    "PR_CAP_AMBIENT",
    "PR_SET_DUMPABLE",
    "PR_SET_PDEATHSIG",
    "StepFailedError",
    "carry_out",
    "clone",
    "ignore",
    "in_child_again",
    "libc",
    "prctl",
    "restore",
]

OP: Final = struct.Struct("<BBBxI6QQ")  # as in near/program.py
ARGUMENTS: Final = struct.Struct("<11Q")  # struct clone_args of clone3(2)
WORD: Final = struct.Struct("<Q")
KIND_CALL: Final = 1
MUST_SUCCEED: Final = 1
MOST_ARGUMENTS: Final = 6
LARGEST_ACTION: Final = 256  # bytes, more than any struct sigaction
PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_CAP_AMBIENT: Final = 47
AMBIENT_CLEAR_ALL: Final = 4
CLONE_PIDFD: Final = 0x1000
CLONE_PARENT: Final = 0x8000
CLONE_PARENT_SETTID: Final = 0x100000
CLONE_NEWTIME: Final = 0x80

libc: Final = ctypes.PyDLL(None, use_errno=True)
syscall: Final = libc.syscall
syscall.restype = ctypes.c_long
step_call: Final = libc["syscall"]  # another one: it takes numbers, as many as a step has
step_call.restype = ctypes.c_long
step_call.argtypes = (ctypes.c_long, *(ctypes.c_ulong,) * MOST_ARGUMENTS)
# looked for once: a child that looks for something has to copy more of our memory
prctl: Final = libc.prctl
sigaction: Final = libc.sigaction
before_fork: Final = ctypes.pythonapi.PyOS_BeforeFork
in_parent: Final = ctypes.pythonapi.PyOS_AfterFork_Parent
in_child: Final = ctypes.pythonapi.PyOS_AfterFork_Child


class StepFailedError(OSError):
    """A step has failed; ``part`` is what it belongs to."""

    def __init__(self, step: int, number: int) -> None:
        super().__init__(number, f"{os.strerror(number)} [step {step + 1}]")
        self.step = step
        self.part = ""


def carry_out(
    ops: bytes, content: bytes, places: Sequence[Sequence[int]], links: Sequence[Sequence[int]]
) -> list[int]:
    """Make the calls of a program, up to the first that fails and must not; returns results.

    ``content``: all its memory. ``places``: where in ``ops`` an address in there is to be written,
    and of which byte; ``links``: where in the memory itself.
    """
    words = bytearray(ops)
    memory = bytearray(content or bytes(1))
    holder = ctypes.c_char.from_buffer(memory)  # of a type that there is: one more costs most
    start = ctypes.addressof(holder)
    for at, offset in places:
        WORD.pack_into(words, at, start + offset)
    for at, offset in links:
        WORD.pack_into(memory, at, start + offset)
    values: list[int] = []
    steps: Iterator[tuple[int, ...]] = OP.iter_unpack(words)
    for step, (kind, flags, refs, number, *args, _) in enumerate(steps):
        assert kind == KIND_CALL
        given = args
        if refs:
            given = [values[word] if refs & 1 << at else word for at, word in enumerate(args)]
        value = step_call(number, *given)
        if value == -1:
            value = -ctypes.get_errno()
            if flags & MUST_SUCCEED:
                raise StepFailedError(step, -value)
        values.append(value)
    return values


def in_child_again() -> None:
    """Do what is done around a fork, without one: no other thread is there to be missed."""
    before_fork()
    in_child()


def ignore(number: int) -> Any:  # noqa: ANN401 - an array of ctypes
    """Ignore a signal, unknown to the interpreter; returns what ``restore`` takes."""
    before = ctypes.create_string_buffer(LARGEST_ACTION)
    sigaction(number, None, before)
    libc.signal(number, ctypes.c_void_p(signal.SIG_IGN))
    return before


def restore(number: int, before: Any) -> None:  # noqa: ANN401 - what ``ignore`` has returned
    """Do with a signal what was done before."""
    sigaction(number, before, None)


def clone(flags: int, numbers: tuple[int, int], told: int | None = None) -> tuple[int, int]:
    """Make a child of our parent; returns its id, 0 in itself, and its pidfd. ``clone3(2)``.

    ``numbers``: of clone3, and of clone, which is called where a filter says that there is no
    clone3. ``told``: an address that the child's id is written to before it runs: then there is
    no pidfd. An error is a negative number instead of the id.
    """
    pidfd = ctypes.c_int(-1)
    flags |= CLONE_PARENT | (CLONE_PIDFD if told is None else CLONE_PARENT_SETTID)
    place = ctypes.addressof(pidfd)
    content = ARGUMENTS.pack(flags, place if told is None else 0, 0, told or 0, *(0,) * 7)
    arguments = ctypes.create_string_buffer(content, len(content))
    before_fork()
    pid = syscall(ctypes.c_long(numbers[0]), arguments, ctypes.c_size_t(len(content)))
    if pid < 0 and ctypes.get_errno() == errno.ENOSYS and not flags & CLONE_NEWTIME:
        # the bit of a time namespace is one of the exit signal here
        where = ctypes.c_void_p(place if told is None else told)
        pid = syscall(
            ctypes.c_long(numbers[1]),
            ctypes.c_ulong(flags | signal.SIGCHLD),
            None,
            where,
            None,
            None,
        )
    if pid == 0:
        in_child()
        return 0, -1
    failed = ctypes.get_errno()
    in_parent()
    return (-failed, -1) if pid < 0 else (pid, pidfd.value)
