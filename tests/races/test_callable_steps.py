"""Callables in containers: a cancel, a kill or an error at every single step leaves nothing."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress

import pytest

from rsyscall_ns import Container, RsyscallError
from tests.support.census import children, nothing_left
from tests.support.hurt import HURTS, Hurt, at_each_step
from tests.support.procfs import mountinfo
from tests.support.steps import Steps
from tests.support.zygotes import kill_zygote


@pytest.fixture
async def steps(steps: Steps) -> Steps:
    """Count them, with a zygote that stays."""
    await Container(target=os.getpid).run()
    return steps


async def use(method: str) -> int:
    made = Container(
        target=abs, args=(-7,), user=True, pid=True, mnt=True, map_zero=True, start_method=method
    )
    found: int = await made.run()
    return found


@contextmanager
def all_flat() -> Generator[None]:
    """Assert that the block leaves everything as it was, and all mounts."""
    before = mountinfo()
    with nothing_left():
        yield
    assert mountinfo() == before


@pytest.mark.parametrize("hurt", HURTS, ids=str)
@pytest.mark.parametrize("method", ["zygote", "spawn"])
async def test_a_callable_hurt_at_any_step(steps: Steps, method: str, hurt: Hurt) -> None:
    await at_each_step(steps, hurt, lambda: use(method), expected=7, least=3, flat=all_flat)


async def test_a_killed_zygote_at_any_step(steps: Steps) -> None:
    assert await use("zygote") == 7
    for at in steps.moments(3):
        before = len(children())
        steps.arm(at, kill_zygote)
        with suppress(RsyscallError):
            assert await use("zygote") == 7
        steps.disarm()
        assert await use("zygote") == 7
        assert len(children()) == before
