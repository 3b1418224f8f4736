"""A program for tests that root runs: an interpreter of an ordinary user, whose child becomes root.

The interpreter keeps root as its saved user id, which gives no right to signal anybody, so that in
the end it can become root again and end what it could not end as a user.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from errno import EINVAL, EPERM
from typing import Final

import trio

from rsyscall_ns import (
    SYS,
    ChildNotEndedError,
    Command,
    Task,
    TaskLostError,
    open_local_task,
)
from rsyscall_ns.tasks.readiness import ChildReadiness
from tests.support.census import children, nothing_left
from tests.support.children import is_alive, status_field, thread_of

__all__ = ["DEAD", "REFUSED", "USER", "WAYS"]

USER: Final = 54321  # no entry in passwd, no other process
REFUSED: Final = 77  # the exit status when there is no such user here
PATIENCE: Final = 30  # seconds
READY: Final = b"ready\n"


async def by_a_call(local: Task, child: Task, path: str) -> None:
    """Have the serving child itself change its user."""
    del local, path
    assert await child.sysif.call(SYS.setresuid, 0, 0, 0) == 0


async def by_a_program(local: Task, child: Task, path: str) -> None:
    """Exec a set-uid ``setpriv(1)``, and wait until it has become root for good."""
    reader, writer = await local.fs.pipe2()
    out = await writer.pass_to(child)
    await writer.close()
    script = "echo ready; exec sleep 1000000"
    become = ["setpriv", "--reuid=0", "--regid=0", "--clear-groups"]
    await child.exec(Command(path, [*become, "/bin/sh", "-c", script]), stdout=out)
    assert await reader.read() == READY
    await reader.close()


async def by_a_call_and_death(local: Task, child: Task, path: str) -> None:
    """Have the child change its user, and exit; nobody has taken its status yet."""
    await by_a_call(local, child, path)
    with suppress(TaskLostError):
        await child.sysif.call(SYS.exit_group, 0)
    readiness = thread_of(child).readiness
    assert isinstance(readiness, ChildReadiness)
    while not readiness.is_dead():
        await trio.lowlevel.checkpoint()


WAYS: Final[dict[str, Callable[[Task, Task, str], Awaitable[None]]]] = {
    "call": by_a_call,
    "program": by_a_program,
}
DEAD: Final = "dead"


async def leave_the_scope(way: str, path: str) -> dict[str, object]:
    """Leave the scope of a child that has become root; returns what came of it."""
    seen: dict[str, object] = {}
    pid = 0
    async with open_local_task() as local, local.spawn() as sibling:
        before = local.arena.used
        try:
            async with local.spawn() as child:
                pid = child.process.near.id
                await (WAYS | {DEAD: by_a_call_and_death})[way](local, child, path)
                seen["user"] = status_field(pid, "Uid").split()
        except ChildNotEndedError as error:
            seen |= {"errno": error.errno, "filename": error.filename, "text": str(error)}
        seen["alive"] = is_alive(pid)
        seen["ours"] = pid in children()
        seen["held"] = local.arena.used - before
        seen["sibling"] = await sibling.cred.getuid()
        os.setresuid(0, 0, 0)  # so that leaving the scope of all of them can end it
    seen["pid"] = pid
    return seen


def become_the_user() -> None:
    try:
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, 0)
    except OSError as error:
        if error.errno not in {EINVAL, EPERM}:
            raise
        sys.exit(REFUSED)


def end_children(*_: object) -> None:
    """Whatever went wrong: none of them outlives this program, or keeps it from ending."""
    os.setresuid(0, 0, 0)
    for pid in children():
        os.kill(pid, signal.SIGKILL)


def main(way: str, path: str) -> None:
    """Print what happens to root, and then to an ordinary user."""
    signal.signal(signal.SIGALRM, end_children)
    signal.alarm(PATIENCE)
    # root first: what Python imports late may lie where an ordinary user can't read it
    seen = [trio.run(leave_the_scope, way, path)]
    try:
        become_the_user()
        with nothing_left():
            seen.append(trio.run(leave_the_scope, way, path))
    finally:
        end_children()
    print(json.dumps(seen))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(*sys.argv[1:])
