"""Errors say on which fd a call was made, and what it was to do there."""

from __future__ import annotations

import re
import termios
from errno import EBADF, ENOENT, ENOTTY

import pytest

from rsyscall_ns import BPF_MAP_TYPE, CAP, F, O, Task
from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.nr.fd_first import FD_FIRST
from rsyscall_ns.near.nr.table import rows
from tests.support.keyrings import need_keys

FD = re.compile(
    r"(const )?(unsigned )?(int|long|mqd_t) ((\w+_)?fd(_?in)?|[eu]p?fd|oldfd|pidfd|fildes|mqdes)"
)
MADE_AT = {"execveat", "open_by_handle_at"}  # a path, or a handle of a file, begins there


def test_the_calls_are_those_that_the_table_says_take_an_fd_first() -> None:
    there = {
        row.name
        for row in rows().values()
        if row.family and FD.fullmatch(row.arguments.split(", ", maxsplit=1)[0])
    }

    assert there - FD_FIRST <= MADE_AT | {"move_mount", "close_range"}
    assert there >= FD_FIRST


async def test_the_fd_and_the_request_are_named(task: Task) -> None:
    async with await task.fs.open("/dev/null", O.RDWR) as null:
        number = null.near.number
        with pytest.raises(OSError, match=rf"fsync\(2\) of fd {number} in "):
            await null.fsync()
        with pytest.raises(OSError, match=rf"ioctl\(2\) 0x5413 of fd {number} in ") as caught:
            await null.ioctl(termios.TIOCGWINSZ)
        assert caught.value.errno == ENOTTY
    async with await task.fs.open("/dev/null", O.WRONLY) as null:
        number = null.near.number
        with pytest.raises(OSError, match=rf"read(v2)?\(2\) of fd {number} in ") as caught:
            await null.read(1)
        assert caught.value.errno == EBADF


async def test_what_a_call_that_is_many_in_one_was_to_do_is_named(task: Task) -> None:
    with pytest.raises(OSError, match=r"\[prctl\(2\) CAPBSET_READ in "):
        await task.prctl.capbset_read(CAP(1 << 63))
    await need_keys(task)
    with pytest.raises(OSError, match=r"\[keyctl\(2\) JOIN_SESSION_KEYRING in "):
        await task.keys.join_session_keyring("x" * 5000, for_good=True)
    with pytest.raises(OSError, match=r"\[bpf\(2\),? MAP_CREATE,? in "):  # where forbidden, too
        await task.bpf.map_create(BPF_MAP_TYPE.HASH, 0, 0, 0)
    async with await task.fs.open("/dev/null", O.RDWR) as null:
        number = null.near.number
        with pytest.raises(OSError, match=rf"\[fcntl\(2\) DUPFD of fd {number} in "):
            await null.fcntl(F.DUPFD, -1)


def test_where_there_is_no_fd_none_is_named() -> None:
    for call, args in (("openat", (3, 0)), ("fsync", ()), ("signalfd4", (-1,))):
        assert "of fd" not in str(kernel_error(ENOENT, call, "child 5", None, args))
