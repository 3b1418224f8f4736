"""Execs for new children: programs that lie in memory already when a command is started again."""

from __future__ import annotations

from functools import partial
from typing import Final, NoReturn, TypeAlias, final

from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.near.program import Results
from rsyscall_ns.transport.apart import to_the_end
from rsyscall_ns.transport.ring import RingInterface
from rsyscall_ns.transport.scratch import block_size, place

from .block import ServerBlock
from .environment import Environment, Environments
from .exec import ExecPlan, ExecProgram
from .steps import FirstSteps, Wanted

__all__ = ["NewExec", "StandingExec", "run_exec"]

First: TypeAlias = FirstSteps | None
MOST_BLOCKS: Final = 4  # that are kept for each exec
MOST_SPARE: Final = 4  # execs of the same command by children that serve


@final
class StandingExec:
    """A plain exec whose steps lie at ``steps``. Attached to its environment, which frees it.

    ``blocks``: of children that have carried it out, for the next ones.
    """

    __slots__ = ("_arena", "_size", "blocks", "exec", "first", "steps", "users")

    def __init__(
        self,
        plan: ExecPlan,
        arena: Arena,
        environment: Environment,
        first: First = None,
    ) -> None:
        """``first``: steps that come before it, owned from now on."""
        self._arena = arena
        self.first = first
        before = None if self.first is None else self.first.program
        self.exec = ExecProgram(plan, arena, environment.address, before)
        self.users = 0
        self.blocks: list[ServerBlock] = []
        self._size = block_size(self.exec.program)
        self.steps = arena.take(self._size)
        with arena.view(self.steps, self._size) as view:
            place(self.exec.program, view, self.steps)

    @classmethod
    def of(
        cls, plan: ExecPlan, arena: Arena, environment: Environment, wanted: Wanted | None = None
    ) -> StandingExec:
        """Find that of a plain plan, which is made if need be. ``wanted``: what comes before it."""
        # the command is kept alive by the exec
        key = (id(plan.command), plan.resets, wanted)
        known = environment.attached.get(key)
        if isinstance(known, StandingExec):
            return known
        first = None if wanted is None else FirstSteps(arena, wanted)
        made = cls(plan, arena, environment, first)
        environment.attach(key, made)
        return made

    def give_block(self, block: ServerBlock) -> None:
        """Keep the block of a child that uses it no more, for the next."""
        if len(self.blocks) == MOST_BLOCKS:
            block.free()
        else:
            self.blocks.append(block)

    def release(self) -> None:
        """Give the memory back."""
        while self.blocks:
            self.blocks.pop().free()
        self._arena.give_back(self.steps, self._size)
        self.exec.release()
        if self.first is not None:
            self.first.release()


@final
class NewExec:
    """The exec of one new child, which nobody undoes; ``release`` it when it was carried out."""

    __slots__ = ("_exec", "_standing", "first", "program", "steps")

    def __init__(
        self, plan: ExecPlan, arena: Arena, environment: Environment, wanted: Wanted | None
    ) -> None:
        """``wanted``: first steps that come before it."""
        self._standing: StandingExec | None = None
        self.steps = 0  # the address of those that lie in memory, 0 where they don't
        if plan.plain:
            self._standing = standing = StandingExec.of(plan, arena, environment, wanted)
            standing.users += 1
            self._exec, self.first = standing.exec, standing.first
            self.steps = standing.steps
        else:
            self.first = None if wanted is None else FirstSteps(arena, wanted)
            before = None if self.first is None else self.first.program
            self._exec = ExecProgram(plan, arena, environment.address, before)
        self.program = self._exec.program

    def take_block(self) -> ServerBlock | None:
        """Return the block of an earlier child, if there is one."""
        standing = self._standing
        return standing.blocks.pop() if standing is not None and standing.blocks else None

    def give_block(self, block: ServerBlock) -> None:
        """Keep the block of a child that uses it no more, for the next."""
        if self._standing is None:
            block.free()
        else:
            self._standing.give_block(block)

    def fail(self, results: Results, where: object) -> NoReturn:
        """Raise what went wrong."""
        self._exec.fail(results, where)

    def release(self) -> None:
        """Give back what is not kept for the next."""
        if self._standing is not None:
            self._standing.users -= 1
            return
        self._exec.release()
        if self.first is not None:
            self.first.release()


@final
class SpareExecs:
    """Execs of one command for children that serve: for one child at a time, as it may be undone.

    Attached to its environment, which frees them.
    """

    __slots__ = ("_spare", "users")

    def __init__(self) -> None:
        self._spare: list[StandingExec] = []
        self.users = 0

    @classmethod
    def of(cls, plan: ExecPlan, environment: Environment) -> SpareExecs:
        """Find those of a plain plan, which are made if need be."""
        key = (id(plan.command), plan.resets)  # the command is kept alive by the execs
        known = environment.attached.get(key)
        if isinstance(known, SpareExecs):
            return known
        made = cls()
        environment.attach(key, made)
        return made

    def take(self, plan: ExecPlan, arena: Arena, environment: Environment) -> StandingExec:
        """Return one that nobody uses; ``give_back`` it."""
        exec_ = self._spare.pop() if self._spare else StandingExec(plan, arena, environment)
        self.users += 1
        return exec_

    def give_back(self, exec_: StandingExec, *, done: bool) -> None:
        """Keep it for the next child, if there is room, and this one is certain to be done."""
        self.users -= 1
        if done and len(self._spare) < MOST_SPARE:
            self._spare.append(exec_)
        else:
            exec_.release()

    def release(self) -> None:
        """Give the memory back."""
        while self._spare:
            self._spare.pop().release()


async def run_exec(ring: RingInterface, plan: ExecPlan, environments: Environments) -> None:
    """Have a child carry it out; raises what went wrong after everything was put back.

    From here on it either happens or fails: nothing of it is cancelled.
    """
    arena = environments.arena
    with environments.borrow(plan.command) as environment:
        if not plan.plain:
            exec_ = ExecProgram(plan, arena, environment.address)
            try:
                results = await _carry_out(ring, exec_)
            finally:
                exec_.release()
            if results is not None:
                exec_.fail(results, ring)
            return
        spare = SpareExecs.of(plan, environment)
        standing = spare.take(plan, arena, environment)
        done = False
        try:
            results = await _carry_out(ring, standing.exec, standing.steps)
            done = True
        finally:
            spare.give_back(standing, done=done)
        if results is not None:
            standing.exec.fail(results, ring)


async def _carry_out(ring: RingInterface, exec_: ExecProgram, steps: int = 0) -> Results | None:
    """Do it, or undo it and return what has failed; ``steps``: where they lie already."""
    results = await ring.finish_last(ring.begin(exec_.program, steps, last=True))
    if results is not None:
        await to_the_end(partial(ring.execute, exec_.undo(results)))
    return results
