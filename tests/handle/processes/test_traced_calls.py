"""Tracing a program through its system calls, and by single instructions."""

from __future__ import annotations

from errno import ENOTTY

import pytest

from rsyscall_ns import (
    SIG,
    SYS,
    PtraceSyscallEntry,
    PtraceSyscallExit,
    Task,
    Traced,
    TraceStop,
)
from rsyscall_ns.near.ids import Address
from tests.support.tracing import calls_of, stop_of, traced_program


async def test_a_program_is_traced_through_its_system_calls(task: Task) -> None:
    calls: list[tuple[int, int]] = []

    async def body(traced: Traced) -> None:
        await traced.syscall()
        calls.extend(await calls_of(traced))

    assert await traced_program(task, "exec /bin/true", body) == 0

    numbers = [number for number, _ in calls]
    assert (SYS.execve, 0) in calls
    assert SYS.openat in numbers[numbers.index(SYS.execve) :]  # its loader looks for the C library


async def test_a_system_call_gets_another_result(task: Task) -> None:
    async def body(traced: Traced) -> None:
        await traced.syscall()
        entered = False
        while isinstance(stop := await traced.wait(), TraceStop):
            if stop.syscall:
                info = await traced.get_syscall_info()
                if isinstance(info, PtraceSyscallEntry):
                    entered = info.nr == SYS.chdir
                    assert not entered or await path_at(traced, info.args[0]) == b"/proc"
                elif entered and isinstance(info, PtraceSyscallExit):
                    assert info.rval == 0
                    refused = PtraceSyscallExit(arch=info.arch, rval=-ENOTTY, is_error=1)
                    try:
                        await traced.set_syscall_info(refused)
                    except OSError:
                        pytest.skip("the kernel can't set system calls, which came with Linux 6.16")
            await traced.syscall()

    assert await traced_program(task, "cd /proc || exit 7; exit 0", body) == 7


async def path_at(traced: Traced, address: int) -> bytes:
    """Read a short string at a word's boundary or near it."""
    text = b""
    while b"\0" not in text:
        word = await traced.peekdata(Address(address + len(text)))
        text += word.to_bytes(8, "little")
    return text.split(b"\0", 1)[0]


async def test_one_instruction_is_made(task: Task) -> None:
    places: set[int] = set()

    async def body(traced: Traced) -> None:
        while len(places) < 3:
            await traced.singlestep()
            if await stop_of(traced) == TraceStop(SIG.TRAP):
                places.add((await traced.getregs()).pc)

    assert await traced_program(task, "exit 3", body) == 3
