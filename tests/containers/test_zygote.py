"""The zygote: started late, once, ended with the run, and started again when it was killed."""

from __future__ import annotations

import os
import resource
import signal
from errno import EMFILE
from pathlib import Path
from typing import Final

import pytest
import trio
import trio.testing

from rsyscall_ns import (
    Container,
    LandlockDisabledError,
    MissingCallError,
    Task,
    ZygoteLostError,
)
from rsyscall_ns.containers.callables.breeder import Zygote, the_zygote
from rsyscall_ns.handle.processes.child import ChildProcess
from tests.support.census import Census, children, nothing_left, open_fds
from tests.support.limits import fd_table_full
from tests.support.program import said_by


def running(zygote: Zygote) -> ChildProcess:
    assert zygote.process is not None
    return zygote.process


async def pid_of() -> int:
    pid: int = await Container(target=os.getpid).run()
    return pid


async def test_it_is_started_with_the_first_callable_and_kept() -> None:
    assert the_zygote().process is None

    first = await pid_of()
    zygote = running(the_zygote()).near.id
    second = await pid_of()

    assert running(the_zygote()).near.id == zygote
    assert len({first, second, zygote}) == 3
    assert children() == {zygote}


def test_it_ends_with_the_trio_run() -> None:
    before, fds = children(), open_fds()

    trio.run(pid_of)

    assert children() == before
    assert open_fds() == fds


async def test_it_has_nothing_of_ours_open() -> None:
    reading, writing = os.pipe()
    try:
        await pid_of()
        place = Path(f"/proc/{running(the_zygote()).near.id}/fd")
        # a file below /proc does not block
        found = sorted(str(entry.readlink()) for entry in place.iterdir())  # noqa: ASYNC240
    finally:
        os.close(reading)
        os.close(writing)

    assert found[:3] == ["/dev/null"] * 3
    assert len(found) == 4
    assert found[3].startswith("socket:")


async def test_one_that_was_killed_is_replaced() -> None:
    await pid_of()
    old = running(the_zygote()).near.id
    census = Census.take()
    os.kill(old, signal.SIGKILL)
    os.waitid(os.P_PID, old, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 - it is dead

    assert await Container(target=os.getpid, user=True, pid=True).run() == 1

    new = running(the_zygote()).near.id
    assert new != old
    assert len(children()) == len(census.children)
    assert len(open_fds()) == len(census.fds)


async def test_one_that_dies_while_it_makes_a_child_is_a_named_error_and_the_next_works() -> None:
    await pid_of()
    zygote = running(the_zygote())
    before = Census.take()
    os.kill(zygote.near.id, signal.SIGSTOP)
    raised: list[ZygoteLostError] = []

    async def start() -> None:
        with pytest.raises(ZygoteLostError) as caught:
            await Container(target=os.getpid, user=True).run()
        raised.append(caught.value)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(start)
        await trio.testing.wait_all_tasks_blocked()
        os.kill(zygote.near.id, signal.SIGKILL)

    assert raised
    assert await Container(target=os.getpid, user=True, pid=True).run() == 1
    now = Census.take()
    assert len(now.children) == len(before.children)
    assert len(now.fds) == len(before.fds)


async def test_many_at_once_work() -> None:
    found: set[int] = set()

    async def one() -> None:
        found.add(await pid_of())

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(one)

    assert len(found) == 20


async def test_umask_limits_and_oom_score_are_the_callers_of_now() -> None:
    await pid_of()
    zygote = running(the_zygote()).near.id
    score = Path("/proc/self/oom_score_adj")

    def look() -> tuple[int, tuple[int, int], int]:
        mask = os.umask(0)
        return mask, resource.getrlimit(resource.RLIMIT_CORE), int(score.read_text("ascii"))

    before = resource.getrlimit(resource.RLIMIT_CORE)
    found = [await Container(target=look).run()]
    mask = os.umask(0o027)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, before[1]))
        found.append(await Container(target=look).run())
    finally:
        os.umask(mask)
        resource.setrlimit(resource.RLIMIT_CORE, before)
    found.append(await Container(target=look).run())

    own = int(score.read_text("ascii"))  # noqa: ASYNC240 - a file below /proc does not block
    assert found == [(mask, before, own), (0o027, (0, before[1]), own), (mask, before, own)]
    assert running(the_zygote()).near.id == zygote


async def test_an_oom_score_that_was_raised_since_is_the_childs_too() -> None:
    (line,) = await said_by("""
        from pathlib import Path
        async def main():
            score = Path("/proc/self/oom_score_adj")
            await Container(target=os.getpid).run()
            score.write_text("777")
            print((await Container(target=score.read_text, all=True).run()).strip())
    """)

    assert line == "777"


