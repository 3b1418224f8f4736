"""Roots for containers of tests: a tmpfs with what a shell needs of the host, bound read-only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Unpack

from rsyscall_ns import PIPE, STDOUT, BindMount, Completed, Container, MountDescription, TmpfsMount
from rsyscall_ns.containers.options import Arguments

__all__ = ["ROOT", "SYSTEM", "output_of", "write_root"]

FOLDERS: Final = [name for name in ("/usr", "/bin", "/lib", "/lib64") if Path(name).exists()]
SYSTEM: Final[tuple[MountDescription, ...]] = tuple(
    BindMount(name, readonly=True) for name in FOLDERS
)
ROOT: Final[tuple[MountDescription, ...]] = (TmpfsMount("/"), *SYSTEM)


def write_root(place: Path) -> Path:
    """Make a directory that can be a root: with places for what a shell needs."""
    for name in (*FOLDERS, "/proc", "/dev", "/mnt"):
        (place / name.strip("/")).mkdir(parents=True, exist_ok=True)
    return place


async def output_of(
    script: str,
    mounted: Sequence[MountDescription] = (),
    /,
    *,
    status: int = 0,
    **more: Unpack[Arguments],
) -> str:
    """Run a shell script in a container with user, pid and mount namespaces; return its output."""
    given: Arguments = {"user": True, "pid": True, "mnt": True, "map_zero": True}
    given |= more
    given["mounts"] = mounted
    given["stdout"], given["stderr"] = PIPE, STDOUT
    done: Completed = await Container(["sh", "-c", script], **given).run()
    assert done.stdout is not None
    assert done.exitcode == status, done.stdout.decode()
    return done.stdout.decode()
