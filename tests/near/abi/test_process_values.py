"""Values about processes: priorities, masks of processors, what a tracer is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    IOPRIO_CLASS,
    IOPRIO_HINT,
    SYSCALL_INFO,
    ArgumentRangeError,
    IoPriority,
    PtraceSyscallEntry,
    SerializerError,
)
from rsyscall_ns.near.abi.ptrace_h import PTRACE_SYSCALL_INFO, PtraceSyscallNone, syscall_info_of
from rsyscall_ns.near.abi.sched_h import CPUS, pack_cpus, unpack_cpus

SIZE = PtraceSyscallNone.sizeof()


@given(cpus=st.frozensets(st.integers(0, CPUS - 1)))
def test_processors_become_a_mask_and_the_same_again(cpus: frozenset[int]) -> None:
    assert unpack_cpus(pack_cpus(cpus)) == cpus


@given(
    cls=st.sampled_from(IOPRIO_CLASS), level=st.integers(0, 7), hint=st.sampled_from(IOPRIO_HINT)
)
def test_an_io_priority_becomes_a_word_and_the_same_again(
    cls: IOPRIO_CLASS, level: int, hint: IOPRIO_HINT
) -> None:
    priority = IoPriority(cls, level, hint)

    assert IoPriority.of(priority.word()) == priority


@pytest.mark.parametrize("level", [-1, 8])
def test_an_io_priority_of_another_level_is_refused(level: int) -> None:
    with pytest.raises(ArgumentRangeError):
        IoPriority(IOPRIO_CLASS.BE, level).word()


@given(op=st.sampled_from(PTRACE_SYSCALL_INFO), rest=st.binary(max_size=SIZE - 1))
def test_what_a_tracer_is_told_becomes_a_value_and_the_same_again(
    op: PTRACE_SYSCALL_INFO, rest: bytes
) -> None:
    value = syscall_info_of(bytes([op]) + rest)

    assert value.op is op
    assert SYSCALL_INFO.from_bytes(SYSCALL_INFO.to_bytes(value)) == value


@given(data=st.binary(max_size=2 * SIZE))
def test_bytes_that_no_kernel_tells_are_refused_by_a_named_error(data: bytes) -> None:
    if data and len(data) <= SIZE and data[0] <= max(PTRACE_SYSCALL_INFO):
        syscall_info_of(data)
        return
    with pytest.raises(SerializerError):
        syscall_info_of(data)


def test_the_arguments_of_a_call_are_in_their_order() -> None:
    assert PtraceSyscallEntry(arg0=1, arg5=6).args == (1, 0, 0, 0, 0, 6)
