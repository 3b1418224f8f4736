"""Programs keep their steps, refuse what can't work, and name the step that failed."""

from __future__ import annotations

from errno import EBADF, ENOENT

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    SYS,
    ArgumentRangeError,
    Call,
    Program,
    ProgramError,
    Read,
    Ref,
    Results,
    ReturnsInChildError,
    RsyscallError,
    Write,
)
from rsyscall_ns.near.nr import x86_64
from rsyscall_ns.near.program import OP

WORDS = st.integers(0, 2**64 - 1)
NUMBERS = st.integers(0, 460).filter(
    lambda number: number not in {getattr(SYS, name, -1) for name in ("fork", "vfork")}
)


@st.composite
def programs(draw: st.DrawFn) -> list[Write | Call | Read]:
    """Return steps that refer to earlier ones only."""
    steps: list[Write | Call | Read] = []
    for index in range(draw(st.integers(0, 12))):
        word = WORDS if index == 0 else WORDS | st.builds(Ref, st.integers(0, index - 1))
        call = st.builds(
            Call, NUMBERS, st.tuples(word, word, word, word, word, word), st.booleans()
        )
        write = st.builds(Write, word, st.binary(max_size=40))
        read = st.builds(Read, word, st.integers(0, 40))
        steps.append(draw(call | write | read))
    return steps


@given(programs())
def test_every_step_survives_the_way_into_bytes_and_back(steps: list[Write | Call | Read]) -> None:
    program = Program(tuple(steps))

    assert len(program) == len(steps)
    assert len(program.ops) == OP.size * len(steps)
    assert [program.step(index) for index in range(len(steps))] == steps


def test_missing_arguments_are_zero() -> None:
    program = Program()
    program.call(SYS.close, 3)

    assert program.step(0) == Call(SYS.close, (3, 0, 0, 0, 0, 0))


def test_a_negative_argument_is_stored_as_c_would() -> None:
    program = Program()
    program.call(SYS.openat, -100)

    assert program.step(0) == Call(SYS.openat, (2**64 - 100, 0, 0, 0, 0, 0))


@pytest.mark.parametrize("step", [-1, 0, 1, 7])
def test_a_reference_must_be_to_an_earlier_step(step: int) -> None:
    program = Program()

    with pytest.raises(ProgramError, match=f"^step 1 refers to step {step + 1}, .* not before it"):
        program.call(SYS.close, Ref(step))

    assert len(program) == 0


def test_more_than_six_arguments_are_refused() -> None:
    with pytest.raises(ProgramError, match="at most 6"):
        Program().call(SYS.close, 1, 2, 3, 4, 5, 6, 7)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 2**200])
def test_an_argument_that_is_no_word_is_refused(value: int) -> None:
    with pytest.raises(ArgumentRangeError):
        Program().call(SYS.lseek, 0, value)


@pytest.mark.parametrize("number", [-1, 2**32])
def test_a_number_that_is_no_system_call_number_is_refused(number: int) -> None:
    with pytest.raises(ArgumentRangeError):
        Program().call(number)


@pytest.mark.parametrize("length", [-1, 2**63])
def test_a_read_of_a_length_that_no_memory_has_is_refused(length: int) -> None:
    with pytest.raises(ArgumentRangeError):
        Program().read(0, length)


@pytest.mark.parametrize("name", ["fork", "vfork"])
def test_a_call_that_returns_twice_is_refused(name: str) -> None:
    number = getattr(SYS, name, None)
    if number is None:
        pytest.skip(f"this architecture has no {name}")

    with pytest.raises(ReturnsInChildError, match=f"{name}.*spawn"):
        Program().call(number)
    with pytest.raises(ReturnsInChildError):
        Program((Call(number),))


def test_the_error_of_a_call_that_returns_twice_is_a_named_one() -> None:
    assert x86_64.fork != x86_64.vfork
    assert issubclass(ReturnsInChildError, RsyscallError)


def three_steps() -> tuple[Program, Ref, Ref, Ref]:
    program = Program()
    first = program.call(SYS.openat, -100, 0x1000, must_succeed=False)
    second = program.call(SYS.close, first)
    third = program.read(0x2000, 3)
    return program, first, second, third


def test_results_give_values_and_bytes_by_reference() -> None:
    program, first, second, third = three_steps()
    results = Results(program, (7, 0, 0), {third.step: b"abc"})

    assert results.complete
    assert results.failure() is None
    assert (results.value(first), results.value(second), results.read(third)) == (7, 0, b"abc")
    assert results.check("here") is results
    assert results.require(first, "here") == 7


def test_a_call_that_may_fail_is_no_failure_but_required_it_raises() -> None:
    program, first, _, third = three_steps()
    results = Results(program, (-ENOENT, 0, 0), {third.step: b"abc"})

    assert results.failure() is None
    with pytest.raises(FileNotFoundError, match=r"openat\(2\) in child 5") as caught:
        results.require(first, "child 5", "/nowhere")
    assert caught.value.errno == ENOENT
    assert caught.value.filename == "/nowhere"


def test_a_call_that_must_succeed_ends_the_program_and_names_its_step() -> None:
    program, _, second, _ = three_steps()
    results = Results(program, (7, -EBADF))

    assert not results.complete
    assert results.failure() == (second.step, EBADF)
    with pytest.raises(OSError, match=r"close\(2\) in child 5") as caught:
        results.check("child 5")
    assert caught.value.errno == EBADF
    assert caught.value.__notes__ == ["step 2 of 3: close(fd=result of step 1)"]


def test_a_large_result_that_is_no_errno_is_no_failure() -> None:
    program = Program()
    ref = program.call(SYS.mmap)

    assert Results(program, (-4096,)).failure() is None
    assert Results(program, (-4096,)).require(ref, "here") == -4096
    assert Results(program, (-4095,)).failure() == (0, 4095)


def test_a_program_without_steps_is_complete() -> None:
    assert Results(Program(), ()).complete
    assert Results(Program(), ()).failure() is None


def test_an_error_is_blamed_on_what_its_step_is_for() -> None:
    program = Program()
    first = program.call(SYS.close, 5)
    program.blame(lambda number, text: FileExistsError(number, f"here: {text}"))
    second = program.call(SYS.close, 6)
    whole = Program()
    whole.call(SYS.getpid)
    whole.extend(program)
    results = Results(whole, (1, -EBADF, -EBADF))

    assert not isinstance(results.error(first.step + 1, "task"), FileExistsError)
    blamed = results.error(second.step + 1, "task")
    assert isinstance(blamed, FileExistsError)
    assert "here: Bad file descriptor [step 3 of 3" in str(blamed)
