"""Container: a command in namespaces of its own.

Owns the task that it is made by, unless one was given.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, Unpack

import trio
from attrs import evolve

from rsyscall_ns.handle.kinds.tun import TunFD
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.tasks.command import Command, CommandNotFoundError
from rsyscall_ns.tasks.idmap import IdMap
from rsyscall_ns.tasks.local import open_local_task
from rsyscall_ns.tasks.spawn import SpawnRequest
from rsyscall_ns.tasks.task import Task

from .callables.calling import CallStart, check_supported
from .callables.job import Extras, call_of, hooks_of
from .completed import Completed
from .confinement import confinement_of
from .hooks import Hooks
from .idranges import check_granted, writer_of
from .makers import check_maker, passed, task_of_fds
from .mounts.idmapped import id_mapped
from .network.wiring import Wanted, open_wiring
from .options import Arguments, Options, Target
from .prepare import command_of, maps_of, prepare
from .running import Running, ended_by_errors
from .start import Start
from .status import would_die
from .streams import OpenStreams

__all__ = ["Container"]

PYTHON: Final = Command(sys.executable, [sys.executable])


class Container(Hooks):
    """A command in new namespaces. Arguments, states and hooks: see the page on containers.

    Leaving ``async with`` kills and reaps it. One that was started by ``start`` ends by itself;
    when the trio run ends it is waited for, or killed (``daemon``), or left alone (``daemonize``).
    May be subclassed, for hooks.
    """

    def __init__(
        self,
        target: Target,
        *,
        task: Task[Any] | None = None,
        **arguments: Unpack[Arguments],
    ) -> None:
        """``task``: what makes it; None opens one for it. What a child makes has its streams."""
        self.options = Options.parse(arguments)
        super().__init__(self.options.name, daemon=self.options.daemon)
        self.call = call_of(target, arguments)
        self.command = command_of(PYTHON if callable(target) else target, self.options)
        self.completed: Completed | None = None  # after ``run``
        self.tuns: Mapping[str, TunFD] = {}  # of its network's tun devices, while it runs
        self._task = task

    def __repr__(self) -> str:
        if self._running is None:
            state = "not started"
        elif self._ended:
            state = f"pid {self.pid}, {self._running.process.death_state or 'ended'}"
        else:
            state = f"pid {self.pid}"
        return f"<{type(self).__name__} {self.name}: {state}>"

    async def _make(self, undo: AsyncExitStack) -> Running:
        try:
            return await self._make_with(undo)
        except FileNotFoundError as error:
            if self.command.elsewhere and error.filename == self.command.executable:
                name = os.fsdecode(self.command.args[0])
                raise CommandNotFoundError(name, self.options.path_of()) from error
            raise

    async def _make_with(self, undo: AsyncExitStack) -> Running:
        options = self.options
        own = os.geteuid(), os.getegid()
        setup = prepare(options, own)
        found = self._task or task_of_fds(options)
        task: Task[Any]
        task = await undo.enter_async_context(open_local_task()) if found is None else found
        check_maker(task, options, callable_=self.call is not None)
        wiring, maker = None, task
        if options.network is not None:
            wanted = Wanted(
                options.flags, options.pass_fds, self._task, callable_=self.call is not None
            )
            wiring = await undo.enter_async_context(open_wiring(options.network, task, wanted))
            maker, self.tuns = wiring.maker, wiring.tuns
            if maker is not task:  # which has the rights to map what the user has
                check_granted(maps_of(options, own), own)
        request = SpawnRequest.make(options.flags, options.uid_map, options.gid_map, ())
        writer = await writer_of(maker, maps_of(options, own), own)
        request = evolve(request, writer=writer)
        with OpenStreams(task) as streams:
            await streams.open(options.streams)
            taken = await confinement_of(task, options, streams.of, options.pass_fds)
            setup = evolve(setup, confinement=taken)
            async with ended_by_errors() as started, id_mapped(task, options.mounts) as given:
                if self.call is not None:
                    check_supported(options.flags)
                    extras = Extras(options.pass_fds, given)
                    hooks = hooks_of(self, Container)
                    waits = None if wiring is None else wiring.connect_process
                    call = CallStart(task, request, self.call, streams.of, extras, hooks, waits)
                    called = await call.run(setup, options.env, wanted=self._wanted)
                    started.append(Running(called.process, called, called))
                else:
                    connect = None if wiring is None else wiring.connect
                    fds = options.pass_fds
                    async with passed(streams.of, task, maker) as of:
                        start = Start(maker, request, setup, self.command, of, fds, given, connect)
                        who = self if self.hooked() else None
                        started.append(await start.run(who, init=options.init))
            self._take(streams)
        return started[0]

    async def _after(self) -> None:
        if self.call is None:
            await self.postexec()

    @trio.lowlevel.enable_ki_protection
    async def run(self, input: bytes = b"") -> Any:  # noqa: A002, ANN401 - as in trio.run_process
        """Start it, write ``input``, read its pipes, wait for its end.

        Returns Completed; of a callable what that returns, and raises what it raises.
        """
        await self._start(wanted=True)
        try:
            stdout, stderr = await self.communicate(input)
            completed = self.completed = Completed(await self.wait(), stdout, stderr)
            called = self._started().called
            return completed if called is None else called.result(completed.state)
        finally:
            await self.__aexit__()

    async def _at_end_of_run(self) -> None:
        if not self.options.daemonize:
            await super()._at_end_of_run()
            return
        self._ended = True
        self._started().let_go()
        await self._scope.aclose()

    # what can be told, and done

    @property
    def args(self) -> tuple[object, ...]:
        """What a callable is called with; ``command`` has a command's."""
        return () if self.call is None else self.call.args

    @property
    def kwargs(self) -> Mapping[str, object]:
        """What a callable is called with by name."""
        return {} if self.call is None else self.call.kwargs

    async def terminate(self) -> None:
        """Send SIGTERM; to a process 1 that would not get it, SIGKILL."""
        process = self.process
        sig = SIG.TERM
        alone = CLONE.NEWPID in self.options.flags and not self.options.init
        if alone and would_die(process.near.id, sig):
            sig = SIG.KILL
        await self.send_signal(sig)

    async def id_maps(self) -> tuple[IdMap, IdMap]:
        """Return the maps of user and group ids that it has, while it runs."""
        process = self.process
        async with open_local_task() as task:
            uid, gid = [
                await task.fs.read_bytes(f"/proc/{process.near.id}/{name}")
                for name in ("uid_map", "gid_map")
            ]
        return IdMap.read(uid), IdMap.read(gid)
