"""A set of signals that a call is given: the signals, or the caller's memory with them."""

from __future__ import annotations

from collections.abc import Iterable

from rsyscall_ns.near.abi.signal_h import pack_sigset

from .pointers.context import MemoryTask
from .pointers.passing import given
from .pointers.pointer import Pointer

__all__ = ["SignalSet", "set_given", "signals_of"]

SignalSet = Iterable[int] | Pointer[frozenset[int]]


def signals_of(signals: SignalSet) -> frozenset[int]:
    """Return which signals are in a set."""
    return signals.peek() if isinstance(signals, Pointer) else frozenset(signals)


def set_given(task: MemoryTask, signals: SignalSet) -> given:
    """Return a set of signals for a call to read."""
    return given(task, signals if isinstance(signals, Pointer) else pack_sigset(signals))
