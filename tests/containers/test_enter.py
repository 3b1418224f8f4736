"""Namespace.enter: a callable in namespaces of others, as its ancestor had it, faults mended."""

from __future__ import annotations

import os
import signal
import threading
from errno import EAGAIN
from pathlib import Path
from typing import Final

import pytest
import trio

from rsyscall_ns import (
    CLONE,
    NS_ALL,
    NS_MNT,
    NS_NET,
    NS_PID,
    NS_USER,
    NS_UTS,
    CallablePickleError,
    Container,
    ContainerArgumentError,
    ForeignImportError,
    Namespace,
    NamespaceNotAllowedError,
    NotInsideError,
    RemoteTracebackError,
    ResultPickleError,
    TargetEndedError,
    Task,
    UserNamespaceWarning,
)
from tests.containers.test_namespace import KINDS, somebody
from tests.support.census import children, nothing_left
from tests.support.children import IS_ROOT
from tests.support.procfs import link
from tests.support.somebody import SOMEBODY
from tests.support.zygotes import kill_zygote

__all__ = ["somebody"]  # the fixture

CAP_SYS_ADMIN: Final = 1 << 21
JOINS: Final = NS_USER | NS_UTS
pytestmark = pytest.mark.filterwarnings("ignore::rsyscall_ns.UserNamespaceWarning")


def pid_of(task: Task) -> int:
    return task.process.near.id


def of(box: Task, kinds: int = NS_ALL, *, imports: tuple[str, ...] = ()) -> Namespace:
    return Namespace(pid_of(box), kinds, true_user=True, imports=imports)


def add(a: int, b: int, *, more: int = 0) -> int:
    return a + b + more


def spaces() -> list[str]:
    return [os.readlink(f"/proc/self/ns/{kind}") for kind in KINDS]  # noqa: PTH115 - os alone


def ids() -> tuple[int, int, list[int], int]:
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return os.getuid(), os.getgid(), os.getgroups(), int(text.split("CapEff:")[1].split()[0], 16)


def refuse() -> None:
    error = ValueError("no such answer")
    error.add_note("asked in vain")
    raise error


def late_import() -> str:
    import wave  # noqa: PLC0415 - that is what is tried

    return wave.__name__


@pytest.fixture
async def box(box: Task) -> Task:
    """Have a zygote before a test counts processes."""
    await Container(target=os.getpid).run()
    return box


async def test_the_result_comes_back(box: Task) -> None:
    assert await of(box).enter(add, 1, 2, more=3) == 6


async def test_several_at_once_are_all_entered(box: Task) -> None:
    ns = of(box)

    with nothing_left():
        found = await ns.enter(spaces)

    assert found == [link(pid_of(box), f"ns/{kind}") for kind in KINDS]
    assert ns.errors == {}


async def test_it_is_a_process_of_its_own_in_a_pid_namespace_too(box: Task) -> None:
    inside, parent = await of(box).enter(lambda: (os.getpid(), os.getppid())) or (0, 0)

    assert inside > 1
    assert parent == 0  # which is us, who are not to be seen in there


async def test_without_a_pid_namespace_it_is_a_child_of_ours(box: Task) -> None:
    found = await of(box, JOINS).enter(lambda: (os.getpid(), os.getppid())) or (0, 0)

    assert found[0] not in {0, os.getpid()}
    assert found[1] == os.getpid()


async def test_the_error_of_the_target_is_raised_with_its_traceback(box: Task) -> None:
    with nothing_left(), pytest.raises(ValueError, match="no such answer") as caught:
        await of(box).enter(refuse)

    assert caught.value.__notes__ == ["asked in vain"]
    assert isinstance(caught.value.__cause__, RemoteTracebackError)
    assert "in refuse" in str(caught.value.__cause__)
    # what runs, and not what lies in there under that name
    assert "\n    raise error\n" in str(caught.value.__cause__)


@pytest.mark.parametrize("types", [0, CLONE.FILES], ids=str)
async def test_no_valid_type_is_a_type_error(types: int) -> None:
    with pytest.raises(TypeError, match="none of the namespaces"):
        Namespace(os.getpid(), types)


async def test_a_bad_pid_is_an_error_and_nothing_is_started(local: Task) -> None:
    async with local.spawn() as gone:
        pid = pid_of(gone)
    with nothing_left(local), pytest.raises(FileNotFoundError):
        await Namespace(pid, NS_NET).enter(os.getpid)


async def test_what_was_given_can_be_read() -> None:
    ns = Namespace(os.getpid(), NS_NET | NS_MNT, 7, 8)

    assert (ns.target_pid, ns.namespaces) == (os.getpid(), NS_NET | NS_MNT)
    assert (ns.target_gid, ns.target_uid, ns.retry, ns.errors) == (7, 8, False, {})


async def test_the_user_namespace_that_we_are_in_is_left_out() -> None:
    ns = Namespace(os.getpid(), NS_USER, true_user=True)

    assert (await ns.enter(spaces) or [])[KINDS.index("user")] == link("self", "ns/user")
    assert ns.errors == {}


async def test_a_user_namespace_is_really_joined_with_a_warning(box: Task) -> None:
    with pytest.warns(UserNamespaceWarning):
        found = await of(box, NS_USER).enter(ids)

    assert found is not None
    assert found[:2] == (0, 0)


async def test_without_it_the_ids_are_the_owners_and_no_group_is_kept(somebody: int) -> None:
    found = await Namespace(somebody, NS_USER | NS_NET).enter(ids)

    assert found == (SOMEBODY, SOMEBODY, [], 0)


