"""Structs of events that no class of fields describes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    EPOLL,
    SI,
    SIG,
    ArgumentRangeError,
    ChildSiginfo,
    EpollEvent,
    FaultSiginfo,
    PollSiginfo,
    SerializerError,
    SyscallSiginfo,
    TimerSiginfo,
    Timespec,
    ValueSiginfo,
)
from rsyscall_ns.near.abi.epoll_h import event_layout
from rsyscall_ns.near.abi.siginfo_h import siginfo_of
from tests.support.cheaders import struct_layout

SIZE = EpollEvent.sizeof()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_an_epoll_event_lies_as_the_c_compiler_lays_it(machine: str) -> None:
    there = struct_layout(machine, "sys/epoll.h", "struct epoll_event", ("events", "data"))
    layout = event_layout(machine)

    assert there.size == layout.size
    packed = layout.pack(0xFFFFFFFF, 0)
    at = there.members["data"][0]
    assert packed == b"\xff" * 4 + bytes(layout.size - 4)
    assert layout.pack(0, 2**64 - 1)[at:] == b"\xff" * 8


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_an_epoll_event_becomes_bytes_and_itself_again(events: int, word: int) -> None:
    event = EpollEvent(EPOLL(events), word)

    assert EpollEvent.unpack(event.pack()) == event


@given(st.binary(min_size=SIZE, max_size=SIZE))
def test_any_bytes_are_an_epoll_event(data: bytes) -> None:
    event = EpollEvent.unpack(data)

    assert EpollEvent.unpack(event.pack()) == event


@pytest.mark.parametrize("size", [0, SIZE - 1, SIZE + 1])
def test_an_epoll_event_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(SerializerError, match="epoll_event"):
        EpollEvent.unpack(bytes(size))


def test_what_does_not_fit_an_epoll_event_is_refused_by_name() -> None:
    with pytest.raises(ArgumentRangeError, match="data"):
        EpollEvent(EPOLL.IN, 2**64).pack()
    with pytest.raises(ArgumentRangeError, match="events"):
        EpollEvent(EPOLL(2**32)).pack()


@given(st.binary(min_size=128, max_size=128))
def test_any_siginfo_becomes_a_value_and_the_same_bytes_again(data: bytes) -> None:
    value = siginfo_of(data)

    assert siginfo_of(value.pack()) == value
    assert len(value.pack()) == 128


@pytest.mark.parametrize(
    "value",
    [
        ValueSiginfo(SIG.USR1, 0, SI.USER, 1, 2),
        ValueSiginfo(50, 0, SI.QUEUE, 1, 2, 3),
        ValueSiginfo(SIG.INT, 0, SI.KERNEL),
        TimerSiginfo(SIG.ALRM, 0, SI.TIMER, 4, 5, 6),
        ChildSiginfo(SIG.CHLD, 0, 1, 2, 3, 4, 5, 6),
        PollSiginfo(SIG.IO, 0, 1, 2, 3),
        PollSiginfo(SIG.IO, 0, SI.SIGIO, 2, 3),
        FaultSiginfo(SIG.SEGV, 0, 1, 2**64 - 1),
        SyscallSiginfo(SIG.SYS, 0, 1, 2, 3, 4),
    ],
    ids=repr,
)
def test_signal_and_code_tell_the_form_of_a_siginfo(value: ValueSiginfo) -> None:
    assert siginfo_of(value.pack()) == value


@pytest.mark.parametrize("size", [0, 127, 129])
def test_a_siginfo_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(SerializerError, match="siginfo_t"):
        siginfo_of(bytes(size))


@given(st.integers(0, 2**62))
def test_a_time_in_nanoseconds_is_itself_again(nanoseconds: int) -> None:
    assert Timespec.of_ns(nanoseconds).ns == nanoseconds


def test_a_time_that_lasts_is_never_zero() -> None:
    assert Timespec.of(1e-12) == Timespec(0, 1)
    assert Timespec.of(0) == Timespec()
    assert Timespec.of(1.5) == Timespec(1, 500_000_000)
    assert Timespec(1, 500_000_000).seconds == 1.5
