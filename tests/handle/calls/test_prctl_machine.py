"""``task.prctl``: the processor."""

from __future__ import annotations

import os
from errno import EINVAL, ENODEV, ENXIO, EPERM

import pytest

from rsyscall_ns import (
    PR_MCE_KILL,
    PR_MTE,
    PR_SPEC,
    PR_SPEC_KIND,
    PR_TSC,
    ArgumentRangeError,
    ForGoodError,
    Task,
    TaskNeedsError,
)

IS_X86 = os.uname().machine == "x86_64"
only_x86 = pytest.mark.skipif(not IS_X86, reason="only x86 has such a counter")
x86_lacks_it = pytest.mark.skipif(not IS_X86, reason="the processor may have it")


@only_x86
async def test_the_time_stamp_counter_stays_readable(task: Task) -> None:
    assert await task.prctl.get_tsc() == PR_TSC.ENABLE

    await task.prctl.set_tsc(PR_TSC.ENABLE)
    with pytest.raises(TaskNeedsError, match="before="):
        await task.prctl.set_tsc(PR_TSC.SIGSEGV)

    assert await task.prctl.get_tsc() == PR_TSC.ENABLE


@pytest.mark.parametrize("kind", PR_SPEC_KIND)
async def test_speculation_is_set_where_it_can_be(child: Task, kind: PR_SPEC_KIND) -> None:
    try:
        state = await child.prctl.get_speculation_ctrl(kind)
    except OSError as error:
        assert error.errno == ENODEV  # noqa: PT017 - the kernel need not know
        return
    if state & PR_SPEC.PRCTL and state & PR_SPEC.ENABLE:
        await child.prctl.set_speculation_ctrl(kind, PR_SPEC.DISABLE)
        assert await child.prctl.get_speculation_ctrl(kind) == PR_SPEC.PRCTL | PR_SPEC.DISABLE
        return
    with pytest.raises(OSError, match=r"\[prctl\(2\)") as refused:
        await child.prctl.set_speculation_ctrl(kind, PR_SPEC.DISABLE)
    assert refused.value.errno in {ENXIO, EPERM}


async def test_the_interpreter_does_not_give_up_speculation_for_good(local: Task) -> None:
    before = await local.prctl.get_speculation_ctrl(PR_SPEC_KIND.STORE_BYPASS)
    with pytest.raises(ForGoodError, match="FORCE_DISABLE"):
        await local.prctl.set_speculation_ctrl(PR_SPEC_KIND.STORE_BYPASS, PR_SPEC.FORCE_DISABLE)
    assert await local.prctl.get_speculation_ctrl(PR_SPEC_KIND.STORE_BYPASS) == before


async def test_what_broken_memory_does_is_set_and_cleared(child: Task) -> None:
    assert await child.prctl.mce_kill_get() == PR_MCE_KILL.DEFAULT

    for policy in (PR_MCE_KILL.EARLY, PR_MCE_KILL.LATE):
        await child.prctl.mce_kill(policy)
        assert await child.prctl.mce_kill_get() == policy
    await child.prctl.mce_kill_clear()

    assert await child.prctl.mce_kill_get() == PR_MCE_KILL.DEFAULT


@x86_lacks_it
async def test_what_only_aarch64_has_is_an_error_elsewhere(task: Task) -> None:
    prctl = task.prctl
    for missing in (
        prctl.sve_get_vl(),
        prctl.sve_set_vl(16),
        prctl.sme_get_vl(),
        prctl.sme_set_vl(16),
        prctl.pac_get_enabled_keys(),
        prctl.get_shadow_stack_status(),
    ):
        with pytest.raises(OSError, match=r"\[prctl\(2\)") as refused:
            await missing
        assert refused.value.errno == EINVAL


@x86_lacks_it
async def test_addresses_have_no_tags_by_prctl_on_x86(task: Task) -> None:
    with pytest.raises(OSError, match=r"\[prctl\(2\)"):
        await task.prctl.get_tagged_addr_ctrl()
    with pytest.raises(OSError, match=r"\[prctl\(2\)"):
        await task.prctl.set_tagged_addr_ctrl(PR_MTE.TAGGED_ADDR_ENABLE)


async def test_a_length_that_no_vector_has_is_refused(task: Task) -> None:
    for refused in (task.prctl.sve_set_vl(2**16), task.prctl.sme_set_vl(-1)):
        with pytest.raises(ArgumentRangeError, match="length of vectors"):
            await refused