async def test_ids_that_are_given_are_taken(somebody: int) -> None:
    found = await Namespace(somebody, NS_USER, SOMEBODY + 1, SOMEBODY + 2).enter(ids)

    assert found is not None
    assert found[:2] == (SOMEBODY + 2, SOMEBODY + 1)


async def test_capabilities_are_kept_where_that_is_asked_for(somebody: int) -> None:
    found = await Namespace(somebody, NS_USER, keep_caps=True).enter(ids)

    assert found is not None
    assert found[0] == SOMEBODY
    assert found[3] & CAP_SYS_ADMIN


async def test_a_type_that_cant_be_entered_is_told_and_the_others_go_on(local: Task) -> None:
    if IS_ROOT:
        pytest.skip("root of the host enters them all")
    async with (
        local.spawn(CLONE.NEWUSER | CLONE.NEWUTS, uid_map=True, gid_map=True) as outer,
        outer.spawn(CLONE.NEWUSER | CLONE.NEWIPC) as inner,
    ):
        ns = Namespace(pid_of(inner), NS_USER | NS_UTS, true_user=True, task=local)
        found = await ns.enter(spaces)

    assert found is not None
    assert found[KINDS.index("user")] != link("self", "ns/user")
    assert set(ns.errors) == {NS_UTS}
    assert isinstance(ns.errors[NS_UTS], NamespaceNotAllowedError)


async def test_an_exit_in_there_ends_its_process_and_retry_is_eagain(box: Task) -> None:
    ns = of(box, JOINS)

    def leave(errcode: int) -> int:
        ns.exit(errcode)

    assert await ns.enter(leave, EAGAIN) is None
    assert ns.retry
    assert await ns.enter(leave, 0) is None
    assert not ns.retry


async def test_the_status_of_another_exit_is_told(box: Task) -> None:
    ns = of(box, JOINS)

    with pytest.raises(TargetEndedError, match="exited with status 5"):
        await ns.enter(lambda: ns.exit(5))
    with pytest.raises(TargetEndedError):
        await ns.enter(os._exit, 0)
    assert await ns.enter(add, 1, 1) == 2


def test_an_exit_out_here_is_refused() -> None:
    with pytest.raises(NotInsideError):
        Namespace(os.getpid(), NS_NET).exit(0)


@pytest.mark.parametrize("kinds", [JOINS, NS_USER | NS_PID])
async def test_a_process_that_is_killed_is_named_and_the_next_one_works(
    box: Task, kinds: int
) -> None:
    ns = of(box, kinds)

    with nothing_left(), pytest.raises(TargetEndedError, match="KILL"):
        await ns.enter(lambda: os.kill(os.getpid(), signal.SIGKILL))

    assert await ns.enter(add, 1, 1) == 2


async def test_what_cannot_be_pickled_is_refused_before_anything_is_started(box: Task) -> None:
    before = children()

    with nothing_left(), pytest.raises(CallablePickleError, match="lock"):
        await of(box).enter(print, threading.Lock())

    assert children() == before


async def test_a_result_that_cannot_be_pickled_is_named_and_the_next_one_works(box: Task) -> None:
    with nothing_left(), pytest.raises(ResultPickleError, match="lock"):
        await of(box).enter(threading.Lock)

    assert await of(box).enter(add, 1, 1) == 2


async def test_a_zygote_that_was_killed_is_replaced(box: Task) -> None:
    kill_zygote()

    assert await of(box).enter(add, 1, 1) == 2


async def test_imports_are_refused_where_other_files_are_seen(box: Task) -> None:
    with nothing_left(), pytest.raises(ForeignImportError, match="imports="):
        await of(box).enter(late_import)


async def test_imports_are_done_before_where_they_are_named(box: Task) -> None:
    assert await of(box, imports=("wave",)).enter(late_import) == "wave"


async def test_a_module_to_be_imported_that_is_missing_is_named(box: Task) -> None:
    with nothing_left(), pytest.raises(CallablePickleError, match="no_such_module"):
        await of(box, imports=("no_such_module",)).enter(late_import)


async def test_imports_are_allowed_where_that_is_asked_for(box: Task) -> None:
    ns = Namespace(pid_of(box), NS_USER | NS_MNT, true_user=True, foreign_imports=True)

    assert await ns.enter(late_import) == "wave"


async def test_imports_work_where_the_files_are_ours(box: Task) -> None:
    assert await of(box, JOINS).enter(late_import) == "wave"


async def test_modules_by_one_string_are_refused() -> None:
    with pytest.raises(ContainerArgumentError, match="list of modules"):
        Namespace(os.getpid(), NS_NET, imports="json")


async def test_nothing_of_ours_is_changed(box: Task) -> None:
    def ours() -> tuple[list[str], str, int, list[int]]:
        return spaces(), str(Path.cwd()), os.getuid(), os.getgroups()

    before = ours()
    await of(box).enter(os.chdir, "/")

    assert ours() == before


async def test_a_cancel_ends_it(box: Task) -> None:
    with nothing_left(), trio.move_on_after(0.05) as scope:
        await of(box).enter(signal.pause)

    assert scope.cancelled_caught


async def test_it_is_made_by_this_interpreter_alone(box: Task) -> None:
    with pytest.raises(ContainerArgumentError, match="leave task out"):
        await Namespace(os.getpid(), NS_UTS, task=box).enter(os.getpid)


async def test_many_at_once(box: Task) -> None:
    found: set[int] = set()

    async def one(number: int) -> None:
        found.add(await of(box).enter(add, number, 0) or 0)

    with nothing_left():
        async with trio.open_nursery() as nursery:
            for number in range(1, 7):
                nursery.start_soon(one, number)

    assert found == set(range(1, 7))
