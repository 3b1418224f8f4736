"""Programs for the tests of Ctrl-C: each is a process of its own, that gets SIGINT.

They tell on standard output how far they are, and what came out of ``trio.run``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio
from trio.testing import wait_all_tasks_blocked

import rsyscall_ns
from rsyscall_ns import (
    CLONE,
    PIPE,
    SIG,
    SYS,
    ChildTask,
    Container,
    NamespaceNotAllowedError,
    Task,
    W,
    open_local_task,
)
from tests.support.blocking import until_blocked
from tests.support.census import Census, children
from tests.support.children import FOREVER, TRUE
from tests.support.moments import Moments

__all__ = ["NAMESPACES", "PROGRAMS", "WAYS", "errors_in"]

NAMESPACES: Final = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWUTS
PACKAGE: Final = str(Path(rsyscall_ns.__file__).parent)
Started = trio.TaskStatus[Task | None]


def tell(what: object) -> None:
    """Write one line, whole or not at all."""
    os.write(1, json.dumps(what).encode() + b"\n")


def errors_in(error: BaseException) -> Iterator[str]:
    """Yield the name of each error in a group of them, or of the only one."""
    inner: tuple[BaseException, ...] | None = getattr(error, "exceptions", None)
    if inner is None:
        yield type(error).__name__
    else:
        for one in inner:
            yield from errors_in(one)


# what is going on in a program when the signal comes


async def reads(local: Task, task_status: Started) -> None:
    """Be blocked in a read of an empty pipe, in a child."""
    async with local.spawn() as child:
        reader, _ = await child.fs.pipe2()
        task_status.started(child)
        await reader.read(1)


async def waits(local: Task, task_status: Started) -> None:
    """Wait for a child that serves."""
    async with local.spawn() as child:
        task_status.started()
        await child.process.waitid(W.EXITED)


async def runs(local: Task, task_status: Started) -> None:
    """Wait for a program that sleeps for ever."""
    async with local.launch(FOREVER) as process:
        task_status.started()
        await process.check()


async def awaits_a_stop(local: Task, task_status: Started) -> None:
    """Wait for a program to stop, which takes a thread."""
    async with local.launch(FOREVER) as process:
        task_status.started()
        await process.waitid(W.STOPPED)


async def runs_in_namespaces(local: Task, task_status: Started) -> None:
    """Wait for a program in a pid namespace of its own, where these are allowed."""
    with suppress(NamespaceNotAllowedError):
        async with local.spawn(NAMESPACES) as child:
            process = await child.exec(FOREVER)
            task_status.started()
            await process.check()
    task_status.started()


async def steers_a_grandchild(local: Task, task_status: Started) -> None:
    """Wait for a child of a child."""
    async with local.spawn() as child, child.spawn() as grandchild:
        task_status.started()
        await grandchild.process.waitid(W.EXITED)


async def several() -> None:
    """Do all of that at once."""
    async with open_local_task() as local, trio.open_nursery() as nursery:
        child = await nursery.start(reads, local)
        for one in (waits, runs, awaits_a_stop, runs_in_namespaces, steers_a_grandchild):
            await nursery.start(one, local)
        await until_blocked(child, SYS.read)
        await wait_all_tasks_blocked()
        tell("ready")


async def alone() -> None:
    """Wait for a program in the main task."""
    async with open_local_task() as local, local.launch(FOREVER) as process:
        tell("ready")
        await process.wait()


async def plain_several() -> None:
    """Do the like with trio alone."""
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(trio.sleep_forever)
        nursery.start_soon(trio.run_process, ["/bin/sleep", "1000000"])
        while not children():
            await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()
        tell("ready")


async def plain_alone() -> None:
    """Wait in the main task with trio alone."""
    tell("ready")
    await trio.sleep_forever()


PROGRAMS: Final = {
    program.__name__: program for program in (several, alone, plain_several, plain_alone)
}


def until_interrupted(name: str) -> None:
    """Run one of the programs; before it ends, tell what came out and which children are left."""
    try:
        trio.run(PROGRAMS[name])
    except BaseException as error:
        tell({"errors": sorted(errors_in(error)), "left": sorted(children())})
        raise


# short ways, that are interrupted at each moment


async def spawn(local: Task) -> None:
    """Make a child, and one call in it."""
    async with local.spawn() as child:
        await child.cred.getuid()


async def spawn_nested(local: Task) -> None:
    """Make a child of a child."""
    async with local.spawn() as child:
        await spawn(child)


async def spawn_in_namespaces(local: Task) -> None:
    """Make a child in namespaces of its own."""
    async with local.spawn(NAMESPACES) as child:
        await child.cred.getuid()


async def exec_(local: Task) -> None:
    """Turn a child into a program, and wait for it."""
    async with local.spawn() as child:
        process = await child.exec(TRUE)
        await process.check()


async def launch(local: Task) -> None:
    """Launch a program, and wait for it."""
    async with local.launch(TRUE) as process:
        await process.check()


async def stop(local: Task) -> None:
    """Stop a program, and wait until it is."""
    async with local.launch(FOREVER) as process:
        await process.kill(SIG.STOP)
        await process.waitid(W.STOPPED)


async def pipe(local: Task) -> None:
    """Move a byte through a pipe of our own and one of a child."""
    async with local.spawn() as child:
        for task in (local, child):
            reader, writer = await task.fs.pipe2()
            async with reader, writer:
                await writer.write(b"a")
                await reader.read(1)


async def contain(local: Task) -> None:
    """Run a container, made by a task of its own, with a mount and pipes."""
    del local
    container = Container(["true"], user=True, pid=True, mnt=True, stdin=PIPE, stdout=PIPE)
    await container.run()


class Hooked(Container):
    """One that is made in steps."""

    async def preexec(self, task: ChildTask) -> None:
        await task.cred.getuid()


async def contain_in_steps(local: Task) -> None:
    """Run a container with a hook."""
    await Hooked(["true"], user=True, task=local).run()


WAYS: Final[dict[str, Callable[[Task], Awaitable[None]]]] = {
    way.__name__: way
    for way in (
        spawn,
        spawn_nested,
        spawn_in_namespaces,
        exec_,
        launch,
        stop,
        pipe,
        contain,
        contain_in_steps,
    )
}


async def once(name: str) -> None:
    """Go one way."""
    async with open_local_task() as local:
        await WAYS[name](local)


async def again_and_again(name: str) -> None:
    """Go one way until the signal comes; counts."""
    async with open_local_task() as local:
        count = 0
        while True:
            tell(count)
            count += 1
            await WAYS[name](local)


def interrupted(run: Callable[[str], Awaitable[None]], name: str) -> str:
    """Return what is wrong after a run that was interrupted, nothing if all is well."""
    before = Census.take()
    try:
        trio.run(run, name)
    except KeyboardInterrupt:
        pass
    except BaseException as error:  # noqa: BLE001 - what it is, is the answer
        return f"{error!r} came out"
    else:
        return "nothing came out"
    try:
        before.assert_same(Census.take())
    except AssertionError as error:
        return f"left behind: {error}"
    return ""


def allowed(name: str) -> bool:
    """Go one way a first time, which makes what is made once; tell what forbids it, or nothing."""
    try:
        trio.run(once, name)
    except NamespaceNotAllowedError as error:
        tell(str(error))
        return False
    tell("")
    return True


def at_any_moment(name: str, rounds: str) -> None:
    """Be interrupted by somebody else, while one way is gone again and again."""
    if not allowed(name):
        return
    for _ in range(int(rounds)):
        tell({"wrong": interrupted(again_and_again, name)})


def at_each_moment(name: str) -> None:
    """Interrupt ourselves once in each place that a signal can interrupt us in."""
    if not allowed(name):
        return
    moments = Moments(PACKAGE, signal.SIGINT)
    with moments.listed():
        trio.run(once, name)
    wrong: dict[str, str] = {}
    for place in moments.places:
        with moments.signalled(place):
            found = interrupted(once, name)
        if found and moments.reached:  # else this run went another way
            wrong[str(place)] = found
    tell({"places": len(moments.places), "wrong": wrong})


def main(mode: str, *args: str) -> None:
    """Do what the command line says."""
    # whoever has started the tests may have had it ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    modes: dict[str, Callable[..., None]] = {
        "until-interrupted": until_interrupted,
        "at-any-moment": at_any_moment,
        "at-each-moment": at_each_moment,
    }
    modes[mode](*args)


if __name__ == "__main__":
    main(*sys.argv[1:])
