"""The fds of Python callables: those that were asked for, and none that a step has opened."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Literal

import pytest

from rsyscall_ns import BindMount, Container, DevMount, IdMap, Task
from rsyscall_ns.containers.options import Arguments
from tests.support.children import IS_ROOT
from tests.support.roots import ROOT

Method = Literal["zygote", "spawn"]
WAYS: Final[dict[str, Arguments]] = {
    "plain": {},
    "all": {"all": True},
    "workdir": {"user": True, "workdir": "/"},
    "root": {"all": True, "mounts": [*ROOT, DevMount()]},
}


@pytest.fixture(params=["zygote", "spawn"])
def method(request: pytest.FixtureRequest) -> Method:
    found: Method = request.param
    return found


@pytest.mark.parametrize("way", WAYS)
async def test_a_callable_has_its_streams_the_channel_and_nothing_else(
    way: str, method: Method
) -> None:
    more: Arguments = {"args": ("/proc/self/fd",), "start_method": method}
    given: Arguments = {**WAYS[way], **more}

    found = await Container(target=os.listdir, **given).run()

    assert sorted(map(int, found))[:3] == [0, 1, 2]
    assert len(found) == 5  # one of them is that of the listing


async def test_it_has_no_fds_but_its_streams_and_the_channel() -> None:
    reading, writing = os.pipe()
    try:
        found = await Container(target=lambda: len(os.listdir("/proc/self/fd"))).run()  # noqa: PTH208 - os alone
    finally:
        os.close(reading)
        os.close(writing)

    assert found == 5  # one of them is that of the listing


async def test_fds_that_are_passed_are_there_under_their_numbers(
    local: Task, tmp_path: Path, method: Method
) -> None:
    names = [tmp_path / str(number) for number in range(12)]
    for name in names:
        name.write_text(name.name, encoding="ascii")
    async with AsyncExitStack() as scope:
        fds = [await scope.enter_async_context(await local.fs.open(name)) for name in names]
        numbers = [fd.near.number for fd in fds]

        def look() -> tuple[list[str], bool, int]:
            inheritable = any(os.get_inheritable(number) for number in numbers)
            found = [os.read(number, 9).decode() for number in numbers]
            return found, inheritable, len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - os alone

        found = await Container(target=look, pass_fds=fds, all=True, start_method=method).run()

    assert found == ([name.name for name in names], False, 5 + len(names))


@pytest.mark.skipif(not IS_ROOT, reason="only root makes id-mapped mounts")
async def test_an_id_mapped_mount_is_there(tmp_path: Path, method: Method) -> None:
    (tmp_path / "file").touch()

    def look() -> tuple[int, int]:
        return os.stat("/mnt/file").st_uid, len(os.listdir("/proc/self/fd"))  # noqa: PTH116, PTH208 - os alone

    mount = BindMount(tmp_path, "/mnt", id_map=IdMap.parse("0 1000 1", 0))
    made = Container(target=look, mnt=True, mounts=[mount], start_method=method)

    assert await made.run() == (1000, 5)
