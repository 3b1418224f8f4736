"""The structs of ``<linux/io_uring.h>``."""

from __future__ import annotations

from typing import ClassVar, Final

from rsyscall_ns.near.errors import SerializerError

from .io_uring_h import (
    IO_URING_OP_SUPPORTED,
    IORING_CQE_F,
    IORING_FEAT,
    IORING_OP,
    IORING_SETUP,
    IOSQE,
)
from .layout import CStruct, c_struct, i32, nested, u8, u16, u32, u64

__all__ = [
    "IoCqringOffsets",
    "IoSqringOffsets",
    "IoUringCqe",
    "IoUringFilesUpdate",
    "IoUringGeteventsArg",
    "IoUringParams",
    "IoUringProbeOp",
    "IoUringSqe",
    "pack_probe",
    "unpack_probe",
]

HEADER: Final = "linux/io_uring.h"
PROBE_HEAD: Final = 16  # bytes before the entries of struct io_uring_probe
MOST_OPS: Final = 256


@c_struct
class IoSqringOffsets(CStruct):
    """``struct io_sqring_offsets``: where in its mapping the ring of submissions has what."""

    C_NAME: ClassVar = "struct io_sqring_offsets"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"user_addr"})
    head: int = u32()
    tail: int = u32()
    ring_mask: int = u32()
    ring_entries: int = u32()
    flags: int = u32()
    dropped: int = u32()
    array: int = u32(then=4)
    user_addr: int = u64()


@c_struct
class IoCqringOffsets(CStruct):
    """``struct io_cqring_offsets``: where in its mapping the ring of completions has what."""

    C_NAME: ClassVar = "struct io_cqring_offsets"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"user_addr"})
    head: int = u32()
    tail: int = u32()
    ring_mask: int = u32()
    ring_entries: int = u32()
    overflow: int = u32()
    cqes: int = u32()
    flags: int = u32(then=4)
    user_addr: int = u64()


@c_struct
class IoUringParams(CStruct):
    """``struct io_uring_params``: what was asked for, and what there is."""

    C_NAME: ClassVar = "struct io_uring_params"
    C_HEADER: ClassVar = HEADER
    sq_entries: int = u32()
    cq_entries: int = u32()
    flags: IORING_SETUP = u32(IORING_SETUP)
    sq_thread_cpu: int = u32()
    sq_thread_idle: int = u32()
    features: IORING_FEAT = u32(IORING_FEAT)
    wq_fd: int = u32(then=12)
    sq_off: IoSqringOffsets = nested(IoSqringOffsets)
    cq_off: IoCqringOffsets = nested(IoCqringOffsets)


@c_struct
class IoUringSqe(CStruct):
    """``struct io_uring_sqe``: an operation. ``op_flags``, ``addr`` ...: what each means by them.

    The makers in ``io_uring_sqes`` fill it in for the common operations.
    """

    C_NAME: ClassVar = "struct io_uring_sqe"
    C_HEADER: ClassVar = HEADER
    opcode: IORING_OP = u8(IORING_OP)
    flags: IOSQE = u8(IOSQE)
    ioprio: int = u16()
    fd: int = i32(default=-1)
    off: int = u64()
    addr: int = u64()
    len: int = u32()
    op_flags: int = u32(c_name="rw_flags")
    user_data: int = u64()
    buf_index: int = u16()
    personality: int = u16()
    file_index: int = u32()
    addr3: int = u64(then=8)


@c_struct
class IoUringCqe(CStruct):
    """``struct io_uring_cqe``: what became of an operation. ``res``: as of the call, or -errno."""

    C_NAME: ClassVar = "struct io_uring_cqe"
    C_HEADER: ClassVar = HEADER
    user_data: int = u64()
    res: int = i32()
    flags: IORING_CQE_F = u32(IORING_CQE_F)


@c_struct
class IoUringGeteventsArg(CStruct):
    """``struct io_uring_getevents_arg``: for how long, and with which signals, is waited."""

    C_NAME: ClassVar = "struct io_uring_getevents_arg"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"min_wait_usec"})
    sigmask: int = u64()
    sigmask_sz: int = u32()
    min_wait_usec: int = u32()
    ts: int = u64()


@c_struct
class IoUringFilesUpdate(CStruct):
    """``struct io_uring_rsrc_update``: from which place on registered files are replaced."""

    C_NAME: ClassVar = "struct io_uring_rsrc_update"
    C_HEADER: ClassVar = HEADER
    offset: int = u32(then=4)
    data: int = u64()


@c_struct
class IoUringProbeOp(CStruct):
    """``struct io_uring_probe_op``: whether the kernel has an operation."""

    C_NAME: ClassVar = "struct io_uring_probe_op"
    C_HEADER: ClassVar = HEADER
    op: IORING_OP = u8(IORING_OP, then=1)
    flags: int = u16(then=4)

    @property
    def supported(self) -> bool:
        """Whether the kernel has it."""
        return bool(self.flags & IO_URING_OP_SUPPORTED)


def unpack_probe(data: bytes) -> tuple[IoUringProbeOp, ...]:
    """Return what a ``struct io_uring_probe`` says; raises SerializerError if it is cut off."""
    if len(data) < PROBE_HEAD:
        raise SerializerError("struct io_uring_probe", PROBE_HEAD, len(data), least=True)
    size = IoUringProbeOp.sizeof()
    end = PROBE_HEAD + data[1] * size
    if len(data) < end:
        raise SerializerError(f"a probe of {data[1]} operations", end, len(data), least=True)
    parts = range(PROBE_HEAD, end, size)
    return tuple(IoUringProbeOp.unpack(data[at : at + size]) for at in parts)


def pack_probe(found: tuple[IoUringProbeOp, ...]) -> bytes:
    """Return the ``struct io_uring_probe`` of up to 255 operations."""
    if len(found) >= MOST_OPS:
        raise SerializerError("struct io_uring_probe", MOST_OPS - 1, len(found))
    last = found[-1].op if found else 0
    head = bytes((last, len(found)))
    return head + bytes(PROBE_HEAD - 2) + b"".join(one.pack() for one in found)
