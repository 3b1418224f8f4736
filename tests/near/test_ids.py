"""Near ids are plain values that can't hold what the kernel's types can't."""

from __future__ import annotations

import pytest

from rsyscall_ns import ArgumentRangeError, RsyscallError
from rsyscall_ns.near.ids import (
    Address,
    FileDescriptor,
    IpcObject,
    KeySerial,
    Process,
    ProcessGroup,
    fit,
)


@pytest.mark.parametrize("number", [-1, 2**31, 2**64])
def test_a_file_descriptor_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ArgumentRangeError, match="file descriptor"):
        FileDescriptor(number)


@pytest.mark.parametrize("value", [-1, 2**64])
def test_an_address_that_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(ArgumentRangeError, match="address"):
        Address(value)


@pytest.mark.parametrize("number", [-1, 0, 2**31])
def test_a_process_id_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ArgumentRangeError, match="process id"):
        Process(number)


@pytest.mark.parametrize("number", [-1, 2**31])
def test_a_process_group_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ArgumentRangeError, match="process group"):
        ProcessGroup(number)


@pytest.mark.parametrize("number", [-1, 2**31])
def test_an_id_of_an_ipc_object_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ArgumentRangeError, match="ipc object"):
        IpcObject(number)


@pytest.mark.parametrize("number", [-(2**31) - 1, 2**31])
def test_a_serial_number_of_a_key_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ArgumentRangeError, match="serial number"):
        KeySerial(number)


def test_the_largest_and_smallest_values_fit() -> None:
    assert FileDescriptor(0).number == 0
    assert FileDescriptor(2**31 - 1).number == 2**31 - 1
    assert Address(2**64 - 1).value == 2**64 - 1
    assert Process(1).id == 1
    assert IpcObject(0).id == 0
    assert KeySerial(-(2**31)).number == -(2**31)
    assert ProcessGroup(0).id == 0  # a leader that is not visible


def test_equal_numbers_are_equal_ids_of_one_kind_only() -> None:
    assert FileDescriptor(3) == FileDescriptor(3)
    assert len({Process(3), Process(3), ProcessGroup(3)}) == 2


def test_an_address_plus_an_offset_is_an_address_and_stays_in_range() -> None:
    assert Address(4096) + 8 == Address(4104)
    with pytest.raises(ArgumentRangeError):
        _ = Address(2**64 - 1) + 1


def test_ids_say_what_they_are() -> None:
    assert str(FileDescriptor(3)) == "fd 3"
    assert str(Address(255)) == "0xff"
    assert str(Process(7)) == "process 7"
    assert str(ProcessGroup(8)) == "process group 8"


def test_a_range_error_names_the_thing_the_value_and_the_limits() -> None:
    with pytest.raises(ArgumentRangeError, match="size is 9, but must be from 0 to 8") as caught:
        fit("size", 9, 0, 8)

    assert isinstance(caught.value, RsyscallError)
    assert isinstance(caught.value, ValueError)
