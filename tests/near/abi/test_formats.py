"""Formats of varying length become values and the same bytes again; what is none is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    DT,
    FAN,
    IN,
    ArgumentRangeError,
    DirectoryEntry,
    FanotifyError,
    FanotifyFid,
    FanotifyMount,
    FanotifyOther,
    FanotifyPidfd,
    FanotifyRange,
    FileHandle,
    InotifyEvent,
    SerializerError,
    directory_entries,
    inotify_events,
)
from rsyscall_ns.near.abi.dirent_h import pack_directory_entries
from rsyscall_ns.near.abi.fanotify_events import FanotifyRecord, fanotify_records
from rsyscall_ns.near.abi.xattr_h import xattr_names

I32 = st.integers(-(2**31), 2**31 - 1)
U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
NAMES = st.binary(min_size=1, max_size=255).filter(lambda name: b"\0" not in name)
TEXTS = NAMES.map(lambda name: name.decode(errors="surrogateescape"))
HANDLES = st.builds(FileHandle, I32, st.binary(max_size=128))
ENTRIES = st.builds(
    DirectoryEntry,
    U64,
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(DT) | st.sampled_from([3, 255]),
    TEXTS,
)
EVENTS = st.builds(InotifyEvent, I32, U32.map(IN), U32, TEXTS | st.just(""))
INFOS = st.one_of(
    st.builds(FanotifyFid, st.sampled_from([1, 3]), st.binary(min_size=8, max_size=8), HANDLES),
    st.builds(
        FanotifyFid, st.sampled_from([2, 10, 12]), st.binary(min_size=8, max_size=8), HANDLES, TEXTS
    ),
    st.builds(FanotifyPidfd, I32),
    st.builds(FanotifyError, I32, U32),
    st.builds(FanotifyRange, U64, U64),
    st.builds(FanotifyMount, U64),
    st.builds(FanotifyOther, st.just(200), st.binary(max_size=40)),
)
RECORDS = st.builds(FanotifyRecord, U64.map(FAN), I32, I32, st.lists(INFOS, max_size=4).map(tuple))
PARSERS: list[Callable[[bytes], object]] = [
    lambda data: list(directory_entries(data)),
    lambda data: list(inotify_events(data)),
    lambda data: list(fanotify_records(data)),
    FileHandle.unpack,
    xattr_names,
]


def packed(values: Iterable[InotifyEvent | FanotifyRecord]) -> bytes:
    return b"".join(value.pack() for value in values)


@given(st.lists(ENTRIES, max_size=5))
def test_directory_entries_survive_the_way_into_bytes_and_back(
    entries: list[DirectoryEntry],
) -> None:
    assert list(directory_entries(pack_directory_entries(entries))) == entries


@given(st.lists(EVENTS, max_size=5))
def test_inotify_events_survive_the_way_into_bytes_and_back(events: list[InotifyEvent]) -> None:
    assert list(inotify_events(packed(events))) == events


@given(st.lists(RECORDS, max_size=4))
def test_fanotify_events_survive_the_way_into_bytes_and_back(
    records: list[FanotifyRecord],
) -> None:
    assert list(fanotify_records(packed(records))) == records


@given(HANDLES)
def test_file_handles_survive_the_way_into_bytes_and_back(handle: FileHandle) -> None:
    assert FileHandle.unpack(handle.pack()) == handle


@given(st.lists(TEXTS, max_size=5))
def test_names_of_attributes_survive_the_way_into_bytes_and_back(names: list[str]) -> None:
    data = b"".join(name.encode(errors="surrogateescape") + b"\0" for name in names)

    assert xattr_names(data) == names


@given(data=st.binary(max_size=200))
@pytest.mark.parametrize("parse", PARSERS)
def test_any_bytes_become_a_value_or_a_named_error(
    parse: Callable[[bytes], object], data: bytes
) -> None:
    with suppress(SerializerError):
        parse(data)


@given(data=st.data())
def test_what_was_cut_off_is_refused(data: st.DataObject) -> None:
    whole = [
        (pack_directory_entries([data.draw(ENTRIES)]), PARSERS[0]),
        (packed([data.draw(EVENTS)]), PARSERS[1]),
        (packed([data.draw(RECORDS)]), PARSERS[2]),
        (data.draw(HANDLES).pack(), PARSERS[3]),
    ]
    for content, parse in whole:
        shorter = content[: data.draw(st.integers(1, len(content) - 1))]
        with pytest.raises(SerializerError):
            parse(shorter)


def test_names_without_an_end_are_refused() -> None:
    entry = DirectoryEntry(1, 2, DT.REG, "abcd").pack()
    event = InotifyEvent(1, IN.CREATE, 0, "name").pack()
    fid = FanotifyFid(2, bytes(8), FileHandle(1, b"abcd"), "abc")
    record = FanotifyRecord(FAN.CREATE, -1, 1, (fid,)).pack()
    for parse, data in ((PARSERS[0], entry), (PARSERS[1], event), (PARSERS[2], record)):
        with pytest.raises(SerializerError, match="NUL"):
            parse(data.rstrip(b"\0").ljust(len(data), b"x"))
    with pytest.raises(SerializerError, match="NUL"):
        xattr_names(b"user.a")


def test_a_fanotify_event_of_another_version_is_refused() -> None:
    data = bytearray(FanotifyRecord(FAN.OPEN, 3, 1).pack())
    data[4] = 2
    with pytest.raises(SerializerError, match="version 2"):
        list(fanotify_records(bytes(data)))


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ArgumentRangeError, match="ino"):
        DirectoryEntry(-1, 0, DT.REG, "a").pack()
    with pytest.raises(ArgumentRangeError, match="name"):
        InotifyEvent(1, IN.CREATE, 0, "a" * 256).pack()
    with pytest.raises(ArgumentRangeError, match="handle"):
        FileHandle(1, bytes(129)).pack()
    with pytest.raises(SerializerError, match="fsid"):
        FanotifyFid(1, b"", FileHandle(1, b"")).body()
