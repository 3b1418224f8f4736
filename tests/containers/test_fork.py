"""start_method="fork": in programs of their own, since a test run has a thread that watches it."""

from __future__ import annotations

import os
import threading

import pytest
import trio

from rsyscall_ns import Container, ThreadsRunningError
from tests.support.census import nothing_left
from tests.support.kernels import needs
from tests.support.program import said_by


async def test_it_is_refused_beside_threads_which_are_named() -> None:
    event = threading.Event()
    thread = threading.Thread(target=event.wait, name="the busy one")
    thread.start()
    try:
        with nothing_left(), pytest.raises(ThreadsRunningError, match="the busy one") as caught:
            await Container(target=os.getpid, start_method="fork").run()
    finally:
        event.set()
        await trio.to_thread.run_sync(thread.join)

    assert "the busy one" in caught.value.names
    assert "zygote" in str(caught.value)


async def test_threads_that_python_does_not_know_are_counted() -> None:
    (line,) = await said_by("""
        from rsyscall_ns import W
        async def main():
            async with open_local_task() as task, task.spawn() as child:
                with trio.move_on_after(0.01):
                    await child.process.waitid(W.STOPPED)  # has a thread of its own wait
                try:
                    await Container(target=os.getpid, start_method="fork").run()
                except ThreadsRunningError as error:
                    print(error)
    """)

    assert "1 that Python knows nothing of" in line


async def test_results_and_errors_come_back_and_nothing_is_pickled_on_the_way_there() -> None:
    found = await said_by("""
        import threading
        lock = threading.Lock()
        def refuse():
            raise ValueError("no such answer")
        async def main():
            for spaces in ({}, {"user": True}, {"all": True}):
                with lock:
                    made = Container(
                        target=lambda held, n: (held.locked(), n + 1), args=(lock, 1),
                        start_method="fork", **spaces
                    )
                    print(await made.run())
            try:
                await Container(target=refuse, all=True, start_method="fork").run()
            except ValueError as error:
                print(error, "in refuse" in str(error.__cause__))
            try:
                await Container(target=threading.Lock, start_method="fork").run()
            except ResultPickleError as error:
                print("lock" in str(error))
            print(await Container(target=abs, args=(-7,), start_method="fork").run())
    """)

    assert found == ["(True, 2)"] * 3 + ["no such answer True", "True", "7"]


async def test_it_has_the_namespaces_ids_and_name_and_ours_stay() -> None:
    found = await said_by("""
        KINDS = ("user", "pid", "mnt", "net", "uts", "ipc", "cgroup", "time")
        def spaces():
            return [os.readlink(f"/proc/self/ns/{kind}") for kind in KINDS]
        def look():
            return spaces(), os.getpid(), os.getuid(), os.uname().nodename
        async def main():
            before = spaces()
            inside, *rest = await Container(
                target=look, all=True, map_zero=True, hostname="box", start_method="fork"
            ).run()
            print(rest, sum(a == b for a, b in zip(inside, before)), spaces() == before)
    """)

    assert found == ["[1, 0, 'box'] 0 True"]


async def test_pythons_hooks_are_called_and_what_the_parent_cleans_up_is_cleaned_once() -> None:
    found = await said_by("""
        import atexit, gc
        atexit.register(lambda: os.write(1, b"at exit\\n"))
        os.register_at_fork(after_in_child=lambda: os.write(1, b"in the child\\n"))
        class Told:
            def __del__(self):
                os.write(1, b"deleted\\n")
        async def main():
            told = Told()
            try:
                async with open_local_task() as task:
                    with task.transient(b"kept") as place:
                        collect = Container(target=gc.collect, start_method="fork")
                        print(await collect.run() >= 0, flush=True)
                        print(place.read(), flush=True)
                    made = Container(target=os._exit, args=(3,), start_method="fork")
                    print(await made.start(), flush=True)
            finally:
                os.write(1, b"left\\n")
    """)

    assert found == [
        "in the child",
        "True",
        "b'kept'",
        "in the child",
        "None",
        "left",
        "deleted",
        "at exit",
    ]


