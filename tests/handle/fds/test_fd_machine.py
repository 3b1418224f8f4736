"""The fd table is what the handles say, after any sequence of operations."""

from __future__ import annotations

import gc
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from queue import SimpleQueue
from typing import ClassVar, TypeVar

import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rsyscall_ns import FileDescriptor, O, Task, open_local_task
from tests.support.procview import fd_numbers

T = TypeVar("T")


class LoopThread:
    """A trio run in a thread of its own, with a task to test, for code that is not async."""

    def __init__(self, *, in_child: bool) -> None:
        self._ready: SimpleQueue[tuple[trio.lowlevel.TrioToken, Task] | BaseException] = (
            SimpleQueue()
        )
        self._end: trio.Event
        self._in_child = in_child
        self._thread = threading.Thread(target=self._main)
        self._thread.start()
        got = self._ready.get()
        if isinstance(got, BaseException):
            raise got
        self._token, self.task = got

    def _main(self) -> None:
        try:
            trio.run(self._serve)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self._ready.put(error)

    async def _serve(self) -> None:
        self._end = trio.Event()
        token = trio.lowlevel.current_trio_token()
        async with open_local_task() as local:
            if self._in_child:
                async with local.spawn() as child:
                    self._ready.put((token, child))
                    await self._end.wait()
            else:
                self._ready.put((token, local))
                await self._end.wait()

    def run(self, function: Callable[..., Awaitable[T]], *args: object) -> T:
        return trio.from_thread.run(function, *args, trio_token=self._token)

    def call(self, function: Callable[..., T], *args: object) -> T:
        return trio.from_thread.run_sync(function, *args, trio_token=self._token)

    def close(self) -> None:
        self.call(self._end.set)
        self._thread.join()


class FDMachine(RuleBasedStateMachine):
    """``live``: our handles by name. ``entries``: what the kernel's table must hold."""

    in_child: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.loop = LoopThread(in_child=self.in_child)
        self.task = self.loop.task
        self.live: list[FileDescriptor] = []
        self.inheritable: set[int] = set()
        pid = self.task.process.near.id
        self.pid = pid
        self.info = Path(f"/proc/{pid}/fdinfo")
        self.others = self.numbers()

    def numbers(self) -> set[int]:
        return fd_numbers(self.pid)

    def is_cloexec(self, number: int) -> bool:
        lines = (self.info / str(number)).read_text(encoding="ascii").splitlines()
        flags = next(line for line in lines if line.startswith("flags:"))
        return bool(int(flags.split()[1], 8) & O.CLOEXEC)

    def pick(self, data: st.DataObject) -> FileDescriptor:
        return self.live[data.draw(st.integers(0, len(self.live) - 1))]

    def owners(self, handle: FileDescriptor) -> int:
        return sum(other.near == handle.near for other in self.live)

    @rule(path=st.sampled_from(["/dev/null", "/dev/zero", "/proc/self/status"]))
    def open(self, path: str) -> None:
        self.live.append(self.loop.run(self.task.fs.open, path))

    @rule()
    def pipe(self) -> None:
        self.live.extend(self.loop.run(self.task.fs.pipe2))

    @precondition(lambda self: bool(self.live))
    @rule(data=st.data())
    def dup(self, data: st.DataObject) -> None:
        self.live.append(self.loop.run(self.pick(data).dup))

    @precondition(lambda self: bool(self.live))
    @rule(data=st.data())
    def one_more_handle(self, data: st.DataObject) -> None:
        self.live.append(self.pick(data).for_task(self.task))

    @precondition(lambda self: len(self.live) > 1)
    @rule(data=st.data(), cloexec=st.booleans())
    def dup_over(self, data: st.DataObject, cloexec: bool) -> None:  # noqa: FBT001 - drawn
        source, target = self.pick(data), self.pick(data)
        if source.near == target.near or self.owners(target) > 1:
            return
        number = target.near.number
        made = self.loop.run(source.dup3 if cloexec else source.dup2, target)
        assert not target.valid
        assert made.near.number == number
        self.live.remove(target)
        self.live.append(made)
        self.inheritable.discard(number)
        if not cloexec:
            self.inheritable.add(number)

    @precondition(lambda self: bool(self.live))
    @rule(data=st.data())
    def disable_cloexec(self, data: st.DataObject) -> None:
        handle = self.pick(data)
        self.loop.run(handle.disable_cloexec)
        self.inheritable.add(handle.near.number)

    @precondition(lambda self: bool(self.live))
    @rule(data=st.data())
    def enable_cloexec(self, data: st.DataObject) -> None:
        handle = self.pick(data)
        self.loop.run(handle.enable_cloexec)
        self.inheritable.discard(handle.near.number)

    @precondition(lambda self: bool(self.live))
    @rule(data=st.data(), times=st.integers(1, 3))
    def close(self, data: st.DataObject, times: int) -> None:
        handle = self.pick(data)
        number, last = handle.near.number, self.owners(handle) == 1
        for _ in range(times):
            self.loop.run(handle.close)
        self.live.remove(handle)
        if last:
            self.inheritable.discard(number)

    @precondition(lambda self: bool(self.live))
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.live) - 1))
        if self.owners(self.live[index]) == 1:
            self.inheritable.discard(self.live[index].near.number)
        self.loop.call(self._forget, index)
        self.loop.run(self.task.sweep)

    def _forget(self, index: int) -> None:
        """Let go of a handle in the loop's own thread, as a program would."""
        del self.live[index]
        gc.collect(0)

    @invariant()
    def the_table_holds_what_the_handles_say(self) -> None:
        assert self.numbers() - self.others == {handle.near.number for handle in self.live}
        assert all(handle.valid for handle in self.live)

    @invariant()
    def close_on_exec_is_set_unless_it_was_taken_off(self) -> None:
        for handle in self.live:
            number = handle.near.number
            assert self.is_cloexec(number) == (number not in self.inheritable)

    def teardown(self) -> None:
        """Leave the scopes: they close what is left."""
        self.loop.close()
        self.live.clear()
        if not self.in_child:
            assert self.numbers() <= self.others


class ChildFDMachine(FDMachine):
    """The same in a child, whose table is its own."""

    in_child: ClassVar[bool] = True


TestLocalTable = FDMachine.TestCase
TestLocalTable.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestChildTable = ChildFDMachine.TestCase
TestChildTable.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_the_thread_of_the_machine_has_tasks_of_both_kinds() -> None:
    for in_child in (False, True):
        loop = LoopThread(in_child=in_child)
        assert loop.task.sysif.same_thread is not in_child
        loop.close()
