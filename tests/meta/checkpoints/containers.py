"""How each public async method of a container is called."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final, cast

from rsyscall_ns import Chroot, Container
from rsyscall_ns.containers.life import Life
from rsyscall_ns.containers.running import Running
from rsyscall_ns.tasks.task import ChildTask

from .world import Call, World

__all__ = ["TABLE"]


def running(w: World) -> Container:
    """Return one that believes to have started a process that there is."""
    container = Container(["true"])
    container._running = Running(w.process, AsyncExitStack())  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as start does
    return container


def child(w: World) -> ChildTask:
    """Return what a hook gets: it is not looked at."""
    return cast("ChildTask", w.task)


TABLE: Final[dict[str, Call]] = {
    "Life.check": lambda w: running(w).check(),
    "Life.communicate": lambda w: running(w).communicate(),
    "Hooks.exceptexec": lambda _: Container(["true"]).exceptexec(ValueError()),
    "Hooks.exceptup": lambda w: Container(["true"]).exceptup(child(w), ValueError()),
    "Container.id_maps": lambda w: running(w).id_maps(),
    "Life.join": lambda w: running(w).join(),
    "Life.kill": lambda w: running(w).kill(),
    "Hooks.postexec": lambda _: Container(["true"]).postexec(),
    "Hooks.postup": lambda w: Container(["true"]).postup(child(w)),
    "Hooks.preexec": lambda w: Container(["true"]).preexec(child(w)),
    "Hooks.preup": lambda w: Container(["true"]).preup(child(w)),
    "Container.run": lambda _: Chroot("/", ["true"]).run(),
    "Life.run_in_nursery": lambda _: Container(["true"]).run_in_nursery(),
    "Life.send_signal": lambda w: running(w).send_signal(0),
    "Life.start": lambda _: Container(["true"]).start(),
    "Container.terminate": lambda w: running(w).terminate(),
    "Life.terminate": lambda w: Life.terminate(running(w)),
    "Life.wait": lambda w: running(w).wait(),
}
