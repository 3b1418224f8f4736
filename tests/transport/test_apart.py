"""to_the_end: neither a cancel nor Ctrl-C breaks it off."""

from __future__ import annotations

import trio

from rsyscall_ns.transport.apart import to_the_end


async def current() -> trio.lowlevel.Task:
    await trio.lowlevel.checkpoint()
    return trio.lowlevel.current_task()


def test_of_the_main_task_another_one_does_it_and_that_one_does_all_that_is_inside() -> None:
    found: list[trio.lowlevel.Task] = []

    async def outer() -> None:
        found.append(trio.lowlevel.current_task())
        found.append(await to_the_end(current))

    async def main() -> None:
        found.append(trio.lowlevel.current_task())
        await to_the_end(outer)
        found.append(await to_the_end(current))

    trio.run(main)

    me, worker, inside, later = found
    assert worker is inside
    assert len({me, worker, later}) == 3


async def test_a_task_of_a_nursery_does_it_itself_and_a_cancel_waits() -> None:
    found: list[trio.lowlevel.Task] = []

    async def one() -> None:
        found.append(trio.lowlevel.current_task())
        with trio.CancelScope() as scope:
            scope.cancel()
            found.append(await to_the_end(current))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(one)

    assert found[0] is found[1]
