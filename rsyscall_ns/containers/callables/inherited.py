"""What a child of this interpreter would inherit, and one of an older zygote would not."""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Sequence
from errno import EMFILE, ENFILE
from typing import Any, Final, final

from attrs import frozen

from rsyscall_ns.handle.confining import GivenUp
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.calls.base import call_here
from rsyscall_ns.near.errors import kernel_error
from rsyscall_ns.near.nr import SYS

__all__ = ["Inherited"]

LIMITS: Final = range(16)  # RLIMIT_CPU to RLIMIT_RTTIME: all that Linux has
# who we are, what we may, and what we have given up: a process can't be given that afterwards
RIGHTS: Final = re.compile(
    rb"^(?:Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp|Seccomp_filters|Cpus_allowed|Speculation\w+):.*$",
    re.MULTILINE,
)
# what is not told there
GIVEN_UP: Final = (int(PR.GET_SECUREBITS), int(PR.GET_MDWE))
UMASK: Final = re.compile(rb"^Umask:\s*(\d+)$", re.MULTILINE)
STATUS: Final = "/proc/thread-self/status"
OOM: Final = "/proc/self/oom_score_adj"
LARGEST: Final = 1 << 16  # bytes of either


@final
@frozen
class Inherited:
    """``rights`` of another value need another zygote; the rest can be followed."""

    rights: Sequence[object]
    umask: int
    limits: tuple[tuple[int, int], ...]
    oom: str | None  # None where there is no /proc

    @classmethod
    def now(cls) -> Inherited:
        """Look what it is."""
        oom, status = None, b""
        try:
            status = content(STATUS)
            oom = content(OOM).decode("ascii")
        except OSError as error:
            if error.errno in {EMFILE, ENFILE}:  # that there is none is something else
                raise kernel_error(error.errno, "openat", "this interpreter", STATUS) from None
        found = UMASK.search(status)
        return cls(
            (
                *(RIGHTS.findall(status) or (os.getresuid(), os.getresgid(), os.getgroups())),
                *(call_here(SYS.prctl, option) for option in GIVEN_UP),
                GivenUp.times,
            ),
            set_and_get_umask() if found is None else int(found[1], 8),
            tuple(resource.getrlimit(which) for which in LIMITS),
            oom,
        )

    def to_follow(self) -> dict[str, Any]:
        """Return what a zygote is told."""
        return {"umask": self.umask, "limits": self.limits, "oom": self.oom}


def content(path: str) -> bytes:
    """Return what a small file has."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, LARGEST)
    finally:
        os.close(file)


def set_and_get_umask() -> int:
    """Return the umask where nothing but the call tells it; for a moment nothing is allowed."""
    mask = os.umask(0o777)
    os.umask(mask)
    return mask
