"""How much is measured: rounds of each group, sizes of the crowds."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from .idle import IdleEffort
from .launch import HEAP

__all__ = ["FULL", "ONCE", "QUICK", "Effort"]


@frozen
class Effort:
    """Rounds, where nothing else is said."""

    name: str
    calls: int
    parked: int
    data: int
    launch: int
    heap: int
    heap_size: int  # MiB
    at_once: int
    hold: int
    hold_size: int  # spawns in a batch
    containers: int
    idle: int
    idle_effort: IdleEffort
    imports: int
    flight: int  # programs
    lanes: int  # of them at a time


FULL: Final = Effort(
    name="full",
    calls=200,
    parked=200,
    data=200,
    launch=300,
    heap=60,
    heap_size=HEAP,
    at_once=60,
    hold=5,
    hold_size=200,
    containers=100,
    idle=3,
    idle_effort=IdleEffort(children=1000, others=100, seconds=3),
    imports=30,
    flight=10_000,
    lanes=200,
)
QUICK: Final = Effort(
    name="quick",
    calls=20,
    parked=10,
    data=10,
    launch=30,
    heap=5,
    heap_size=HEAP,
    at_once=5,
    hold=2,
    hold_size=20,
    containers=10,
    idle=1,
    idle_effort=IdleEffort(children=200, others=50, seconds=2),
    imports=5,
    flight=1000,
    lanes=100,
)
ONCE: Final = Effort(
    name="once",
    calls=1,
    parked=1,
    data=1,
    launch=1,
    heap=1,
    heap_size=64,
    at_once=1,
    hold=1,
    hold_size=2,
    containers=1,
    idle=1,
    idle_effort=IdleEffort(children=10, others=5, seconds=0.1),
    imports=1,
    flight=50,
    lanes=2,
)
