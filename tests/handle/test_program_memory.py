"""Memory of programs: whose it is, also when programs are put together."""

from __future__ import annotations

import pytest

from rsyscall_ns import AT_FDCWD, BYTES, SEEK, ArgumentRangeError, Program, ProgramError, Ref, Task
from rsyscall_ns.near.program import Region


def reading(size: int) -> Program:
    """Return a program that has memory already."""
    program = Program()
    program.room(size)
    return program


def test_memory_of_another_program_that_has_as_much_is_refused() -> None:
    foreign = Program().room(64)
    program = reading(4)

    with pytest.raises(ProgramError, match="another program"):
        program.calls.getrandom(foreign, 64, 0)
    assert len(program) == 0


async def test_results_do_not_have_the_memory_of_another_program(task: Task) -> None:
    program = reading(8)
    results = await task.run(program)

    for foreign in (Program().room(8), program.room(8)):
        with pytest.raises(ProgramError, match="not of the program that ran"):
            _ = results[foreign]


async def test_memory_of_a_program_that_was_appended_stays_the_same(task: Task) -> None:
    part = Program()
    room = part.room(b"....")
    part.calls.getrandom(room + 2, 0, 0)
    whole = Program()
    own = whole.room(b"own")
    for _ in range(2):
        whole.extend(part)
    whole.calls.getcwd(own, 0, must_succeed=False)
    whole.calls.getcwd(room, 4, must_succeed=False)

    results = await task.run(whole)

    assert (results[room], results[own], results[room + 3]) == (b"....", b"own", b".")
    assert len(whole.regions) == 3


async def test_a_program_that_is_appended_to_itself_writes_twice(task: Task) -> None:
    program = Program()
    room = program.room(2)
    program.calls.getrandom(room, 2, 0)
    program.extend(program)

    results = await task.run(program)

    assert len(results.raw.values) == 2
    assert len(results[room]) == 2


async def test_memory_is_what_it_was_when_it_was_given(task: Task) -> None:
    content = bytearray(b"before")
    program = Program()
    room = program.room(content)
    content[:] = b"changed, and longer"

    assert (await task.run(program))[room] == b"before"


async def test_memory_of_no_bytes_and_of_odd_sizes(task: Task) -> None:
    program = Program()
    rooms = [program.room(size) for size in (0, 1, 7, 8, 9)]
    for room in rooms:
        program.calls.getrandom(room, room.size, 0)

    results = await task.run(program)

    assert [len(results[room]) for room in rooms] == [0, 1, 7, 8, 9]
    assert [results.load(room, BYTES) for room in rooms] == [results[room] for room in rooms]


async def test_a_failing_call_names_the_memory_of_a_program_that_was_appended(task: Task) -> None:
    part = Program()
    part.calls.openat(AT_FDCWD, "/nowhere", 0)
    whole = Program()
    whole.calls.access("/", 0)
    whole.extend(part)

    with pytest.raises(FileNotFoundError, match=r"step 2 of 2: openat.*nowhere"):
        await task.run(whole)


async def test_memory_may_hold_the_address_of_other_memory(task: Task) -> None:
    part = Program()
    word = part.room(b"..word")
    vector = part.room(bytes(8) + (4).to_bytes(8, "little"))
    part.link(vector, word + 2)
    whole = Program()
    whole.room(b"own")
    whole.extend(part)
    whole.extend(part)  # which has memory of its own, and the same links
    where = list(whole.regions)
    async with await task.fds.memfd_create("vectors") as file:
        for key in where[2::2]:
            whole.calls.writev(file, Region(key, vector.size), 1)
        results = await task.run(whole)
        assert len(where) == 5
        assert [results.value(Ref(step)) for step in (0, 1)] == [4, 4]
        await file.lseek(0, SEEK.SET)
        assert await file.read(64) == b"wordword"


def test_a_link_out_of_a_program_is_refused() -> None:
    program = Program()
    room, foreign = program.room(8), Program().room(8)
    for place, to in ((room, foreign), (foreign, room)):
        with pytest.raises(ProgramError):
            program.link(place, to)
    with pytest.raises(ArgumentRangeError):
        program.link(room + 1, room)
