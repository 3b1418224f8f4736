"""Structs that Python packs and unpacks have the layout that the C compiler gives them."""

from __future__ import annotations

import struct

import pytest

from rsyscall_ns import Siginfo
from rsyscall_ns.near.abi import capability_block
from rsyscall_ns.near.abi.sched_h import clone_args
from rsyscall_ns.near.abi.signal_h import (
    SIG_IGN,
    SIGACTION,
    pack_sigaction,
    pack_sigset,
    unpack_sigset,
)
from rsyscall_ns.near.abi.wait_h import SIGINFO_SIZE, ChildState
from rsyscall_ns.near.errors import ArgumentRangeError
from rsyscall_ns.near.program import OP
from rsyscall_ns.transport import doorbell, scratch
from tests.meta.tree import ROOT
from tests.support.cheaders import c_values

WIRE = ROOT / "ffi" / "server"


def layout(header: str, type_: str, *fields: str) -> tuple[int, list[int]]:
    """Return a C type's size and its fields' offsets."""
    wanted = [f"sizeof({type_})", *(f"offsetof({type_}, {field})" for field in fields)]
    size, *offsets = c_values((header,), wanted).values()
    return size, offsets


def test_siginfo_has_its_fields_where_waitid_writes_them() -> None:
    fields = ("si_signo", "si_errno", "si_code", "si_pid", "si_uid", "si_status")

    size, offsets = layout("signal.h", "siginfo_t", *fields)

    packed = Siginfo(1, 2, 3, 4, 5, 6).pack()
    assert len(packed) == size == SIGINFO_SIZE
    assert [struct.unpack_from("<i", packed, offset)[0] for offset in offsets] == [1, 2, 3, 4, 5, 6]


def test_siginfo_survives_the_way_into_bytes_and_back() -> None:
    value = Siginfo(17, 0, 1, 2**31 - 1, 2**32 - 1, -1)

    assert Siginfo.unpack(value.pack()) == value


def test_clone_args_are_the_kernels_struct() -> None:
    fields = [
        "flags",
        "pidfd",
        "child_tid",
        "parent_tid",
        "exit_signal",
        "stack",
        "stack_size",
        "tls",
        "set_tid",
    ]
    size, offsets = layout("linux/sched.h", "struct clone_args", *fields, "set_tid_size", "cgroup")

    packed = clone_args(
        flags=1,
        pidfd=2,
        child_tid=3,
        parent_tid=4,
        exit_signal=5,
        stack=6,
        stack_size=7,
        tls=8,
        cgroup=11,
    )

    assert len(packed) == size
    values = [struct.unpack_from("<Q", packed, offset)[0] for offset in offsets]
    assert values == [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 11]


def test_sigaction_is_the_kernels_and_not_the_c_librarys_struct() -> None:
    size, offsets = layout(
        "asm/signal.h", "struct sigaction", "sa_handler", "sa_flags", "sa_restorer", "sa_mask"
    )

    assert size == SIGACTION.size
    packed = SIGACTION.pack(1, 2, 3, 4)
    assert [struct.unpack_from("<Q", packed, offset)[0] for offset in offsets] == [1, 2, 3, 4]
    assert len(pack_sigaction(SIG_IGN)) == size


def test_capability_data_holds_the_effective_set_where_the_kernel_writes_it() -> None:
    _, (effective,) = layout("linux/capability.h", "struct __user_cap_data_struct", "effective")
    header, _ = layout("linux/capability.h", "struct __user_cap_header_struct")
    size, _ = layout("linux/capability.h", "struct __user_cap_data_struct")

    block = bytearray(capability_block.capability_header())
    assert len(block) == header + 2 * size
    struct.pack_into("<I", block, header + effective, 0xAAAA)
    struct.pack_into("<I", block, header + size + effective, 0xBBBB)
    assert capability_block.effective_set(bytes(block)) == 0xBBBB_0000_AAAA


def test_the_message_of_a_doorbell_is_a_msghdr_with_an_iovec_and_a_cmsg() -> None:
    fields = ("msg_name", "msg_namelen", "msg_iov", "msg_iovlen", "msg_control")
    size, offsets = layout("sys/socket.h", "struct msghdr", *fields, "msg_controllen", "msg_flags")
    cmsg, cmsg_offsets = layout(
        "sys/socket.h", "struct cmsghdr", "cmsg_len", "cmsg_level", "cmsg_type"
    )
    space = c_values(("sys/socket.h",), ("CMSG_SPACE(4)", "CMSG_LEN(4)"))

    assert doorbell.MSGHDR.size == size
    assert space["CMSG_SPACE(4)"] == doorbell.CONTROL_SIZE
    block = doorbell.message(0x1000, 77)
    name, length, iov, count, control, room, flags = (
        struct.unpack_from("<Q" if place in {0, 2, 3, 4, 5} else "<I", block, offset)[0]
        for place, offset in enumerate(offsets)
    )
    assert (name, length, count, room, flags) == (0, 0, 1, space["CMSG_SPACE(4)"], 0)
    assert struct.unpack_from("<QQ", block, iov - 0x1000)[1] == 1  # one byte of data
    at = control - 0x1000
    assert at + room == doorbell.MESSAGE_SIZE == len(block)
    assert struct.unpack_from("<Q", block, at + cmsg_offsets[0])[0] == space["CMSG_LEN(4)"]
    assert struct.unpack_from("<i", block, at + cmsg)[0] == 77
    assert doorbell.control_fd(block) == 77


def test_a_message_that_brought_no_fd_has_none() -> None:
    assert doorbell.control_fd(doorbell.message(0x1000, -1)) is None


def test_a_step_of_a_program_is_the_servers_struct() -> None:
    fields = ("kind", "flags", "refs", "number", "args", "reserved1")
    wanted = [
        "sizeof(struct rs_op)",
        *(f"offsetof(struct rs_op, {field})" for field in fields),
        "offsetof(struct rs_op, args[2])",
    ]
    size, kind, flags, refs, number, args, last, third = c_values(
        ("wire.h",), wanted, include=WIRE
    ).values()

    packed = OP.pack(1, 2, 4, 0x01020304, *range(10, 16), 99)

    assert len(packed) == size == OP.size
    assert (packed[kind], packed[flags], packed[refs]) == (1, 2, 4)
    assert struct.unpack_from("<I", packed, number) == (0x01020304,)
    assert struct.unpack_from("<6Q", packed, args) == tuple(range(10, 16))
    assert struct.unpack_from("<Q", packed, last) == (99,)
    assert third == scratch.THIRD_ARGUMENT
    assert c_values(("wire.h",), ("sizeof(int64_t)",), include=WIRE)["sizeof(int64_t)"] == 8
    assert scratch.WORD.size == 8


def test_a_signal_set_has_one_bit_for_each_signal() -> None:
    assert pack_sigset([1, 64]) == bytes((1, 0, 0, 0, 0, 0, 0, 0x80))
    assert unpack_sigset(pack_sigset(range(1, 65))) == frozenset(range(1, 65))
    for number in (0, 65):
        with pytest.raises(ArgumentRangeError, match="signal"):
            pack_sigset([number])


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "exited with status 0"),
        (3 << 8, "exited with status 3"),
        (9, "was killed by SIGKILL"),
        (0x80 | 11, "dumped core after SIGSEGV"),
    ],
)
def test_a_wait_status_word_becomes_the_state_that_waitid_tells(status: int, text: str) -> None:
    assert str(ChildState.from_wait_status(1, 0, status)) == text
