"""``task.prctl``: what the process may do, and who may do what with it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from rsyscall_ns import (
    CAP,
    CLONE,
    SECBIT,
    SECCOMP_MODE,
    SIG,
    SUID_DUMP,
    ArgumentRangeError,
    Capabilities,
    ForGoodError,
    Process,
    Task,
    ThreadCredentialsError,
    filter_calls,
)
from rsyscall_ns.near import ids
from tests.support.children import status_field

CHOWN = CAP.CHOWN
UNKNOWN = CAP(1 << 60)


@pytest.fixture(params=["our memory", "own memory"])
async def inside(request: pytest.FixtureRequest, local: Task) -> AsyncGenerator[Task, None]:
    """Make a child that is root in a user namespace."""
    own = request.param == "own memory"
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True, own_memory=own) as made:
        yield made


async def test_the_signal_of_a_parent_s_death_is_what_was_set(task: Task) -> None:
    before = await task.prctl.get_pdeathsig()
    if not task.sysif.same_thread:
        assert before == SIG.KILL

    await task.prctl.set_pdeathsig(SIG.USR1)
    assert await task.prctl.get_pdeathsig() == SIG.USR1
    await task.prctl.set_pdeathsig(before)

    assert await task.prctl.get_pdeathsig() == before


async def test_there_is_no_signal_65(task: Task) -> None:
    with pytest.raises(ArgumentRangeError, match="signal"):
        await task.prctl.set_pdeathsig(65)


async def test_memory_is_closed_to_others_and_open_again(local: Task) -> None:
    async with local.spawn(own_memory=True) as child:
        assert await child.prctl.get_dumpable() == SUID_DUMP.USER

        await child.prctl.set_dumpable(SUID_DUMP.DISABLE)

        assert await child.prctl.get_dumpable() == SUID_DUMP.DISABLE
        await child.prctl.set_dumpable(SUID_DUMP.USER)
    assert await local.prctl.get_dumpable() == SUID_DUMP.USER


async def test_memory_is_not_opened_for_root_alone(task: Task) -> None:
    with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):
        await task.prctl.set_dumpable(SUID_DUMP.ROOT)


async def test_new_privileges_are_given_up_for_good(local: Task, child: Task) -> None:
    before = await local.prctl.get_no_new_privs()

    await child.prctl.set_no_new_privs()

    assert await child.prctl.get_no_new_privs()
    assert status_field(child.process.near.id, "NoNewPrivs") == "1"
    with pytest.raises(ForGoodError, match="set_no_new_privs"):
        await local.prctl.set_no_new_privs()
    assert await local.prctl.get_no_new_privs() == before


async def test_a_filter_of_system_calls_is_told(child: Task) -> None:
    assert await child.prctl.get_seccomp() in {SECCOMP_MODE.DISABLED, SECCOMP_MODE.FILTER}

    await child.seccomp.set_mode_filter(filter_calls({}))

    assert await child.prctl.get_seccomp() == SECCOMP_MODE.FILTER


async def test_capabilities_are_kept_by_who_asks_for_it(inside: Task) -> None:
    assert not await inside.prctl.get_keepcaps()

    await inside.prctl.set_keepcaps(True)

    assert await inside.prctl.get_keepcaps()
    assert await inside.prctl.get_securebits() == SECBIT.KEEP_CAPS
    await inside.prctl.set_keepcaps(False)
    assert not await inside.prctl.get_keepcaps()


async def test_securebits_are_set_and_locked(inside: Task) -> None:
    assert await inside.prctl.get_securebits() == SECBIT.NONE
    locked = SECBIT.KEEP_CAPS_LOCKED | SECBIT.NOROOT

    await inside.prctl.set_securebits(locked)

    assert await inside.prctl.get_securebits() == locked
    with pytest.raises(PermissionError, match="prctl"):
        await inside.prctl.set_keepcaps(True)
    with pytest.raises(PermissionError, match="prctl"):
        await inside.prctl.set_securebits(SECBIT.NONE)


async def test_a_capability_leaves_the_bounding_set_for_good(inside: Task) -> None:
    assert await inside.prctl.capbset_read(CHOWN)

    await inside.prctl.capbset_drop(CHOWN)

    assert not await inside.prctl.capbset_read(CHOWN)
    assert not int(status_field(inside.process.near.id, "CapBnd"), 16) & CHOWN
    assert await inside.prctl.capbset_read(CAP.KILL)


async def test_who_has_no_capability_drops_none(inside: Task) -> None:
    await inside.cred.capset(Capabilities())

    with pytest.raises(PermissionError, match="prctl"):
        await inside.prctl.capbset_drop(CHOWN)
    with pytest.raises(PermissionError, match="prctl"):
        await inside.prctl.set_securebits(SECBIT.NOROOT)


async def test_the_bounding_set_is_told_as_the_kernel_shows_it(task: Task) -> None:
    shown = int(status_field(task.process.near.id, "CapBnd"), 16)

    for capability in CAP:
        assert await task.prctl.capbset_read(capability) == bool(shown & capability)


async def test_a_capability_that_the_kernel_does_not_know_is_an_error(task: Task) -> None:
    for refused in (
        task.prctl.capbset_read(UNKNOWN),
        task.prctl.cap_ambient_is_set(UNKNOWN),
    ):
        with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):
            await refused


async def test_one_capability_is_asked_for_at_a_time(task: Task) -> None:
    with pytest.raises(ArgumentRangeError, match="capabilities is 2"):
        await task.prctl.capbset_read(CAP.CHOWN | CAP.KILL)


async def test_an_ambient_capability_is_raised_and_lowered(inside: Task) -> None:
    prctl = inside.prctl
    with pytest.raises(PermissionError, match="prctl"):
        await prctl.cap_ambient_raise(CHOWN)  # it is not inheritable
    had = await inside.cred.capget()
    both = CHOWN | CAP.KILL
    await inside.cred.capset(Capabilities(had.effective, had.permitted, both))

    await prctl.cap_ambient_raise(CHOWN)
    await prctl.cap_ambient_raise(CAP.KILL)
    assert int(status_field(inside.process.near.id, "CapAmb"), 16) == both
    await prctl.cap_ambient_lower(CHOWN)
    assert not await prctl.cap_ambient_is_set(CHOWN)
    assert await prctl.cap_ambient_is_set(CAP.KILL)
    await prctl.cap_ambient_clear_all()

    assert not await prctl.cap_ambient_is_set(CAP.KILL)


async def test_one_thread_of_the_interpreter_keeps_its_rights(local: Task) -> None:
    prctl = local.prctl
    for refused in (
        prctl.set_keepcaps(True),
        prctl.set_securebits(SECBIT.NONE),
        prctl.capbset_drop(CHOWN),
        prctl.cap_ambient_raise(CHOWN),
        prctl.cap_ambient_lower(CHOWN),
        prctl.cap_ambient_clear_all(),
    ):
        with pytest.raises(ThreadCredentialsError, match="would change one thread"):
            await refused


async def test_a_tracer_is_named_where_there_is_yama(local: Task, child: Task) -> None:
    tracer = Process(child, local.process.near)
    try:
        await child.prctl.set_ptracer_any()
    except OSError:
        for refused in (child.prctl.set_ptracer(tracer), child.prctl.set_ptracer(None)):
            with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):
                await refused
        return
    await child.prctl.set_ptracer(tracer)
    await child.prctl.set_ptracer(None)


async def test_a_tracer_that_there_is_not_is_an_error(child: Task) -> None:
    with pytest.raises(OSError, match=r"Invalid argument \[prctl\(2\)"):
        await child.prctl.set_ptracer(Process(child, ids.Process(2**22 + 1)))
