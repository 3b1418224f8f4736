"""Hooks of a Python callable: they run in its process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest

from rsyscall_ns import Container, ContainerArgumentError

Method = Literal["zygote", "spawn"]


@pytest.fixture(params=["zygote", "spawn"])
def method(request: pytest.FixtureRequest) -> Method:
    found: Method = request.param
    return found


def refuse() -> None:
    raise ValueError


class Noted(Container):
    """Writes down what is called."""

    path: Path

    def note(self, what: str) -> None:
        with self.path.open("a", encoding="ascii") as file:
            file.write(f"{what} ")

    # a hook of a callable is plain and gets no task
    def preup(self) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self.note("preup")

    # a hook of a callable is plain and gets no task
    def postup(self) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self.note("postup")

    # a hook of a callable is plain and gets no task
    def exceptup(self, error: BaseException) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self.note(f"exceptup:{type(error).__name__}")

    # a hook of a callable is plain and gets no task
    def preexec(self) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self.note("preexec")

    # a hook of a callable is plain and gets no task
    def postexec(self) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self.note("postexec")

    # a hook of a callable is plain and gets no task
    def exceptexec(self, error: BaseException) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self.note(f"exceptexec:{type(error).__name__}")


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (os.getpid, "preup postup preexec postexec "),
        (refuse, "preup postup preexec exceptexec:ValueError postexec "),
    ],
)
async def test_hooks_run_in_the_process_in_order(
    function: object, expected: str, tmp_path: Path, method: Method
) -> None:
    assert callable(function)
    container = Noted(target=function, user=True, start_method=method)
    container.path = tmp_path / "notes"

    try:
        await container.run()
    except ValueError:
        assert function is refuse

    assert container.path.read_text(encoding="ascii") == expected


async def test_a_hook_is_told_of_a_step_that_failed(tmp_path: Path) -> None:
    container = Noted(target=os.getpid, user=True, workdir="/not/there")
    container.path = tmp_path / "notes"

    with pytest.raises(OSError, match="no working directory"):
        await container.run()

    assert container.path.read_text(encoding="ascii") == "preup exceptup:StepFailedError postup "


async def test_an_async_hook_of_a_callable_is_refused() -> None:
    class Late(Container):
        async def preup(self, task: object) -> None:
            del task

    with pytest.raises(ContainerArgumentError, match="plain def"):
        await Late(target=os.getpid).run()
