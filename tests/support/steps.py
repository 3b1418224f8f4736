"""Fault injection at the one place that everything goes through: the system-call interfaces.

``Steps`` counts the calls, programs and fd passings of every interface, local or ring, and does
something to the k-th, before it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any, final

import pytest

from rsyscall_ns.near import reap
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program, Results
from rsyscall_ns.tasks import errand, first, idwrite, launch, relay, spawn
from rsyscall_ns.transport.direct import DirectInterface
from rsyscall_ns.transport.ring import RingInterface

__all__ = ["Counting", "Steps", "no_step"]

METHODS = ("call", "execute", "import_fd", "export_fd")
WAITING = ("finish", "finish_last")  # can be killed or cancelled, but not fail
LAUNCHING = (  # what the interpreter does by itself
    (spawn, "capabilities_now"),
    (spawn, "ids_now"),
    (errand, "start_server"),
    (errand.Errand, "wait"),
    (launch, "doorbell_pair"),
    (first, "post_on"),
    (first, "Posted"),
    (launch, "start_server"),
    (first, "wait_alone"),
    (relay, "post_on"),
    (launch, "wait_fd"),
    (idwrite, "write_here"),
)
MOST = 200  # steps of anything that is tried here
Method = Callable[..., Coroutine[Any, Any, Any]]  # four methods, all different


@final
class Steps:
    """Counts steps; ``at`` is the number of the one at which ``act`` is called, from 0 on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.armed = False
        self.steps = 0  # until the last disarm
        self.count = 0
        self.at = -1
        self.act: Callable[[], None] = lambda: None
        self.spared: frozenset[int] = frozenset()
        for interface in (DirectInterface, RingInterface):
            for name in (*METHODS, *WAITING):
                if hasattr(interface, name):
                    wrapped = self._wrap(name, getattr(interface, name))
                    monkeypatch.setattr(interface, name, wrapped)
        for module, name in LAUNCHING:
            monkeypatch.setattr(module, name, self._step_before(getattr(module, name)))
        monkeypatch.setattr(reap, "wait_here", self._reaping(reap.wait_here))

    def _wrap(self, name: str, method: Method) -> Method:
        async def stepping(interface: object, *args: object) -> object:
            spared = args and args[0] in self.spared and name == "call"
            if spared or (self.spared and name in WAITING):
                return await method(interface, *args)
            number, self.count = self.count, self.count + 1
            if number == self.at:
                self.act()
            return await method(interface, *args)

        return stepping

    def _step_before(self, function: Callable[..., object]) -> Callable[..., object]:
        def stepping(*args: object, **options: object) -> object:
            number, self.count = self.count, self.count + 1
            if number == self.at:
                self.act()
            return function(*args, **options)

        return stepping

    def _reaping(self, reap: Callable[[int, int], object]) -> Callable[[int, int], object]:
        stepping = self._step_before(reap)

        def reaping(pidfd: int, options: int) -> object:
            function = reap if SYS.waitid in self.spared else stepping
            return function(pidfd, options)

        return reaping

    def moments(self, least: int) -> Iterator[int]:
        """Yield the number of each step of the loop's body, which arms; at least so many."""
        for at in range(MOST):
            yield at
            if self.disarm() <= at:
                assert at > least, f"{at} steps only: something does not go through here"
                return
        pytest.fail(f"no end after {MOST} steps")

    def arm(self, at: int, act: Callable[[], None]) -> None:
        """Begin to count anew, and call ``act`` before step ``at``."""
        self.armed, self.count, self.at, self.act = True, 0, at, act

    def spare(self, *numbers: int) -> None:
        """Do not count these calls, nor mere waits: what releases can't fail."""
        self.spared = frozenset(numbers)

    def disarm(self) -> int:
        """Do nothing from now on; returns how many steps there were until the first disarm."""
        if self.armed:
            self.armed, self.at, self.steps = False, -1, self.count
        return self.steps


@contextmanager
def no_step() -> Generator[None, None, None]:
    """Assert that the block makes no system call."""
    with pytest.MonkeyPatch.context() as patch:
        steps = Steps(patch)
        try:
            yield
        finally:
            assert steps.count == 0, f"{steps.count} steps were made"


@final
class Counting:
    """Passes everything on to another interface, and counts."""

    def __init__(self, inner: SyscallInterface) -> None:
        self.inner = inner
        self.calls = 0

    def __repr__(self) -> str:
        return repr(self.inner)

    @property
    def same_thread(self) -> bool:
        return self.inner.same_thread

    def interrupt_signal(self) -> int | None:
        return self.inner.interrupt_signal()

    async def execute(self, program: Program) -> Results:
        self.calls += 1
        return await self.inner.execute(program)

    async def call(
        self, number: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0
    ) -> int:
        self.calls += 1
        return await self.inner.call(number, a, b, c, d, e, f)

    async def wait_ready(self, number: int, events: int) -> None:
        await self.inner.wait_ready(number, events)

    def closing(self, number: int) -> None:
        self.inner.closing(number)

    async def export_fd(self, number: int) -> int:
        self.calls += 1
        return await self.inner.export_fd(number)

    async def import_fd(self, number: int) -> int:
        self.calls += 1
        return await self.inner.import_fd(number)
