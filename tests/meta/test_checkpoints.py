"""Every public async method is a checkpoint: called in a scope that is cancelled, it raises so.

The tables of the package ``checkpoints`` say how each is called. They are complete, which is a
test too.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import AsyncGenerator, Iterator
from importlib import import_module
from typing import Any, Final

import pytest
import trio

import rsyscall_ns
from rsyscall_ns import AF, BYTES, SIGINFO, SOCK, Process, Task, W, open_local_task
from rsyscall_ns.tasks.groups import GROUPS, HOME
from tests.meta import checkpoints
from tests.meta.checkpoints.core import TO_THE_END
from tests.meta.checkpoints.credentials import REFUSED_IN_INTERPRETER
from tests.meta.checkpoints.world import Call, World
from tests.support.children import FOREVER, TRUE
from tests.support.stacks import make_stack

TABLE: Final[dict[str, Call]] = {}
for found in pkgutil.iter_modules(checkpoints.__path__, checkpoints.__name__ + "."):
    for key, call in getattr(import_module(found.name), "TABLE", {}).items():
        assert key not in TABLE, f"{key} is in two tables"
        TABLE[key] = call

# imported here: all of them at once would hold up the event loop
EXPORTED: Final = [getattr(rsyscall_ns, name) for name in dir(rsyscall_ns)]
OF_GROUPS: Final = [getattr(import_module(HOME + module), kind) for module, kind in GROUPS.values()]
CHILD_ONLY: Final = REFUSED_IN_INTERPRETER | {
    "Futexes.set_robust_list",
    "LandlockRulesetFD.restrict_self",
    "Namespaces.setns",
    "Namespaces.unshare",
    "OwnProcess.exit_group",
    "Seccomp.new_listener",
    "Seccomp.set_mode_filter",
    "Signals.pause",
    "Signals.sigsuspend",
    "Task.exec",
}


def public_async_methods(kinds: list[type[Any]]) -> Iterator[str]:
    """Yield each with the class that defines it."""
    for kind in kinds:
        for base in kind.__mro__:
            if base.__module__.startswith(rsyscall_ns.__name__):
                for name, value in vars(base).items():
                    function = inspect.unwrap(getattr(value, "__func__", value))
                    if not name.startswith("_") and inspect.iscoroutinefunction(function):
                        yield f"{base.__name__}.{name}"


@pytest.fixture
async def world(task: Task, local: Task) -> AsyncGenerator[World, None]:
    async with (
        task.launch(FOREVER) as process,
        task.launch(TRUE) as told,
        await task.fs.open("/dev/null") as file,
        await task.fs.open("/dev/null") as target,
        await task.net.socket(AF.INET, SOCK.STREAM) as socket,
        await task.ns.open("uts") as namespace,
    ):
        siginfo, pointer = await task.malloc(SIGINFO), await task.ptr(b"a", BYTES)
        await told.waitid(W.EXITED, siginfo)
        assert process.pidfd is not None
        pidfd = await process.pidfd.dup()
        yield World(
            task=task,
            other=local,
            process=process,
            any_process=Process(task, process.near),
            told=told,
            file=file,
            target=target,
            socket=socket,
            pidfd=pidfd,
            namespace=namespace,
            pointer=pointer,
            stack=await make_stack(task),
        )


async def test_the_groups_are_those_of_a_task(local: Task) -> None:
    assert [type(getattr(local, group)) for group in GROUPS] == OF_GROUPS


def test_no_public_async_method_is_missing() -> None:
    kinds = [kind for kind in EXPORTED if inspect.isclass(kind)]
    kinds += OF_GROUPS

    assert sorted(set(public_async_methods(kinds))) == sorted(TABLE)


@pytest.mark.parametrize("name", sorted(TABLE.keys() - TO_THE_END.keys()))
async def test_it_is_a_checkpoint(world: World, name: str) -> None:
    if name in CHILD_ONLY and world.task.sysif.same_thread:
        return  # refused in the interpreter's own task, before anything else
    with trio.CancelScope() as scope:
        scope.cancel()
        await TABLE[name](world)

    assert scope.cancelled_caught


@pytest.mark.parametrize("name", sorted(TO_THE_END))
async def test_what_must_come_to_its_end_does(world: World, name: str) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await TABLE[name](world)

    if name.endswith("FD.close"):
        assert not world.file.valid
    elif name != "MemoryTask.sweep":
        assert world.process.death_state is not None


@pytest.mark.parametrize("way", ["spawn", "launch", "open_local_task"])
async def test_a_scope_is_entered_at_a_checkpoint(task: Task, way: str) -> None:
    scopes: dict[str, Any] = {
        "spawn": task.spawn(),
        "launch": task.launch(TRUE),
        "open_local_task": open_local_task(),
    }
    with trio.CancelScope() as scope:
        scope.cancel()
        async with scopes[way]:
            raise AssertionError

    assert scope.cancelled_caught
