"""Contexts of security modules, programs of BPF and probes: bytes, values, and bytes again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    ArgumentRangeError,
    BpfInsn,
    BpfProgram,
    BpfProgramError,
    LsmCtx,
    SerializerError,
)
from rsyscall_ns.near.abi.io_uring_structs import IoUringProbeOp, pack_probe, unpack_probe
from rsyscall_ns.near.abi.lsm_h import pack_contexts, unpack_contexts
from tests.support.cheaders import c_values

WORDS = st.integers(0, 2**64 - 1)
CONTEXTS = st.lists(st.builds(LsmCtx, WORDS, st.binary(max_size=40), WORDS, st.just(8)), max_size=4)


@given(contexts=CONTEXTS)
def test_contexts_become_bytes_and_the_same_again(contexts: list[LsmCtx]) -> None:
    assert unpack_contexts(pack_contexts(contexts)) == tuple(contexts)


@given(data=st.binary(max_size=120) | CONTEXTS.map(pack_contexts))
def test_bytes_are_contexts_or_a_named_error(data: bytes) -> None:
    try:
        found = unpack_contexts(data)
    except SerializerError:
        return
    assert len(pack_contexts(found)) >= len(data)


@given(contexts=CONTEXTS, cut=st.integers(1, 31))
def test_contexts_that_are_cut_off_are_refused(contexts: list[LsmCtx], cut: int) -> None:
    data = pack_contexts([*contexts, LsmCtx(1, b"")])[:-cut]
    with pytest.raises(SerializerError, match="lsm_ctx"):
        unpack_contexts(data)


def test_a_context_is_filled_up_to_eight_bytes() -> None:
    assert [len(LsmCtx(1, bytes(n)).pack()) for n in (0, 1, 8, 9)] == [32, 40, 40, 48]


@given(data=st.binary(max_size=80))
def test_bytes_are_a_program_or_a_named_error(data: bytes) -> None:
    try:
        program = BpfProgram.unpack(data)
    except SerializerError:
        assert len(data) % 8
        return
    assert program.pack() == data
    assert BpfProgram.unpack(program.pack()) == program


def test_an_instruction_is_as_large_as_the_headers_say() -> None:
    size = c_values(("linux/bpf.h",), ("sizeof(struct bpf_insn)",))["sizeof(struct bpf_insn)"]
    assert len(BpfInsn.leave().pack()) == size
    with pytest.raises(SerializerError):
        BpfInsn.unpack(bytes(size + 1))


def test_jumps_go_to_their_labels() -> None:
    program = BpfProgram.assemble(
        "start",
        BpfInsn.jump("r1", "s>", "r2", "end"),
        BpfInsn.load_64("r3", 0x8000000012345678),
        BpfInsn.goto("start"),
        "end",
        BpfInsn.alu("r0", "-", 1, bits=32),
        BpfInsn.store(1, "r10", -1, "r0"),
        BpfInsn.leave(),
    )
    assert [one.off for one in program.instructions[:4]] == [3, 0, 0, -4]
    assert [one.imm for one in program.instructions[1:3]] == [0x12345678, -(2**31)]


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (["a", "a"], "two labels 'a'"),
        ([BpfInsn.goto("a")], "no label 'a'"),
    ],
)
def test_labels_that_are_wrong_are_refused(parts: list[BpfInsn | str], why: str) -> None:
    with pytest.raises(BpfProgramError, match=why):
        BpfProgram.assemble(*parts)


def test_operands_that_are_wrong_are_refused() -> None:
    with pytest.raises(BpfProgramError, match="no register"):
        BpfInsn.alu("r11", "=", 1)
    with pytest.raises(BpfProgramError, match="no operator"):
        BpfInsn.alu("r1", "==", 1)
    with pytest.raises(BpfProgramError, match="no size"):
        BpfInsn.load(3, "r1", "r2")
    with pytest.raises(BpfProgramError, match="use assemble"):
        BpfProgram((BpfInsn.goto("a"),)).pack()
    with pytest.raises(ArgumentRangeError, match="off"):
        BpfInsn.load(8, "r1", "r2", 2**15).pack()


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (LsmCtx(-1, b""), "id"),
        (LsmCtx(101, b"", 2**64), "flags"),
        (LsmCtx(101, b"", room=-1), "room"),
    ],
)
def test_numbers_that_no_context_has_are_refused(wrong: LsmCtx, what: str) -> None:
    with pytest.raises(ArgumentRangeError, match=what):
        wrong.pack()


def test_a_number_that_would_become_another_one_is_refused() -> None:
    for made in (
        lambda: BpfInsn.alu("r0", "=", 2**31),
        lambda: BpfInsn.jump("r0", "==", 2**32 - 1, "there"),
        lambda: BpfInsn.store(8, "r10", -8, 2**31),
        lambda: BpfInsn.load_64("r0", 2**64),
        lambda: BpfInsn.load_64("r0", -(2**63) - 1),
    ):
        with pytest.raises(ArgumentRangeError):
            made()
    assert BpfInsn.alu("r0", "=", 2**32 - 1, bits=32).imm == -1
    assert BpfInsn.store(4, "r10", -8, 2**32 - 1).imm == -1
    with pytest.raises(BpfProgramError, match="bits"):
        BpfInsn.alu("r0", "=", 1, bits=16)


@given(found=st.lists(st.builds(IoUringProbeOp, st.integers(0, 255), st.integers(0, 65535))))
def test_a_probe_becomes_bytes_and_the_same_again(found: list[IoUringProbeOp]) -> None:
    values = tuple(IoUringProbeOp.unpack(one.pack()) for one in found)
    assert unpack_probe(pack_probe(values)) == values


@given(data=st.binary(max_size=60))
def test_bytes_are_a_probe_or_a_named_error(data: bytes) -> None:
    try:
        found = unpack_probe(data)
    except SerializerError:
        return
    assert unpack_probe(pack_probe(found)) == found


def test_too_many_operations_are_refused() -> None:
    with pytest.raises(SerializerError, match="probe"):
        pack_probe((IoUringProbeOp(),) * 256)
