"""Every constant has the value that the C headers of this machine give it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum, IntFlag

import pytest

from rsyscall_ns.near.abi import fcntl_h, mman_h, mount_h, prctl_h, sched_h, signal_h
from rsyscall_ns.near.abi import socket_h as sockets
from rsyscall_ns.near.abi.wait_h import CLD, IdType, W
from tests.support.cheaders import c_values, named

HEADERS = (
    "fcntl.h",
    "unistd.h",
    "net/if.h",
    "netinet/in.h",
    "sys/ioctl.h",
    "sys/mman.h",
    "sys/socket.h",
    "sys/wait.h",
    "signal.h",
    "linux/capability.h",
    "linux/close_range.h",
    "linux/mount.h",
    "linux/nsfs.h",
    "linux/prctl.h",
    "linux/sched.h",
)
Enumeration = type[IntFlag] | type[IntEnum]
ENUMERATIONS: dict[str, Enumeration] = {
    "AF_": sockets.AF,
    "AT_": fcntl_h.AT,
    "CLD_": CLD,
    "CLONE_": sched_h.CLONE,
    "MAP_": mman_h.MAP,
    "MSG_": sockets.MSG,
    "MS_": mount_h.MS,
    "O_": fcntl_h.O,
    "PROT_": mman_h.PROT,
    "SHUT_": sockets.SHUT,
    "SIG": signal_h.SIG,
    "SOCK_": sockets.SOCK,
    "SO_": sockets.SO,
    "W": W,
}
# names that no prefix makes
OTHERS = {
    "SOL_SOCKET": sockets.SOL.SOCKET,
    "IPPROTO_IP": sockets.SOL.IP,
    "IPPROTO_TCP": sockets.SOL.TCP,
    "IPPROTO_IPV6": sockets.SOL.IPV6,
    "SIOCGIFFLAGS": sockets.SIOCGIFFLAGS,
    "SIOCSIFFLAGS": sockets.SIOCSIFFLAGS,
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
    "PR_SET_PDEATHSIG": prctl_h.PR_SET_PDEATHSIG,
    "PR_SET_DUMPABLE": prctl_h.PR_SET_DUMPABLE,
    "PR_SET_NO_NEW_PRIVS": prctl_h.PR_SET_NO_NEW_PRIVS,
    "CAP_SYS_ADMIN": prctl_h.CAP_SYS_ADMIN,
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
    "IFF_UP": sockets.IFF_UP,
    "(long)SIG_DFL": signal_h.SIG_DFL,
    "(long)SIG_IGN": signal_h.SIG_IGN,
    "AT_FDCWD": fcntl_h.AT_FDCWD,
}


def constants() -> Iterator[tuple[str, int]]:
    for prefix, enumeration in ENUMERATIONS.items():
        for name, member in enumeration.__members__.items():
            if name != "NONE":
                yield prefix + name, int(member)
    yield "PROT_NONE", mman_h.PROT.NONE
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


def test_pidfd_get_info_is_the_request_of_the_c_header() -> None:
    there = c_values(("linux/pidfd.h", "sys/ioctl.h"), ("PIDFD_GET_INFO",), optional=True)

    assert named(there, "PIDFD_GET_INFO") == prctl_h.PIDFD_GET_INFO


def test_pidfd_info_exit_is_the_mask_of_the_c_header() -> None:
    there = c_values(("linux/pidfd.h",), ("PIDFD_INFO_EXIT",), optional=True)

    assert named(there, "PIDFD_INFO_EXIT") == prctl_h.PIDFD_INFO_EXIT
