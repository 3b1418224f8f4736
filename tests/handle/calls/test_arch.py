"""``task.arch_prctl``."""

from __future__ import annotations

import os
from errno import EINVAL, ENODEV, EOPNOTSUPP

import pytest

from rsyscall_ns import (
    ARCH_SHSTK,
    UINT64,
    ArgumentRangeError,
    MissingCallError,
    Task,
    TaskNeedsError,
)
from rsyscall_ns.near.ids import Address

IS_X86 = os.uname().machine == "x86_64"
only_x86 = pytest.mark.skipif(not IS_X86, reason="aarch64 has no arch_prctl")
X87_AND_SSE = 3


@pytest.mark.skipif(IS_X86, reason="x86_64 has arch_prctl")
async def test_another_machine_lacks_the_call(task: Task) -> None:
    with pytest.raises(MissingCallError, match="arch_prctl"):
        await task.arch_prctl.get_fs()


@only_x86
async def test_a_child_has_the_segments_of_our_thread(task: Task, local: Task) -> None:
    ours = await local.arch_prctl.get_fs()
    own_program = "memfd:" in await task.fs.readlink("/proc/self/exe")
    assert await task.arch_prctl.get_fs() == (Address(0) if own_program else ours)
    assert ours.value != 0
    assert (await task.arch_prctl.get_gs()).value == 0


@only_x86
async def test_words_are_filled_in_where_they_are_asked_to_be(task: Task) -> None:
    word, arch = await task.malloc(UINT64), task.arch_prctl

    assert Address((await arch.get_fs(into=word)).peek()) == await arch.get_fs()
    assert Address((await arch.get_gs(into=word)).peek()) == await arch.get_gs()
    assert (await arch.get_xcomp_supp(into=word)).peek() == await arch.get_xcomp_supp()
    assert (await arch.get_xcomp_perm(into=word)).peek() == await arch.get_xcomp_perm()

    word.free()


@only_x86
async def test_the_cpuid_instruction_is_forbidden_where_the_processor_can(child: Task) -> None:
    assert await child.arch_prctl.get_cpuid()
    try:
        await child.arch_prctl.set_cpuid(False)
    except OSError as error:
        assert error.errno == ENODEV  # noqa: PT017 - of a processor that can't
        assert await child.arch_prctl.get_cpuid()
        return
    assert not await child.arch_prctl.get_cpuid()
    await child.arch_prctl.set_cpuid(True)
    assert await child.arch_prctl.get_cpuid()


@only_x86
async def test_the_interpreter_keeps_the_cpuid_instruction(local: Task) -> None:
    with pytest.raises(TaskNeedsError, match="set_cpuid"):
        await local.arch_prctl.set_cpuid(False)
    assert await local.arch_prctl.get_cpuid()


@only_x86
async def test_states_of_the_processor_are_told(task: Task) -> None:
    known, allowed = await task.arch_prctl.get_xcomp_supp(), await task.arch_prctl.get_xcomp_perm()

    assert known & allowed & X87_AND_SSE == X87_AND_SSE
    assert allowed & ~known == 0


@only_x86
async def test_a_state_that_the_kernel_lacks_is_not_given(child: Task) -> None:
    with pytest.raises(OSError, match=r"\[arch_prctl\(2\)") as refused:
        await child.arch_prctl.req_xcomp_perm(63)
    assert refused.value.errno in {EINVAL, EOPNOTSUPP}
    with pytest.raises(ArgumentRangeError, match="feature"):
        await child.arch_prctl.req_xcomp_perm(64)


@only_x86
async def test_tags_of_addresses_are_told_or_unknown(task: Task) -> None:
    try:
        bits = await task.arch_prctl.get_max_tag_bits()
    except OSError as error:
        assert error.errno in {EINVAL, ENODEV}  # noqa: PT017 - of a kernel that has none
        with pytest.raises(OSError, match=r"\[arch_prctl\(2\)"):
            await task.arch_prctl.get_untag_mask()
        return
    assert 0 <= bits <= 15
    assert await task.arch_prctl.get_untag_mask() >> 48


@only_x86
async def test_nobody_here_has_a_shadow_stack(child: Task) -> None:
    try:
        assert await child.arch_prctl.shstk_status() == ARCH_SHSTK.NONE
    except OSError as error:
        assert error.errno == EINVAL  # noqa: PT017 - of a kernel that has none
