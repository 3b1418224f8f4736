"""Our end of the zygote: started with the first callable of a trio run, ended with the run."""

from __future__ import annotations

import marshal
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from errno import EMFILE
from functools import partial
from typing import Any, Final, final

import trio
from attrs import frozen

from rsyscall_ns.containers.errors import ContainerArgumentError, ZygoteLostError
from rsyscall_ns.containers.keeping import keep, let_go
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.processes.child import ChildProcess
from rsyscall_ns.near import ids
from rsyscall_ns.near.errors import kernel_error, named_here
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.local import open_local_task
from rsyscall_ns.tasks.readiness import ChildReadiness
from rsyscall_ns.tasks.task import Task
from rsyscall_ns.transport.apart import to_the_end

from .called import reap
from .inherited import Inherited
from .job import CLONE_NUMBERS, module_command
from .surroundings import Surroundings
from .zygote import ANSWER, MOST_PASSED

__all__ = ["MODULE", "Birth", "Zygote", "is_dead", "task_fd", "the_zygote"]


@final
@frozen
class Birth:
    """What a child is made with; all fds are ours.

    ``places``: the fds that it has besides its channel, by the numbers that they have there; a
    standard stream that is none of them is closed. ``closed``: it is not dumpable from the start.
    """

    flags: int
    channel: int
    places: Mapping[int, int]
    closed: bool = False

    def request(self, inherited: Inherited) -> bytes:
        """Return what the zygote is sent."""
        if len(self.places) > MOST_PASSED:
            raise ContainerArgumentError(
                f"{len(self.places)} fds", f"{MOST_PASSED} can be passed at once, streams included"
            )
        return marshal.dumps(
            {
                "flags": self.flags,
                "numbers": CLONE_NUMBERS,
                "places": tuple(self.places),
                "closed": self.closed,
                "follow": inherited.to_follow(),
            }
        )


@final
class Zygote:
    """One zygote, which is restarted when it has died; one for each trio run."""

    __slots__ = ("_lock", "_rights", "_scope", "_socket", "process", "surroundings")

    def __init__(self) -> None:
        self._lock = trio.Lock()
        self._scope = AsyncExitStack()
        self._socket: socket.socket | None = None
        self._rights: Sequence[object] = ()
        self.process: ChildProcess | None = None
        self.surroundings: Surroundings | None = None  # in which it was started

    async def clone(self, birth: Birth, meanwhile: Callable[[], None]) -> tuple[int, int]:
        """Have a child made; returns its id and pidfd. Not cancellable, once it is asked for.

        ``meanwhile``: what is to be done while the zygote works, which raises nothing.
        """
        inherited = Inherited.now()
        request = birth.request(inherited)
        async with self._lock:
            connection = await self._connection(inherited)

            async def ask() -> tuple[bytes, list[int]]:
                here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
                fds = [birth.channel, here, *birth.places.values()]
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, b"".join(map(word, fds)))
                try:
                    connection.sendmsg([request], [rights])  # there is room for one
                    meanwhile()
                    await trio.lowlevel.wait_readable(connection)
                    space = socket.CMSG_SPACE(4)
                    found, control, _, _ = connection.recvmsg(
                        ANSWER.size, space, socket.MSG_CMSG_CLOEXEC
                    )
                except ConnectionError:
                    return b"", []
                finally:
                    os.close(here)
                return found, [
                    int.from_bytes(data[:4], "little", signed=True) for _, _, data in control
                ]

            found, received = await to_the_end(ask)
            if not found:
                await self.close()
                raise ZygoteLostError
        (pid,) = ANSWER.unpack(found)
        if pid < 0:
            raise kernel_error(-pid, "clone3", "the zygote")
        if not received:  # its pidfd found no room here: the child is ours all the same
            await to_the_end(partial(reap, pid))
            raise kernel_error(EMFILE, "recvmsg", "this interpreter")
        return pid, received[0]

    async def _connection(self, inherited: Inherited) -> socket.socket:
        if self._socket is not None and self.process is not None:
            alive = self.process.death_state is None and not is_dead(self.process)
            if alive and self._rights == inherited.rights:
                return self._socket
            await self.close()
        await self._start()
        self._rights = inherited.rights
        assert self._socket is not None
        return self._socket

    async def _start(self) -> None:
        with named_here("socketpair"):
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        async with AsyncExitStack() as undo:
            ours.setblocking(False)
            undo.callback(ours.close)
            with theirs:
                task = await undo.enter_async_context(open_local_task())
                empty = task_fd(task, os.open(os.devnull, os.O_RDWR))
                end = task_fd(task, theirs.detach())
                self.surroundings = Surroundings.now()
                absent = [COERCED] if COERCED not in os.environ else []
                function = f"{MODULE}.zygote.main"
                command = Command("", module_command(function, end.near.number, *absent))
                command = Command(command.args[0], command.args)
                launched = task.launch(
                    command, stdin=empty, stdout=empty, stderr=empty, pass_fds=[end]
                )
                self.process = await undo.enter_async_context(launched)
                await empty.close()
                await end.close()
            self._socket = ours
            self._scope = undo.pop_all()
        keep(self, self.close)

    async def close(self) -> None:
        """End it. Idempotent."""
        self._socket = None
        scope, self._scope = self._scope, AsyncExitStack()
        let_go(self)
        await to_the_end(scope.aclose)


COERCED: Final = "LC_CTYPE"  # an interpreter sets it where it finds no other locale than C
MODULE: Final = __name__.rsplit(".", 1)[0]
_zygote: trio.lowlevel.RunVar[Zygote] = trio.lowlevel.RunVar("rsyscall_ns zygote")


def the_zygote() -> Zygote:
    """Return the one of this trio run; it need not be started yet."""
    with suppress(LookupError):
        return _zygote.get()
    made = Zygote()
    _zygote.set(made)
    return made


def word(number: int) -> bytes:
    """Return an fd as a control message has it."""
    return number.to_bytes(4, "little", signed=True)


def task_fd(task: Task[Any], number: int) -> FileDescriptor:
    """Return the handle of an fd of ours."""
    return FileDescriptor(task, ids.FileDescriptor(number))


def is_dead(process: ChildProcess) -> bool:
    """Whether it has died, which nobody need have waited for."""
    assert isinstance(process.readiness, ChildReadiness)
    return process.readiness.is_dead()
