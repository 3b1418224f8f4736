"""Programs of classic BPF: their bytes, their text, and what they answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    SECCOMP_RET,
    SERVER_CALLS,
    SYS,
    FilterError,
    FilterProgram,
    SeccompData,
    SerializerError,
    SockFilter,
    assemble_filter,
    disassemble_filter,
    filter_calls,
    seccomp_errno,
)
from rsyscall_ns.near.abi.seccomp_calls import denied_to_server
from rsyscall_ns.near.abi.seccomp_h import AUDIT_ARCH, X32_SYSCALL_BIT
from rsyscall_ns.near.nr.table import rows

SMALL = st.integers(0, 12)
KNOWN = st.sampled_from([0x20, 0x40, 0x15, 0x1D, 0x25, 0x45, 5, 6, 0x16, 0x60, 0xB1, 0x84, 7, 0x87])
STEP = st.builds(
    SockFilter,
    code=KNOWN | st.integers(0, 2**16 - 1),
    jt=st.just(0) | SMALL | st.integers(0, 255),
    jf=st.just(0) | SMALL | st.integers(0, 255),
    k=st.just(0) | SMALL | st.integers(0, 2**32 - 1),
)
PROGRAMS = st.lists(STEP, min_size=1, max_size=20).map(FilterProgram)


@given(program=PROGRAMS)
def test_text_and_bytes_become_the_same_program_again(program: FilterProgram) -> None:
    assert assemble_filter(disassemble_filter(program)) == program
    assert FilterProgram.unpack(program.pack()) == program


@given(data=st.binary(max_size=64))
def test_bytes_are_a_program_or_a_named_error(data: bytes) -> None:
    try:
        assert FilterProgram.unpack(data).pack() == data
    except SerializerError:
        assert len(data) % 8
    except FilterError:
        assert not data


@given(text=st.text(st.sampled_from("ldretjq [0x4#],:;a\n"), max_size=60))
def test_any_text_is_a_program_or_a_named_error(text: str) -> None:
    try:
        program = assemble_filter(text)
    except FilterError:
        return
    assert assemble_filter(disassemble_filter(program)) == program


@given(program=PROGRAMS, data=st.binary(max_size=64))
def test_a_program_has_an_answer_or_a_named_error(program: FilterProgram, data: bytes) -> None:
    try:
        answer = program.answer(data)
    except FilterError:
        return
    assert 0 <= answer < 2**32


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "0 instructions"),
        ("ld [4", "line 1: .* no instruction"),
        ("ja there", "line 1: there is no label 'there'"),
        ("a: ret a\na: ret a", "line 2: there are two labels 'a'"),
        ("a: ret a\nja a", "line 2: 'a' is not below it"),
        ("ret #0x100000000", "line 1: .* more than 32 bits"),
        ("raw 0x10000 0 0 0", "line 1: .* does not fit"),
        ("jeq #1, end\n" + "tax\n" * 256 + "end: ret a", "jumps over 256 lines"),
        ("ret a\n" * 4097, "4097 instructions"),
    ],
)
def test_a_text_that_is_wrong_is_refused_by_its_line(text: str, why: str) -> None:
    with pytest.raises(FilterError, match=why):
        assemble_filter(text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("ld #6\nldx #4\ntxa\nadd #1\nret a", 5),
        ("ld #6\ntax\nld #2\nmul x\nsub #1\nst M[3]\nld #0\nld M[3]\nret a", 11),
        ("ld #7\ndiv #2\nlsh #4\nor #1\nxor #2\nand #0xff\nrsh #1\nmod #5\nret a", 25 % 5),
        ("ld #0\nneg\nret a", 0),
        ("ld #1\nneg\nret a", 2**32 - 1),
        ("ld len\nret a", 8),
        ("ldx len\nstx M[1]\nldx M[1]\ntxa\nret a", 8),
        (
            "ld [4]\njgt #1, b\nret #1\nb: jge #2, c\nret #3\nc: jset #2, d\nret #5\nd: ret #4",
            4,
        ),
        ("ld [0]\ntax\nld [4]\njeq x, same, other\nsame: ret #1\nother: ret #0", 0),
    ],
)
def test_a_program_is_run(text: str, answer: int) -> None:
    assert assemble_filter(text).answer(b"\x01\0\0\0\x02\0\0\0") == answer


@pytest.mark.parametrize(
    "text",
    ["ld [8]\nret a", "ldh [0]\nret a", "ld [1]\nret a", "div #0\nret a", "tax", "raw 0x55 0 0 0"],
)
def test_what_seccomp_does_not_run_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        assemble_filter(text).answer(bytes(8))


@pytest.mark.parametrize("machine", AUDIT_ARCH)
def test_calls_are_answered_by_their_names_on_both_machines(machine: AUDIT_ARCH) -> None:
    program = filter_calls({"openat": seccomp_errno(13), "open": seccomp_errno(1)}, 0x7FFC0000)
    row = rows()["openat"].number(machine.name.lower())
    assert row is not None

    def answer(number: int, arch: int = machine) -> int:
        return program.answer(SeccompData(number, arch).pack())

    assert answer(row) == 0x5000D
    assert answer(row + 1) == SECCOMP_RET.LOG
    assert answer(row, 0x40000003) == SECCOMP_RET.KILL_PROCESS
    if machine is AUDIT_ARCH.X86_64:
        assert answer(2) == 0x50001
        assert answer(2 | X32_SYSCALL_BIT) == SECCOMP_RET.KILL_PROCESS


@pytest.mark.parametrize("name", SERVER_CALLS)
def test_a_filter_that_denies_a_call_of_the_server_is_found(name: str) -> None:
    assert denied_to_server(filter_calls({name: seccomp_errno(1)})) == (name, 0x50001)
    assert denied_to_server(filter_calls({name: SECCOMP_RET.LOG})) is None


def test_every_call_at_once_fits_a_program() -> None:
    program = filter_calls(dict.fromkeys(rows(), SECCOMP_RET.ALLOW), SECCOMP_RET.KILL_PROCESS)

    assert len(program) < 4096
    assert denied_to_server(program) is None
    assert program.answer(SeccompData(SYS.getpid, 0xC00000B7).pack()) == SECCOMP_RET.ALLOW
