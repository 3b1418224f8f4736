"""Memory that a program of its own maps where we have it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from errno import EBADF, EEXIST
from pathlib import Path

import pytest

from rsyscall_ns import NoPlaceError
from rsyscall_ns.memory.arena import RESERVED
from rsyscall_ns.memory.placed import PlacedFile, places
from rsyscall_ns.near.ffi import lib, map_at
from tests.support.census import nothing_left


@pytest.fixture
def file() -> Generator[PlacedFile, None, None]:
    with nothing_left():
        with PlacedFile() as placed:
            yield placed
            placed.arena.close()
        del placed


def mapped(address: int) -> str:
    """Return what is mapped there."""
    for line in Path("/proc/self/maps").read_text("utf-8", "replace").splitlines():
        first, last = (int(end, 16) for end in line.split()[0].split("-"))
        if first <= address < last:
            return line
    return ""


def test_it_is_mapped_once_and_both_see_what_is_written(file: PlacedFile) -> None:
    address = file.arena.allocate(16)
    file.arena.view(address, 4)[:] = b"seen"

    assert file.address <= address < file.address + RESERVED
    assert os.pread(file.number, 4, address - file.address) == b"seen"
    assert file.arena.mapped == RESERVED
    assert file.arena.apart
    assert not file.arena.grows
    assert file.arena.entry == lib.rs_entry_point()
    file.arena.release(address, 16)


def test_it_lies_where_a_new_program_has_nothing(file: PlacedFile) -> None:
    first, last = places()
    assert first <= file.address < file.address + RESERVED <= last
    assert first > 1 << 32  # above programs that have a fixed place
    with open("/proc/self/maps", encoding="utf-8") as maps:  # noqa: PTH123 - line by line
        libraries = [int(line.split("-")[0], 16) for line in maps if ".so" in line]
    assert last < min(libraries)


def test_what_is_closed_is_unmapped_with_its_last_view() -> None:
    placed = PlacedFile()
    view = placed.arena.view(placed.arena.allocate(16), 16)
    address = placed.address
    placed.close()
    placed.close()
    placed.arena.close()

    view[:4] = b"late"
    assert mapped(address)
    view.release()
    del placed, view

    assert not mapped(address)


def test_nobody_can_change_its_size(file: PlacedFile) -> None:
    for size in (0, RESERVED - 1, RESERVED + 1):
        with pytest.raises(PermissionError):
            os.ftruncate(file.number, size)
    with pytest.raises(PermissionError):
        fcntl.fcntl(file.number, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)


def test_no_place_is_an_error_with_a_name(file: PlacedFile) -> None:
    with pytest.raises(NoPlaceError, match="end some stubs"):
        PlacedFile((file.address, file.address + RESERVED))


def test_what_is_mapped_is_never_replaced(file: PlacedFile) -> None:
    assert map_at(file.address, RESERVED, file.number) == EEXIST
    assert map_at(places()[1], RESERVED, -1) == EBADF
    assert "rsyscall_ns-arena" in mapped(file.address)
