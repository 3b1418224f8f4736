"""stub: a child that serves from an executable of its own, with memory of its own.

It begins as any child, and execs a program of a few KiB that is nothing but the server: so there is
nothing of the interpreter in it but the arena that both have mapped, and nobody who is not more
than its own user can look into it or trace it. What its next ring is to serve first lies there
before it execs, so that nobody waits for it twice.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from errno import EINVAL
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, NoReturn, Self, final

import trio

from rsyscall_ns.handle.processes.clone_flags import CloneFlagsError
from rsyscall_ns.handle.processes.process_task import ProcessTask
from rsyscall_ns.handle.processes.thread import ThreadProcess
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.memory.memfile import EXEC, KEEPS_SIZE, new_memfile
from rsyscall_ns.memory.placed import PlacedFile
from rsyscall_ns.near.abi.capability_block import (
    AMBIENT_RAISE,
    capability_header,
    capability_words,
    pack_capabilities,
)
from rsyscall_ns.near.abi.fcntl_h import AT, F_SETFD
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.calls import cred as near_cred
from rsyscall_ns.near.calls.base import call_here
from rsyscall_ns.near.errors import RsyscallError, TaskLostError, kernel_error
from rsyscall_ns.near.ffi import BLOCK_SIZE, Ring, lib, mapped_at
from rsyscall_ns.near.nr import SYS, name_of
from rsyscall_ns.near.program import Call, Program, Results
from rsyscall_ns.near.values import value
from rsyscall_ns.transport.apart import to_the_end
from rsyscall_ns.transport.posting import Posted, post_on

from .block import ServerBlock
from .environment import Environments, table
from .first import EMPTY
from .idwrite import OwnMaps
from .launch import FILES, Launch
from .steps import FirstSteps, Wanted

__all__ = ["Ground", "StubChild", "StubNotStartedError", "check_stub_flags", "rights_of"]

WriteMaps = Callable[[ThreadProcess], Awaitable[None]]
PROGRAM: Final = Path(__file__).parent.parent / "stub.elf"
WORD: Final = 8
NEWUSER: Final = int(CLONE.NEWUSER)
SEALS: Final = fcntl.F_SEAL_WRITE | KEEPS_SIZE
ONLY_EXECUTE: Final = 0o111  # not readable: so nobody can trace it from its very first moment
EVERY: Final = 2**32 - 1
LAST_STREAM: Final = 2
EVERYTHING: Final = (EVERY, EVERY, 0) * 2
CAPABILITIES: Final = 64
ROOM: Final = 64 * 1024  # bytes for a stub and what it makes
DEATHS: Final = {
    lib.RS_STUB_NO_ROOM: "something lies in it where its memory was to be",
    lib.RS_STUB_REFUSED: "one of its first calls failed, as in a confined process",
}


class StubNotStartedError(RsyscallError, OSError):
    """The program of a stub could not be made, or not be executed."""

    def __init__(self, error: OSError, where: object) -> None:
        cure = "a security module, a filter, or vm.memfd_noexec may forbid programs in memory"
        OSError.__init__(self, error.errno, f"no stub for {where}: {error.strerror}; {cure}")


def check_stub_flags(flags: int) -> None:
    """Refuse what no program can share."""
    if flags & FILES:
        raise CloneFlagsError(flags, "a stub has an fd table of its own, as any program")


@cache
def image() -> bytes:
    """Return the program, as the package has it."""
    return PROGRAM.read_bytes()


def new_program() -> int:
    """Return the fd of the program, in memory, that nobody can change or read."""
    number = new_memfile("rsyscall_ns-stub", EXEC)
    try:
        left = memoryview(image())
        while left:
            left = left[os.write(number, left) :]
        os.fchmod(number, ONLY_EXECUTE)
        fcntl.fcntl(number, fcntl.F_ADD_SEALS, SEALS)
    except BaseException:
        os.close(number)
        raise
    return number


@value
class Rights:
    """What a child of a task may do, which an exec is not to change."""

    sets: tuple[int, ...]  # of capabilities, as the kernel has them
    ambient: bool  # whether they are to be handed through exec one by one


async def rights_of(parent: ProcessTask[Any], flags: int, inside: OwnMaps | None) -> Rights:
    """Ask for those of the parent; but in a user namespace of its own a child has all.

    ``inside``: its id maps, where they are of its own ids alone.
    """
    if flags & NEWUSER:
        return Rights(EVERYTHING, ambient=inside is None or inside.maps.uid[0].inside != 0)
    sysif = parent.sysif
    with parent.transient(capability_header()) as block:
        if sysif.same_thread:
            failed = -call_here(SYS.capget, block.address.value, block.address.value + WORD)
            if failed:
                raise kernel_error(failed, "capget", sysif)
        else:
            await near_cred.capget(sysif, block.address, block + WORD)
        sets = capability_words(block.read())
    own = os.geteuid() if sysif.same_thread else await near_cred.geteuid(sysif)
    return Rights(sets, ambient=any(sets) and own != 0)


@final
class StubExec:
    """The exec of the stub as a program, behind first steps or not. Owns what it needs."""

    __slots__ = ("_arena", "_execve", "_held", "first", "program", "steps")

    def __init__(self, child: StubChild, arena: Arena, wanted: Wanted | None) -> None:
        """``arena``: the parent's, from where the child comes."""
        self._arena = arena
        self._held: list[tuple[int, int]] = []
        self.first = None if wanted is None else FirstSteps(arena, wanted)
        self.steps = 0
        program = self.program = Program() if self.first is None else self.first.program
        program.interruptible = False
        if child.rights.ambient:
            self._keep_capabilities(child.rights.sets)
        for number in child.opened:
            program.call(SYS.fcntl, number, F_SETFD, 0)
        strings = [b"rsyscall_ns-stub\0", child.argument]
        size = WORD * (len(strings) + 1) + sum(map(len, strings)) + 1
        base = self._room(size)
        arena.view(base, size)[:] = table(strings, base) + b"\0"
        empty, nothing = base + size - 1, base + WORD * len(strings)
        self._execve = program.call(
            SYS.execveat, child.program, empty, base, nothing, AT.EMPTY_PATH
        )

    def _room(self, size: int) -> int:
        address = self._arena.allocate(size)
        self._held.append((address, size))
        return address

    def _keep_capabilities(self, sets: Sequence[int]) -> None:
        """Have them outlast the exec of somebody who is not root; the stub takes that back."""
        effective, permitted, _, more, rest, _ = sets
        content = pack_capabilities((effective, permitted, permitted, more, rest, rest))
        base = self._room(len(content))
        self._arena.view(base, len(content))[:] = content
        self.program.call(SYS.capset, base, base + WORD)
        for bit in range(CAPABILITIES):
            if (rest << 32 | permitted) >> bit & 1:  # the kernel may not know all of them
                self.program.call(SYS.prctl, PR.CAP_AMBIENT, AMBIENT_RAISE, bit, must_succeed=False)

    def fail(self, results: Results, where: object) -> NoReturn:
        """Raise what went wrong."""
        step, number = results.failure() or (self._execve.step, 0)
        call = self.program.step(step)
        assert isinstance(call, Call)
        error = kernel_error(number, name_of(call.number), where)
        if step == self._execve.step:
            raise StubNotStartedError(error, where) from error
        raise error

    def release(self) -> None:
        """Give the memory back. Idempotent."""
        while self._held:
            self._arena.release(*self._held.pop())
        if self.first is not None:
            self.first.release()


