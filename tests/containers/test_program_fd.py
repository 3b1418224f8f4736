"""Container: a command whose program is an fd."""

from __future__ import annotations

import pytest

from rsyscall_ns import (
    PIPE,
    ChildTask,
    Command,
    Container,
    ExecFDError,
    O,
    Task,
    TmpfsMount,
)
from tests.support.census import nothing_left
from tests.support.roots import SYSTEM


class InSteps(Container):
    """One that is made in steps."""

    async def preexec(self, task: ChildTask) -> None:
        await task.cred.getuid()


@pytest.mark.parametrize("kind", [Container, InSteps])
async def test_a_program_that_is_not_in_its_root_runs_by_its_fd(
    local: Task, kind: type[Container]
) -> None:
    libraries = [mount for mount in SYSTEM if mount.place.startswith("/lib")]
    mounts = [TmpfsMount("/"), *libraries]
    with nothing_left(local):
        async with await local.fs.open("/bin/cat", O.RDONLY) as program:
            command = Command(program, ["cat", "/proc/self/comm"])
            c = kind(command, user=True, pid=True, mnt=True, mounts=mounts, stdout=PIPE, task=local)
            done = await c.run()
        assert done.stdout is not None
        assert done.exitcode == 0


async def test_process_1_of_ours_starts_programs_by_their_paths(local: Task) -> None:
    with nothing_left(local):
        async with await local.fs.open("/bin/true", O.RDONLY) as program:
            c = Container(Command(program, ["true"]), user=True, pid=True, init=True, task=local)
            with pytest.raises(ExecFDError, match="process 1"):
                await c.run()
