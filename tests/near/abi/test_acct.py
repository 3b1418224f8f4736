"""Records of accounting: their bytes, and the kernel's own form of numbers."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import ACCT, AcctV3, SerializerError, acct_records, comp_t

ONE = AcctV3(ACCT.SU, 3, pid=7, etime=0x3FC00000, comm=b"true".ljust(16, b"\0"))
SIZE = AcctV3.sizeof()


def test_a_file_has_one_record_after_the_other() -> None:
    other = attrs.evolve(ONE, pid=8)

    assert acct_records(ONE.pack() + other.pack()) == [ONE, other]
    assert acct_records(b"") == []
    assert ONE.elapsed == 1.5
    assert ONE.command == b"true"


@pytest.mark.parametrize("size", [1, SIZE - 1, SIZE + 1])
def test_half_a_record_is_refused(size: int) -> None:
    with pytest.raises(SerializerError, match=str(size)):
        acct_records(bytes(size))


def test_a_record_of_another_version_is_refused() -> None:
    with pytest.raises(SerializerError, match="version 2"):
        acct_records(attrs.evolve(ONE, version=2).pack())


@given(st.binary(max_size=3 * SIZE))
def test_any_bytes_are_records_or_a_named_error(data: bytes) -> None:
    try:
        found = acct_records(data)
    except SerializerError:
        return
    assert b"".join(record.pack() for record in found) == data


@given(st.integers(0, 2**16 - 1))
def test_a_number_is_a_fraction_and_an_exponent_of_eight(value: int) -> None:
    assert comp_t(value) == (value % 8192) * 8 ** (value // 8192)
