"""2019-5736: the executable of a helper can't be changed from inside, nor from anywhere."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from pathlib import Path
from typing import Final

import pytest

from rsyscall_ns import CLONE, NS_ALL, NamespaceSet, O, Task
from rsyscall_ns.tasks.stub import PROGRAM, new_program
from tests.support.children import IS_ROOT

SEALS: Final = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
WAYS: Final = (O.WRONLY, O.RDWR, O.WRONLY | O.TRUNC, O.RDWR | O.APPEND)


def of_a_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def of_the_package() -> str:
    return of_a_file(PROGRAM)


@pytest.mark.parametrize("flags", WAYS, ids=str)
async def test_a_helper_can_not_open_its_own_program_for_writing(local: Task, flags: O) -> None:
    before = of_the_package()
    uid, gid = f"0 {os.getuid()} 1", f"0 {os.getgid()} 1"
    async with (
        local.spawn(CLONE.NEWUSER | CLONE.NEWNS, uid_map=uid, gid_map=gid) as box,
        NamespaceSet(box.process.near.id, NS_ALL, task=local) as ns,
        ns.open_task() as task,
    ):
        with pytest.raises(OSError, match=r"openat"):
            await task.fs.open("/proc/self/exe", flags)

    assert of_the_package() == before


@pytest.mark.skipif(not IS_ROOT, reason="nobody but root can look at it from outside")
async def test_root_of_the_host_can_not_change_it_either(local: Task) -> None:
    before = of_the_package()
    async with local.spawn(stub=True) as stub:
        exe = Path(f"/proc/{stub.process.near.id}/exe")
        number = os.open(exe, os.O_RDONLY | os.O_CLOEXEC)
        try:
            assert fcntl.fcntl(number, fcntl.F_GET_SEALS) & SEALS == SEALS
            for flags in (os.O_WRONLY, os.O_RDWR):
                with pytest.raises(OSError, match="exe"):
                    os.open(exe, flags | os.O_CLOEXEC)
        finally:
            os.close(number)
        assert of_a_file(exe) == before

    assert of_the_package() == before


def test_the_file_that_is_executed_refuses_every_change() -> None:
    number = new_program()
    try:
        for change in (
            lambda: os.pwrite(number, b"x", 0),
            lambda: os.ftruncate(number, 0),
            lambda: os.ftruncate(number, 1 << 20),
            lambda: fcntl.fcntl(number, fcntl.F_ADD_SEALS, 0),
        ):
            with pytest.raises(PermissionError):
                change()
    finally:
        os.close(number)


def test_nobody_of_the_same_user_can_read_the_file() -> None:
    number = new_program()
    try:
        assert stat.S_IMODE(os.fstat(number).st_mode) & 0o666 == 0
        if not IS_ROOT:
            with pytest.raises(PermissionError):
                os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(number)
