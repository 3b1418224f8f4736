"""Messages of FUSE become values, and bytes again; what is broken gets a named error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    FUSE,
    ArgumentRangeError,
    FuseDirent,
    FuseInitIn,
    FuseInitOut,
    FuseReadIn,
    FuseReply,
    FuseRequest,
    FuseWriteIn,
    PathError,
    SerializerError,
    pack_dirents,
    unpack_dirents,
)
from rsyscall_ns.near.abi.fuse_h import FuseOutHeader

NUMBER, ID = st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)
NAMES = st.binary(min_size=1, max_size=30).map(
    lambda data: data.translate(bytes.maketrans(b"\0/", b"__")).decode(errors="surrogateescape")
)
REQUESTS = st.builds(
    FuseRequest,
    opcode=st.sampled_from(FUSE),
    unique=NUMBER,
    nodeid=NUMBER,
    uid=ID,
    gid=ID,
    pid=ID,
    body=st.binary(max_size=100),
    extensions=st.binary(max_size=10).map(lambda data: data * 8),
)
REPLIES = st.builds(
    FuseReply, unique=NUMBER, error=st.integers(0, 511), body=st.binary(max_size=100)
)
ENTRIES = st.lists(
    st.builds(FuseDirent, ino=NUMBER, off=NUMBER, type=st.integers(0, 15), name=NAMES), max_size=5
)


@given(request=REQUESTS)
def test_a_request_survives_the_way_into_bytes_and_back(request: FuseRequest) -> None:
    assert FuseRequest.unpack(request.pack()) == request


@given(reply=REPLIES)
def test_an_answer_survives_the_way_into_bytes_and_back(reply: FuseReply) -> None:
    assert FuseReply.unpack(reply.pack()) == reply


@given(entries=ENTRIES)
def test_a_directory_survives_the_way_into_bytes_and_back(entries: list[FuseDirent]) -> None:
    assert unpack_dirents(pack_dirents(entries, 10**6)) == entries


@given(entries=ENTRIES, size=st.integers(0, 300))
def test_as_many_entries_as_fit_are_answered(entries: list[FuseDirent], size: int) -> None:
    data = pack_dirents(entries, size)
    found = unpack_dirents(data)
    assert len(data) <= size
    assert found == entries[: len(found)]
    rest = entries[len(found) :]
    assert not rest or len(data) + len(rest[0].pack()) > size


@given(data=st.binary(max_size=200), body=st.binary(max_size=64))
def test_any_bytes_are_a_message_or_refused(data: bytes, body: bytes) -> None:
    framed = (4 + len(data)).to_bytes(4, "little") + data
    for kind, whole in ((FuseRequest, data), (FuseRequest, framed), (FuseReply, framed)):
        try:
            found = kind.unpack(whole)
        except SerializerError:
            continue
        assert kind.unpack(found.pack()) == found
    try:
        entries = unpack_dirents(body)
    except SerializerError:
        return
    assert len(entries) <= len(body)


@pytest.mark.parametrize("error", [1, -512, -(2**31), 2**31 - 1])
def test_an_answer_with_an_error_that_there_is_not_is_refused(error: int) -> None:
    with pytest.raises(SerializerError, match="error"):
        FuseReply.unpack(FuseOutHeader(16, error, 1).pack())


@given(request=REQUESTS, data=st.data())
def test_what_was_cut_off_is_refused(request: FuseRequest, data: st.DataObject) -> None:
    whole = request.pack()
    with pytest.raises(SerializerError, match=r"FUSE|fuse"):
        FuseRequest.unpack(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_the_parts_of_a_request_are_told() -> None:
    write = FuseWriteIn(fh=7, offset=4096, size=3)
    request = FuseRequest(FUSE.WRITE, 1, body=write.pack() + b"abc")
    assert request.argument(FuseWriteIn) == write
    assert request.data(FuseWriteIn) == b"abc"
    rename = FuseRequest(FUSE.RENAME, 1, body=bytes(8) + b"old\0new\0")
    assert FuseRequest(FUSE.LOOKUP, 1, body=b"name\0").names(1) == ("name",)
    assert FuseRequest(FUSE.RENAME, 1, body=b"old\0new\0").names(2) == ("old", "new")
    assert rename.body.endswith(b"new\0")


def test_what_a_request_lacks_is_an_error() -> None:
    short = FuseRequest(FUSE.READ, 1, body=bytes(8))
    with pytest.raises(SerializerError, match="fuse_read_in"):
        short.argument(FuseReadIn)
    with pytest.raises(SerializerError, match="fuse_write_in"):
        short.data(FuseWriteIn)
    with pytest.raises(SerializerError, match="names"):
        FuseRequest(FUSE.LOOKUP, 1, body=b"no end").names(1)
    with pytest.raises(SerializerError, match="extensions"):
        FuseRequest(FUSE.LOOKUP, 1, extensions=b"x").pack()


def test_an_init_of_an_older_kernel_is_shorter() -> None:
    old = FuseRequest(FUSE.INIT, 1, body=FuseInitIn(7, 31, 4096, 5).pack()[:16])
    assert old.argument(FuseInitIn) == FuseInitIn(7, 31, 4096, 5)
    assert FuseInitIn(flags=1, flags2=1).all_flags == 1 << 32 | 1
    assert FuseInitOut.sizeof() == 64


@pytest.mark.parametrize("name", ["", "a/b", "a\0b"])
def test_names_that_no_file_has_are_refused(name: str) -> None:
    with pytest.raises(PathError, match="name"):
        FuseDirent(1, 1, 8, name).pack()


@pytest.mark.parametrize("error", [-1, 512])
def test_an_errno_that_the_kernel_does_not_take_is_refused(error: int) -> None:
    with pytest.raises(ArgumentRangeError, match="errno"):
        FuseReply(1, error).pack()
