"""``<linux/acct.h>``: what ``acct(2)`` has written of each process that has ended."""

from __future__ import annotations

import struct
from enum import IntFlag
from typing import ClassVar, Final

from rsyscall_ns.near.errors import SerializerError

from .layout import CStruct, c_struct, chars, u8, u16, u32

__all__ = ["ACCT", "AcctV3", "acct_records", "comp_t"]

VERSION: Final = 3
_FRACTION: Final = 13  # bits of a comp_t; the others are an exponent of 8
_FLOAT: Final = struct.Struct("<f")


class ACCT(IntFlag):
    """The flags of a record: ``AFORK`` and so on, without the A. ``FORK``: it did not exec."""

    NONE = 0
    FORK = 1
    SU = 2
    COMPAT = 4
    CORE = 8
    XSIG = 0x10
    GROUP = 0x20


@c_struct
class AcctV3(CStruct):
    """``struct acct_v3``: one process. ``btime``: when it began, in seconds since 1970.

    What is counted is a number of the kernel's own form, which ``comp_t`` reads; times in 1/100 s.
    """

    C_NAME: ClassVar = "struct acct_v3"
    C_HEADER: ClassVar = "linux/acct.h"
    flag: ACCT = u8(ACCT, c_name="ac_flag")
    version: int = u8(c_name="ac_version")
    tty: int = u16(c_name="ac_tty")
    exitcode: int = u32(c_name="ac_exitcode")
    uid: int = u32(c_name="ac_uid")
    gid: int = u32(c_name="ac_gid")
    pid: int = u32(c_name="ac_pid")
    ppid: int = u32(c_name="ac_ppid")
    btime: int = u32(c_name="ac_btime")
    etime: int = u32(c_name="ac_etime")  # the bits of a float: see elapsed
    utime: int = u16(c_name="ac_utime")
    stime: int = u16(c_name="ac_stime")
    mem: int = u16(c_name="ac_mem")
    io: int = u16(c_name="ac_io")
    rw: int = u16(c_name="ac_rw")
    minflt: int = u16(c_name="ac_minflt")
    majflt: int = u16(c_name="ac_majflt")
    swaps: int = u16(c_name="ac_swaps")
    comm: bytes = chars(16, c_name="ac_comm")

    @property
    def elapsed(self) -> float:
        """How long it has run, in 1/100 s."""
        (found,) = _FLOAT.unpack(self.etime.to_bytes(4, "little"))
        return float(found)

    @property
    def command(self) -> bytes:
        """What it was called."""
        return self.comm.split(b"\0", 1)[0]


def comp_t(value: int) -> int:
    """Return the number that a ``comp_t`` stands for."""
    return (value & (1 << _FRACTION) - 1) << 3 * (value >> _FRACTION)


def acct_records(data: bytes) -> list[AcctV3]:
    """Return the records of a file; half a one, or one of another version, is refused."""
    size = AcctV3.sizeof()
    if len(data) % size:
        raise SerializerError("records of accounting", -(-len(data) // size) * size, len(data))
    found = [AcctV3.unpack(data[at : at + size]) for at in range(0, len(data), size)]
    for record in found:
        if record.version != VERSION:
            why = f"has the version {record.version}, not {VERSION}"
            raise SerializerError.malformed("a record of accounting", why)
    return found