async def test_its_streams_are_those_that_were_given_and_no_other_fd_is_there() -> None:
    found = await said_by("""
        def talk():
            sys.stdout.write(sys.stdin.read().upper())
            sys.stderr.write("said")
            fds = os.listdir("/proc/self/fd")
            return sorted(map(int, fds))[:3], len(fds)
        async def main():
            sys.stdout.write("written before\\n")
            other = os.open("/", os.O_RDONLY)
            c = Container(
                target=talk, stdin=PIPE, stdout=PIPE, stderr=PIPE, all=True, start_method="fork"
            )
            print(await c.run(b"loud"))
            print(c.completed.stdout, c.completed.stderr)
            async with open_local_task() as task, await task.fs.open("/etc/passwd") as fd:
                print(await Container(
                    target=lambda: os.read(fd.near.number, 1) != b"",
                    pass_fds=[fd], start_method="fork",
                ).run())
    """)

    # one is the channel, another that of the listing
    assert found == ["written before", "([0, 1, 2], 5)", "b'LOUD' b'said'", "True"]


@pytest.mark.parametrize("spaces", ["user=True", "user=True, pid=True"])
async def test_its_life_is_that_of_a_process_of_multiprocessing(spaces: str) -> None:
    found = await said_by(f"""
        async def main():
            c = Container(target=signal.pause, start_method="fork", {spaces})
            await c.start()
            await c.join(timeout=0)
            print(c.is_alive(), c.exitcode, c.pid is not None)
            await c.kill()
            await c.join()
            print(c.is_alive(), c.exitcode)
            c = Container(target=os._exit, args=(7,), start_method="fork", {spaces})
            await c.start()
            await c.join()
            print(c.exitcode)
            c = Container(target=sys.exit, args=(4,), start_method="fork", {spaces})
            try:
                await c.run()
            except TargetEndedError:
                print(c.exitcode)
    """)

    assert found == ["True None True", "False -9", "7", "4"]


async def test_signals_that_our_loop_listens_for_end_it() -> None:
    found = await said_by("""
        async def main():
            with trio.open_signal_receiver(signal.SIGTERM):
                async with Container(target=signal.pause, start_method="fork") as c:
                    await c.terminate()
                    await c.wait()
                print(c.exitcode)
    """)

    assert found == ["-15"]


@pytest.mark.parametrize("spaces", ["user=True", "user=True, pid=True"])
async def test_its_status_is_right_where_somebody_else_takes_it(spaces: str) -> None:
    needs(6, 15)
    found = await said_by(f"""
        async def main():
            await Container(target=abs, args=(1,), start_method="fork").run()
            c = Container(target=os._exit, args=(7,), start_method="fork", {spaces})
            await c.start()
            os.wait()
            await c.join()
            print(c.exitcode)
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            c = Container(target=os._exit, args=(8,), start_method="fork", {spaces})
            await c.start()
            await c.join()
            print(c.exitcode)
            print(await Container(target=abs, args=(-9,), start_method="fork", {spaces}).run())
    """)

    assert found == ["7", "8", "9"]


async def test_a_failing_step_is_raised_here_and_nothing_runs() -> None:
    found = await said_by("""
        async def main():
            made = Container(
                target=print, args=("ran",), user=True, pid=True, workdir="/not/there",
                start_method="fork",
            )
            try:
                await made.run()
            except WorkdirError as error:
                print(error.filename)
            try:
                os.wait()
            except ChildProcessError:
                print("nobody left")
    """)

    assert found == ["/not/there", "nobody left"]


async def test_hooks_run_there() -> None:
    found = await said_by("""
        class Hooked(Container):
            def preexec(self):
                os.environ["HOOKED"] = "yes"
        async def main():
            made = Hooked(target=lambda: os.environ["HOOKED"], user=True, start_method="fork")
            print(await made.run(), "HOOKED" in os.environ)
    """)

    assert found == ["yes False"]


async def test_a_child_whose_pidfd_finds_no_room_is_ended_and_an_error() -> None:
    found = await said_by("""
        from tests.support.census import nothing_left
        from tests.support.limits import fd_table_full
        async def main():
            async with open_local_task() as task:
                channel = 2
                with nothing_left(), fd_table_full(os.getpid(), channel):
                    try:
                        await Container(target=os.getpid, task=task, start_method="fork").run()
                    except OSError as error:
                        print(error.strerror)
    """)

    assert found == ["Too many open files [pidfd_open(2) in this interpreter]"]
