"""Every constant has the value that the C headers of this machine give it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rsyscall_ns.near.abi import fcntl_h, mount_h, sched_h, signal_h
from rsyscall_ns.near.abi.wait_h import CLD, IdType, W
from tests.support.cheaders import c_values, named

HEADERS = (
    "fcntl.h",
    "unistd.h",
    "sys/ioctl.h",
    "sys/wait.h",
    "signal.h",
    "linux/close_range.h",
    "linux/mount.h",
    "linux/nsfs.h",
    "linux/sched.h",
)
OF_CHILDREN = ("NOTHREAD", "ALL", "CLONE")  # ``__W*`` in C
ENUMERATIONS: dict[str, Mapping[str, int]] = {
    "CLD_": CLD.__members__,
    "CLONE_": sched_h.CLONE.__members__,
    "MS_": mount_h.MS.__members__,
    "O_": {name: flag for name, flag in fcntl_h.O.__members__.items() if name != "LARGEFILE"},
    "SIG": signal_h.SIG.__members__,
    "W": {name: flag for name, flag in W.__members__.items() if name not in OF_CHILDREN},
    "__W": {name: W[name] for name in OF_CHILDREN},
}
# names that no prefix makes
OTHERS = {
    "F_DUPFD": fcntl_h.F_DUPFD,
    "F_GETFD": fcntl_h.F_GETFD,
    "F_SETFD": fcntl_h.F_SETFD,
    "F_GETFL": fcntl_h.F_GETFL,
    "F_SETFL": fcntl_h.F_SETFL,
    "F_DUPFD_CLOEXEC": fcntl_h.F_DUPFD_CLOEXEC,
    "FD_CLOEXEC": fcntl_h.FD_CLOEXEC,
    "CLOSE_RANGE_CLOEXEC": fcntl_h.CLOSE_RANGE_CLOEXEC,
    "SEEK_SET": fcntl_h.SEEK_SET,
    "SEEK_CUR": fcntl_h.SEEK_CUR,
    "SEEK_END": fcntl_h.SEEK_END,
    "SIG_BLOCK": signal_h.SIG_BLOCK,
    "SIG_UNBLOCK": signal_h.SIG_UNBLOCK,
    "SIG_SETMASK": signal_h.SIG_SETMASK,
    "NS_GET_NSTYPE": 0xB703,
}
# of enumerations in C, which are no macros
PLAIN = {
    "P_ALL": IdType.ALL,
    "P_PID": IdType.PID,
    "P_PGID": IdType.PGID,
    "P_PIDFD": IdType.PIDFD,
    "(long)SIG_DFL": signal_h.SIG_DFL,
    "(long)SIG_IGN": signal_h.SIG_IGN,
    "AT_FDCWD": fcntl_h.AT_FDCWD,
}


def constants() -> Iterator[tuple[str, int]]:
    for prefix, enumeration in ENUMERATIONS.items():
        for name, member in enumeration.items():
            if name != "NONE":
                yield prefix + name, int(member)
    yield from OTHERS.items()


CONSTANTS = dict(constants())


@pytest.mark.parametrize(("name", "value"), CONSTANTS.items())
def test_a_constant_has_the_value_of_the_c_header(name: str, value: int) -> None:
    there = named(c_values(HEADERS, CONSTANTS, optional=True), name)

    if name == "O_TMPFILE" or name.startswith("O_"):
        there &= 0xFFFFFFFF
    assert value == there


@pytest.mark.parametrize(("name", "value"), PLAIN.items())
def test_an_enumerator_has_the_value_of_the_c_header(name: str, value: int) -> None:
    assert value == c_values(HEADERS, PLAIN)[name]


@pytest.mark.parametrize(
    ("name", "value"),
    {
        "MNT_FORCE": mount_h.UMOUNT.FORCE,
        "MNT_DETACH": mount_h.UMOUNT.DETACH,
        "MNT_EXPIRE": mount_h.UMOUNT.EXPIRE,
        "UMOUNT_NOFOLLOW": mount_h.UMOUNT.NOFOLLOW,
    }.items(),
)
def test_a_flag_of_umount2_has_the_value_of_the_c_header(name: str, value: int) -> None:
    names = ("MNT_FORCE", "MNT_DETACH", "MNT_EXPIRE", "UMOUNT_NOFOLLOW")

    assert value == named(c_values(("sys/mount.h",), names, optional=True), name)


def test_the_new_namespaces_are_all_that_the_kernel_knows() -> None:
    names = [name for name in CONSTANTS if name.startswith("CLONE_NEW")]

    assert sum(CONSTANTS[name] for name in names) == sched_h.NEW_NAMESPACES
    assert len(names) == 8


def test_the_flag_of_large_files_is_the_kernels() -> None:
    # the C library's is 0 on these machines, but F_GETFL tells the kernel's
    with Path("/proc/version").open("rb") as file:
        flags = fcntl.fcntl(file, fcntl.F_GETFL)

    assert fcntl_h.O(flags) == fcntl_h.O.RDONLY | fcntl_h.O.LARGEFILE
