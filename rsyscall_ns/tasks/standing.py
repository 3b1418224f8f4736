"""Execs for new children: programs that lie in memory already when a command is started again."""

from __future__ import annotations

from typing import NoReturn, final

from rsyscall_ns.memory.arena import Arena
from rsyscall_ns.near.program import Program, Results
from rsyscall_ns.transport.scratch import block_size, place

from .environment import Environment
from .exec import ExecPlan, ExecProgram

__all__ = ["NewExec", "StandingExec"]


@final
class StandingExec:
    """A plain exec whose steps lie at ``steps``. Attached to its environment, which frees it."""

    __slots__ = ("_arena", "_size", "exec", "steps", "users")

    def __init__(self, plan: ExecPlan, arena: Arena, environment: Environment) -> None:
        self._arena = arena
        self.exec = ExecProgram(plan, arena, environment.address)
        self.users = 0
        self._size = block_size(self.exec.program)
        self.steps = arena.take(self._size)
        with arena.view(self.steps, self._size) as view:
            place(self.exec.program, view, self.steps)

    def release(self) -> None:
        """Give the memory back."""
        self._arena.give_back(self.steps, self._size)
        self.exec.release()


@final
class NewExec:
    """The exec of one new child, which nobody undoes; ``release`` it when it was carried out."""

    __slots__ = ("_exec", "_standing", "program", "steps")

    def __init__(
        self, plan: ExecPlan, arena: Arena, environment: Environment, before: Program | None
    ) -> None:
        """``before``: steps that come first."""
        self._standing: StandingExec | None = None
        self.steps = 0  # the address of those that lie in memory, 0 where they don't
        if plan.plain and before is None:
            self._standing = standing = self._find(plan, arena, environment)
            standing.users += 1
            self._exec = standing.exec
            self.steps = standing.steps
        else:
            self._exec = ExecProgram(plan, arena, environment.address, before)
        self.program = self._exec.program

    @staticmethod
    def _find(plan: ExecPlan, arena: Arena, environment: Environment) -> StandingExec:
        key = (id(plan.command), plan.resets)  # the command is kept alive by the exec
        known = environment.attached.get(key)
        if isinstance(known, StandingExec):
            return known
        made = StandingExec(plan, arena, environment)
        environment.attach(key, made)
        return made

    def fail(self, results: Results, where: object) -> NoReturn:
        """Raise what went wrong."""
        self._exec.fail(results, where)

    def release(self) -> None:
        """Give back what is not kept for the next."""
        if self._standing is None:
            self._exec.release()
        else:
            self._standing.users -= 1
