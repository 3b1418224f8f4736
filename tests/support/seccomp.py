"""Filters that a steered child puts on itself, as container engines do."""

from __future__ import annotations

import struct
from errno import ENOSYS
from typing import Final

from rsyscall_ns import BYTES, SYS, Task
from rsyscall_ns.near.abi.prctl_h import PR

__all__ = ["answer_with_enosys"]

PR_SET_SECCOMP: Final = 22
MODE_FILTER: Final = 2
LOAD_NUMBER: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS, at offset 0
JUMP_IF_EQUAL: Final = 0x15
RETURN: Final = 0x06
ALLOW: Final = 0x7FFF0000
ERRNO: Final = 0x00050000


async def answer_with_enosys(child: Task, number: int) -> None:
    """Have the kernel answer ``number`` with ENOSYS in this child and all that it makes."""
    code = b"".join(
        struct.pack("<HBBI", *step)
        for step in (
            (LOAD_NUMBER, 0, 0, 0),
            (JUMP_IF_EQUAL, 0, 1, number),
            (RETURN, 0, 0, ERRNO | ENOSYS),
            (RETURN, 0, 0, ALLOW),
        )
    )
    steps = await child.ptr(code, BYTES)
    program = await child.ptr(struct.pack("<HxxxxxxQ", 4, steps.near.value), BYTES)
    assert await child.sysif.call(SYS.prctl, PR.SET_NO_NEW_PRIVS, 1) == 0
    assert await child.sysif.call(SYS.prctl, PR_SET_SECCOMP, MODE_FILTER, program.near.value) == 0
    steps.free()
    program.free()
