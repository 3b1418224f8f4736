"""Starting things with no fd left: the error names the call."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from errno import EMFILE

import pytest

from rsyscall_ns import PIPE, Container, Task
from tests.support.census import nothing_left
from tests.support.limits import fd_table_full


async def pipes(local: Task) -> None:
    await Container(["true"], task=local, stdout=PIPE).run()


async def callables(local: Task) -> None:
    await Container(target=os.getpid, task=local).run()


async def supervised(local: Task) -> None:
    await Container(["true"], task=local, user=True, pid=True, init=True).run()


WAYS = [(pipes, "pipe2"), (callables, "socketpair"), (supervised, "memfd_create")]


@pytest.mark.parametrize(("way", "call"), WAYS)
async def test_the_error_names_the_call(
    local: Task, way: Callable[[Task], Awaitable[None]], call: str
) -> None:
    await way(local)
    with nothing_left(local), fd_table_full(os.getpid()):
        with pytest.raises(OSError, match=rf"{call}\(2\) in this interpreter") as caught:
            await way(local)
        assert caught.value.errno == EMFILE
