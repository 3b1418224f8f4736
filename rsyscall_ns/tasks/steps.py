"""The first steps of a child: its id maps, if it may write them, its namespaces, its mounts."""

from __future__ import annotations

from errno import EINVAL
from typing import Final, final

from rsyscall_ns.handle.calls.ns import RootNotMountedError, not_allowed
from rsyscall_ns.handle.pointers.context import Transient
from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.near.abi.mount_h import MS
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.sched_h import CLONE, NEW_NAMESPACES
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program, Ref, Results

from .idwrite import OwnMaps, append_maps

__all__ = ["BY_CLONE", "NEW", "FirstSteps", "MapsRefusedError", "Wanted"]

# plain ints: a flag type's own operators are slow
NEW: Final = int(NEW_NAMESPACES)
BY_CLONE: Final = int(CLONE.NEWUSER | CLONE.NEWPID)
NEWNS: Final = int(CLONE.NEWNS)
PRIVATE: Final = int(MS.REC | MS.PRIVATE)
Wanted = tuple[int, OwnMaps | None]  # the namespaces to be made, and the maps to be written


class MapsRefusedError(RsyscallError):
    """The child may not write its own id maps, as a security module may say: do it for it."""

    def __init__(self, child: object) -> None:
        super().__init__(f"{child} may not write its own id maps")


@final
class FirstSteps:
    """A program of them. Owns the memory that they need; ``release`` it."""

    __slots__ = ("_arena", "_flags", "_held", "_mapped", "_unshared", "program")

    def __init__(self, arena: Arena, wanted: Wanted) -> None:
        self._arena = arena
        self._held: list[Transient] = []
        self._flags, maps = wanted
        self._mapped = 0  # steps that write id maps
        self._unshared: Ref | None = None
        program = self.program = Program()
        program.interruptible = False
        if maps is not None:
            if arena.apart:  # a child of a stub, with memory of its own: its files are root's else
                program.call(SYS.prctl, PR.SET_DUMPABLE, 1)
            append_maps(program, maps.proc, "self", maps.maps, self._place)
            if arena.apart:
                program.call(SYS.prctl, PR.SET_DUMPABLE, 0)
            program.call(SYS.close, maps.proc)
            self._mapped = len(program)
        if self._flags:
            self._unshared = program.call(SYS.unshare, self._flags)
        if self._flags & NEWNS:
            # before the first mount: none that is made in there may reach the outside
            program.call(SYS.mount, 0, self._place(b"/\0"), 0, PRIVATE, 0)

    def _place(self, content: bytes) -> int:
        memory = Transient(self._arena, content).__enter__()
        self._held.append(memory)
        return memory.address.value

    def check(self, results: Results, where: object) -> None:
        """Raise the error of a step of them that failed."""
        failed = results.failure()
        if failed is not None and failed[0] < self._mapped:
            raise MapsRefusedError(where)
        if failed is None or self._unshared is None or failed[0] > self._unshared.step + 1:
            return
        try:
            results.check(where)
        except OSError as error:
            if failed[0] == self._unshared.step:
                raise not_allowed(error, self._flags, where) from error
            if error.errno == EINVAL:
                raise RootNotMountedError(where) from error
            raise

    def release(self) -> None:
        """Give the memory back: the child is done with it, or dead. Idempotent."""
        while self._held:
            self._held.pop().__exit__()