@final
class Ground:
    """What stubs of this interpreter need that come one after the other: kept for the next one.

    ``arena`` is the memory of the one that is there, ``environments`` stay.
    """

    __slots__ = ("_base", "arena", "environments", "file", "lasts", "program", "users")

    def __init__(self, *, lasts: bool) -> None:
        self.lasts = lasts  # else it is released with its first user
        self.file = PlacedFile()
        try:
            self.program = new_program()
        except BaseException:
            self.file.arena.close()
            self.file.close()
            raise
        self.environments = Environments(self.file.arena)
        self._base = self.file.arena.allocate(ROOM, BLOCK_SIZE)
        self.users = 0
        self.arena = self.file.arena

    def __enter__(self) -> Self:
        self.users += 1
        self.arena = Arena(place=(self._base, mapped_at(self._base, ROOM)))
        return self

    def __exit__(self, *_: object) -> None:
        self.users -= 1
        self.arena.close()
        if not self.lasts:
            self.release()

    def release(self) -> None:
        """Give it all back."""
        self.environments.clear()
        self.file.arena.close()
        self.file.close()
        os.close(self.program)


@final
class StubChild:
    """What a stub is made of; ``async with`` it while it is started.

    Owns the file of its program, and a parent's copies of that and of the arena's.
    """

    __slots__ = (
        "_arena",
        "_block",
        "_file",
        "_kept",
        "_parent",
        "_posted",
        "numbers",
        "opened",
        "program",
        "rights",
    )

    def __init__(
        self,
        parent: ProcessTask[Any],
        file: PlacedFile,
        rights: Rights,
        ground: Ground | None = None,
    ) -> None:
        """``ground``: in the interpreter itself, what is there for one stub after the other."""
        self._parent = parent
        self._kept = -1 if ground is None else ground.program
        self._arena = file.arena if ground is None else ground.arena
        self._file = file
        self.numbers: list[int] = []  # of the program and the arena, in the parent
        self._posted: Posted | None = None
        self.opened: list[int] = []  # fds that are to be open after the exec
        self.program = -1
        self.rights = rights

    async def __aenter__(self) -> Self:
        if self._kept >= 0:
            self.numbers = [self._kept, self._file.number]
            self.program = self._kept
            return self
        try:
            made = new_program()
        except OSError as error:
            raise StubNotStartedError(error, self._parent) from error
        if self._parent.sysif.same_thread:
            self.numbers = [made, self._file.number]
        else:
            try:
                for number in (made, self._file.number):
                    self.numbers.append(await self._parent.sysif.import_fd(number))
            except BaseException:
                await self._close()
                raise
            finally:
                os.close(made)
        self.program = self.numbers[0]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()
        if self._posted is not None:
            self._posted.release()

    async def _close(self) -> None:
        numbers, self.numbers = self.numbers, []
        if self._parent.sysif.same_thread:
            if self._kept < 0:
                os.close(numbers[0])
            return
        for number in numbers:
            try:
                await to_the_end(partial(self._parent.sysif.call, SYS.close, number))
            except TaskLostError:
                self._parent.holdings.forgotten.append(number)

    @property
    def ring(self) -> Ring:
        """The ring that it is to serve."""
        return self._block.ring

    @property
    def argument(self) -> bytes:
        """What the program is told: the fd of the arena, where to map it, and the ring."""
        arena, place, size = self.numbers[1], self._file.address, self._file.arena.mapped
        return f"{arena:x}:{place:x}:{size:x}:{self._block.address:x}".encode() + b"\0"

    async def start(
        self, launch: Launch, inherit: Sequence[int], write: WriteMaps | None
    ) -> ThreadProcess:
        """Start it, and wait until it serves; id maps that are written from outside come first."""
        bell, arena = await launch.open_doorbell(), self._parent.arena
        self.prepare(launch, bell, inherit, EMPTY)
        kept = [*inherit, *self.numbers]
        if write is None:
            exec_ = StubExec(self, arena, launch.first.wanted)
            launch.first.become(exec_)
            await launch.start(kept)
            process = await launch.adopt()
        else:
            launch.first.build()
            await launch.start(kept)
            process = await launch.adopt()
            await write(process)
            await launch.served()
            exec_ = StubExec(self, arena, None)
            launch.first.become(exec_)
            launch.post()
        results = await launch.alone()
        if results is None:
            raise await self._why(process) or TaskLostError(launch, "it died before it could serve")
        if results.program is exec_.program:
            launch.first.check(results, launch)
            exec_.fail(results, launch)
        launch.exec_served(process)
        return process

    def prepare(
        self, launch: Launch, bell: int, inherit: Sequence[int], first: Program, setup: int = 0
    ) -> None:
        """Write what it needs, and what it is to do first; ``setup``: more of ``RS_SETUP_*``."""
        arena = self._arena
        self._block = block = ServerBlock(self._parent, arena)
        kept = sorted({bell, *inherit})
        self.opened = [*(fd for fd in kept if fd > LAST_STREAM), self.numbers[1]]
        content = struct.pack(f"<{len(kept)}i", *kept)
        place = arena.allocate(len(content))  # it goes with the arena
        arena.view(place, len(content))[:] = content
        setup |= lib.RS_SETUP_HANDLERS | lib.RS_SETUP_OWN_FILES | lib.RS_SETUP_CAPABILITIES
        block.prepare(
            setup=setup, doorbell=bell, death_signal=SIG.KILL, mask=0, kept=(place, len(kept))
        )
        block.ring.capabilities = list(self.rights.sets)
        if self._parent.sysif.same_thread:
            block.ring.parent = os.getpid()
        self._posted = post_on(block.ring, arena, first)
        launch.then(block, self._posted)

    @staticmethod
    async def _why(process: ThreadProcess) -> RsyscallError | None:
        """Return the error for a stub that has ended itself, if it has."""
        with trio.CancelScope(shield=True), suppress(OSError, RsyscallError):
            state = await process.wait()
            why = DEATHS.get(state.exit_status or 0)
            if why is not None:
                return StubNotStartedError(OSError(EINVAL, why), process)
        return None
