"""The life cycle of children, driven by hypothesis against a model of it.

The rules are plain functions in the test's thread; the children live in a trio run of another.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

import trio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rsyscall_ns import (
    CLD,
    SIG,
    SIGINFO,
    ChildBusyError,
    ChildDeadError,
    ChildState,
    Command,
    Pointer,
    RsyscallError,
    Siginfo,
    Task,
    TaskLostError,
    ThreadProcess,
    UnreadSiginfoError,
    W,
    open_local_task,
)
from tests.support.children import FOREVER, stat_field, thread_of

T = TypeVar("T")
ALL = W.EXITED | W.STOPPED | W.CONTINUED
DEADLY = st.sampled_from([SIG.TERM, SIG.KILL, SIG.USR1])


class TrioThread:
    """A trio run in a thread of its own, with a local task in it."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.thread = threading.Thread(target=trio.run, args=(self._main,))
        self.thread.start()
        self.ready.wait()

    async def _main(self) -> None:
        self.done = trio.Event()
        self.token = trio.lowlevel.current_trio_token()
        async with AsyncExitStack() as self.scopes, open_local_task() as self.local:
            self.ready.set()
            await self.done.wait()

    def do(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run an async function there and return its result."""
        return trio.from_thread.run(function, trio_token=self.token)

    def stop(self) -> None:
        self.token.run_sync_soon(self.done.set)
        self.thread.join()
        # Python is done with the thread a moment before the kernel is
        while Path(f"/proc/self/task/{self.thread.native_id}").exists():
            os.sched_yield()


class Model:
    """What we expect of one child."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.process: ThreadProcess = thread_of(task)
        self.serving = True
        self.stopped = False
        self.pending: CLD | None = None  # a stop or continue that nobody was told yet
        self.deadly: int | None = None  # the signal it died of
        self.reaped = False
        self.unread: Pointer[Siginfo] | None = None

    def refusal(self) -> type[RsyscallError] | None:
        """Return how a use of the child is refused now."""
        if self.reaped:
            return ChildDeadError
        return UnreadSiginfoError if self.unread is not None else None

    def told(self, state: ChildState | None) -> None:
        """Compare what a wait for anything told, and take note of it."""
        if self.deadly is not None:
            assert state is not None
            assert state.killed_with() == self.deadly
            self.reaped = True
        elif self.pending is not None:
            assert state is not None
            assert state.code is self.pending
            self.pending = None
        else:
            assert state is None


class ChildMachine(RuleBasedStateMachine):
    """One child at a time, and any number one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.trio = TrioThread()
        self.model: Model | None = None

    def teardown(self) -> None:
        self.trio.stop()
        if self.model is not None:
            assert self.model.process.death_state is not None

    @property
    def child(self) -> Model:
        assert self.model is not None
        return self.model

    def use(self, function: Callable[[], Awaitable[T]]) -> T | None:
        """Use the child; where the model says so it must be refused."""
        refusal = self.child.refusal()
        if refusal is None:
            return self.trio.do(function)
        try:
            self.trio.do(function)
        except refusal:
            return None
        raise AssertionError(refusal)

    @precondition(lambda self: self.model is None or self.model.reaped)
    @rule()
    def spawn(self) -> None:
        scope = self.trio.local.spawn()
        self.model = Model(self.trio.do(lambda: self.trio.scopes.enter_async_context(scope)))

    @precondition(lambda self: self.model and not self.model.stopped)
    @rule()
    def call(self) -> None:
        lost = not self.child.serving or self.child.deadly is not None
        try:
            self.trio.do(self.child.task.cred.getuid)
        except TaskLostError:
            assert lost
        else:
            assert not lost

    @precondition(lambda self: self.model and not self.model.stopped)
    @rule()
    def exec(self) -> None:
        able = self.child.serving and self.child.deadly is None
        try:
            self.trio.do(lambda: self.child.task.exec(FOREVER))
        except TaskLostError:
            assert not able
        else:
            assert able
            assert self.child.process.command is FOREVER
        self.child.serving = False

    @precondition(
        lambda self: (
            self.model
            and self.model.serving
            and self.model.deadly is None
            and not self.model.stopped
        )
    )
    @rule()
    def exec_that_fails(self) -> None:
        try:
            self.trio.do(lambda: self.child.task.exec(Command("/missing", ["x"])))
        except FileNotFoundError:
            return
        raise AssertionError

    @precondition(lambda self: self.model and self.model.deadly is None)
    @rule()
    def stop(self) -> None:
        child = self.child
        refused = child.refusal() is not None
        self.use(lambda: child.process.kill(SIG.STOP))
        if refused:
            return
        if not child.stopped:
            self.trio.do(lambda: child.process.waitid(W.STOPPED | W.NOWAIT))
            child.stopped, child.pending = True, CLD.STOPPED

    @precondition(lambda self: self.model and self.model.deadly is None)
    @rule()
    def go_on(self) -> None:
        child = self.child
        refused = child.refusal() is not None
        self.use(lambda: child.process.kill(SIG.CONT))
        if not refused and child.stopped:
            child.stopped, child.pending = False, CLD.CONTINUED

    @precondition(lambda self: self.model and not self.model.stopped)
    @rule(sig=DEADLY)
    def kill(self, sig: SIG) -> None:
        child = self.child
        refused = child.refusal() is not None
        self.use(lambda: child.process.kill(sig))
        if not refused and child.deadly is None:
            self.trio.do(lambda: child.process.waitid(W.EXITED | W.NOWAIT))
            child.deadly, child.pending = sig, None

    @precondition(lambda self: self.model)
    @rule()
    def poll(self) -> None:
        child = self.child
        refused = child.refusal() is not None
        state = self.use(lambda: child.process.waitid(ALL | W.NOHANG))
        if not refused:
            child.told(state)

    @precondition(lambda self: self.model)
    @rule()
    def poll_into_a_buffer(self) -> None:
        child = self.child
        refused = child.refusal() is not None
        buffer = self.trio.do(lambda: self.trio.local.malloc(SIGINFO))
        self.use(lambda: child.process.waitid(ALL | W.NOHANG, buffer))
        if refused:
            buffer.free()
        else:
            child.unread = buffer

    @precondition(lambda self: self.model and self.model.unread is not None)
    @rule()
    def read_siginfo(self) -> None:
        child = self.child
        buffer, child.unread = child.unread, None
        child.told(self.trio.do(child.process.read_siginfo))
        assert buffer is not None
        buffer.free()

    @precondition(lambda self: self.model)
    @rule()
    def borrow(self) -> None:
        async def twice() -> None:
            with self.child.process.borrow():
                try:
                    with self.child.process.borrow():
                        raise AssertionError
                except ChildBusyError:
                    pass

        self.use(twice)

    @precondition(lambda self: self.model)
    @rule()
    def getpgid(self) -> None:
        self.use(self.child.process.getpgid)

    @precondition(
        lambda self: self.model and self.model.deadly is not None and self.model.unread is None
    )
    @rule()
    def wait(self) -> None:
        state = self.trio.do(self.child.process.wait)
        assert state.killed_with() == self.child.deadly
        self.child.reaped = True

    @precondition(lambda self: self.model)
    @rule()
    def end(self) -> None:
        child = self.child
        self.trio.do(child.process.end)
        if child.unread is not None:
            child.unread.free()
        if child.deadly is None:
            child.deadly = SIG.KILL
        child.unread, child.reaped, child.stopped = None, True, False

    @invariant()
    def the_child_is_what_the_model_says(self) -> None:
        if self.model is None:
            return
        process = self.model.process
        assert not process.in_use
        assert process.unread_siginfo is self.model.unread
        assert (process.death_state is not None) == self.model.reaped
        try:
            state = stat_field(process.near.id, 3)
        except (FileNotFoundError, ProcessLookupError):
            state = ""
        if self.model.reaped:
            assert state == "" or process.near.id != self.model.task.process.near.id
        elif self.model.unread is None:
            assert (state == "Z") == (self.model.deadly is not None)
            assert (state == "T") == (self.model.stopped and self.model.deadly is None)


TestChildMachine = ChildMachine.TestCase
TestChildMachine.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