async def test_one_with_rights_that_the_caller_has_given_up_is_not_used_any_more() -> None:
    found = await said_by("""
        from pathlib import Path
        from rsyscall_ns.containers.callables.breeder import the_zygote
        def look():
            return "NoNewPrivs:\\t1" in Path("/proc/self/status").read_text()
        async def main():
            print(await Container(target=look).run())
            first = the_zygote().process.near.id
            async with open_local_task() as task:
                await task.sysif.call(SYS.prctl, 38, 1)  # PR_SET_NO_NEW_PRIVS
            print(await Container(target=look).run(), the_zygote().process.near.id != first)
    """)

    assert found == ["False", "True True"]


async def test_one_that_landlock_does_not_restrict_is_not_used_any_more(
    local: Task, tmp_path: Path
) -> None:
    try:
        await local.landlock.abi_version()
    except (MissingCallError, LandlockDisabledError) as error:
        pytest.skip(f"no landlock here: {error}")
    found = await said_by(f"""
        from pathlib import Path
        def write(name):
            try:
                (Path({str(tmp_path)!r}) / name).touch()
            except PermissionError:
                return "refused"
            return "written"
        async def main():
            async with open_local_task() as task:
                await task.prctl.set_no_new_privs(for_good=True)  # a zygote that has it, too
                print(await Container(target=write, args=("before",)).run())
                rules = await task.landlock.create_ruleset(LANDLOCK_ACCESS_FS.MAKE_REG)
                await rules.restrict_self(for_good=True)
                print(write("here"), await Container(target=write, args=("after",)).run())
    """)

    assert found == ["written", "refused refused"]


async def test_one_that_makes_memory_executable_is_not_used_any_more(local: Task) -> None:
    try:
        await local.prctl.get_mdwe()
    except OSError as error:
        pytest.skip(f"Linux 6.3 is needed: {error}")
    found = await said_by("""
        async def look():
            async with open_local_task() as task:
                return int(await task.prctl.get_mdwe())
        def ask():
            return trio.run(look)
        async def main():
            print(await Container(target=ask).run())
            async with open_local_task() as task:
                await task.prctl.set_mdwe(PR_MDWE.REFUSE_EXEC_GAIN, for_good=True)
            print(await Container(target=ask).run())
    """)

    assert found == ["0", "1"]


FILTERED: Final = """
    from rsyscall_ns.near.abi.prctl_h import PR
    from tests.support.seccomp import answer_with_enosys
    async def main():
        async with open_local_task() as task:
            await answer_with_enosys(task, SYS.clone3)
            {body}
"""


async def test_it_works_where_a_filter_says_that_there_is_no_clone3() -> None:
    body = """
            spaces = dict(user=True, pid=True, mnt=True, net=True, uts=True)
            print(await Container(target=os.getpid, **spaces).run())
            print(await Container(target=os.getpid, start_method="fork", **spaces).run())
            async with Container(["sleep", "1000"], **spaces) as c:
                print(await Inject(c.pid, os.getppid, all=True, time=False).run())
            try:
                await Container(target=os.getpid, all=True).run()
            except OSError as error:
                print(type(error).__name__)
    """

    assert await said_by(FILTERED.format(body=body)) == ["1", "1", "0", "MissingCallError"]


async def test_a_child_whose_pidfd_finds_no_room_is_ended_and_an_error() -> None:
    await pid_of()
    zygote = running(the_zygote()).near.id
    channel, directory = 2, 1
    full = fd_table_full(os.getpid(), channel + directory)
    with nothing_left(), full, pytest.raises(OSError, match=r"recvmsg\(2\) in this") as caught:
        await pid_of()
    assert caught.value.errno == EMFILE
    await pid_of()
    assert running(the_zygote()).near.id == zygote


async def test_one_is_kept_when_no_fd_is_left_to_look_whether_it_may_be_used() -> None:
    await pid_of()
    zygote = running(the_zygote()).near.id
    channel = 2
    full = fd_table_full(os.getpid(), channel)
    with nothing_left(), full, pytest.raises(OSError, match=r"openat\(2\) in this interpreter"):
        await pid_of()
    await pid_of()
    assert running(the_zygote()).near.id == zygote


async def test_it_unpickles_nothing() -> None:
    class Telling:
        def __reduce__(self) -> tuple[object, ...]:
            return os.getpid, ()

    await pid_of()

    def same(made_in: int) -> bool:
        return made_in == os.getpid()

    assert await Container(target=same, args=(Telling(),)).run()
