"""Programs of many commands that are started at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from rsyscall_ns import Task
from tests.support.children import shell

MANY = 40  # more than are kept in memory for the next time


@pytest.mark.parametrize("way", ["launch", "exec"])
async def test_each_program_gets_its_own_arguments(local: Task, way: str, tmp_path: Path) -> None:
    async def run(number: int) -> None:
        command = shell(f"echo {number} >> {tmp_path / str(number)}")
        if way == "launch":
            async with local.launch(command) as process:
                await process.check()
            return
        async with local.spawn() as child:
            process = await child.exec(command)
            await process.check()

    async with trio.open_nursery() as nursery:
        for number in range(MANY):
            nursery.start_soon(run, number)

    for number in range(MANY):
        written = (tmp_path / str(number)).read_text(encoding="ascii")
        assert written == f"{number}\n"
