"""Files in memory for other programs of ours."""

from __future__ import annotations

import fcntl
import mmap
import os
from errno import EINVAL, EPERM

import pytest

from rsyscall_ns.memory.memfile import EXEC, NOEXEC, new_memfile, new_page


def test_a_page_can_be_written_and_never_gets_another_size() -> None:
    number = new_page("a page")
    try:
        assert os.pwrite(number, b"told", 0) == 4
        assert os.fstat(number).st_size == mmap.PAGESIZE
        for size in (0, 2 * mmap.PAGESIZE):
            with pytest.raises(OSError, match="not permitted") as raised:
                os.ftruncate(number, size)
            assert raised.value.errno == EPERM
    finally:
        os.close(number)


@pytest.mark.parametrize("how", [EXEC, NOEXEC])
@pytest.mark.parametrize("known", [True, False])
def test_a_file_can_be_sealed_where_the_kernel_does_not_know_how_too(
    monkeypatch: pytest.MonkeyPatch, how: int, *, known: bool
) -> None:
    make = os.memfd_create

    def older(name: str, flags: int) -> int:
        if flags & how and not known:
            raise OSError(EINVAL, os.strerror(EINVAL))
        return make(name, flags)

    monkeypatch.setattr(os, "memfd_create", older)
    number = new_memfile("a file", how)
    try:
        fcntl.fcntl(number, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
        with pytest.raises(OSError, match="not permitted"):
            os.write(number, b"late")
        assert not os.get_inheritable(number)
    finally:
        os.close(number)
