"""Tables of errors that manual pages name, and how each is provoked."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Generic, TypeVar, final

import pytest
from attrs import frozen

from rsyscall_ns import LandlockDisabledError, MissingCallError, Task
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT

__all__ = ["Case", "Provoked", "Scene", "Use", "cases", "powerless", "provoke"]

P = TypeVar("P")  # what a use is given: a task, or what the test has made in it

Use = Callable[[P], Awaitable[object]]
Provoked = Mapping[str, Iterable[tuple[str, Use[P]]]]
SECTION: Final = r"\(2\)"
PLAIN_USER: Final = 65534
MISSING: Final = (MissingCallError, LandlockDisabledError)


@frozen
class Scene:
    """A task that makes the calls, and a folder that is empty at first."""

    task: Task
    folder: Path


@final
@frozen
class Case(Generic[P]):
    """One error of one page."""

    page: str
    name: str
    use: Use[P]


def cases(provoked: Provoked[P]) -> pytest.MarkDecorator:
    """Run a test once for each error of a table, as its argument ``case``."""
    found = [Case(page, name, use) for page, several in provoked.items() for name, use in several]
    return pytest.mark.parametrize(
        "case", found, ids=[f"{case.page}-{case.name}" for case in found]
    )


def powerless(use: Use[Task]) -> Use[Task]:
    """Use a child of a task that has no capability."""

    async def run(task: Task) -> None:
        async with task.spawn() as child:
            if IS_ROOT:
                await child.cred.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
            await use(child)

    return run


async def provoke(task: Task, case: Case[P], given: P) -> None:
    """Assert that a call fails as its page says, and that nothing is left of it in the task.

    The test is skipped where the kernel lacks the call.
    """
    with nothing_left(task), pytest.raises(OSError, match=SECTION) as caught:
        await case.use(given)

    expected = getattr(errno, case.name)
    if caught.value.errno != expected and isinstance(caught.value, MISSING):
        pytest.skip(f"not in this kernel: {caught.value}")
    assert caught.value.errno == expected, f"{case.page}(2): {caught.value}"
