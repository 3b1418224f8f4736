"""What the kernel shows of a process under ``/proc``."""

from __future__ import annotations

from pathlib import Path

__all__ = ["descendants", "fd_numbers", "is_there", "link_of", "maps_of", "mountinfo"]


def fd_numbers(pid: int | str) -> set[int]:
    """Return the numbers of a process's open fds."""
    names = [path.name for path in Path(f"/proc/{pid}/fd").iterdir()]
    # the listing's own fd is among ours, and closed by now
    return {int(name) for name in names if Path(f"/proc/{pid}/fd/{name}").is_symlink()}


def link_of(pid: int | str, number: int) -> str:
    """Return what an fd of a process is open on."""
    return str(Path(f"/proc/{pid}/fd/{number}").readlink())


def maps_of(pid: int | str) -> list[str]:
    """Return the lines that describe a process's mappings."""
    return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()


def mountinfo() -> str:
    """Return what is mounted, as this interpreter sees it."""
    return Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def is_there(path: str) -> bool:
    """Return whether a path exists, without following a link at its end."""
    return Path(path).is_symlink() or Path(path).exists()


def descendants(pid: int) -> set[int]:
    """Return the ids of all children of a process, of their children, and so on."""
    found: set[int] = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for word in (thread / "children").read_text(encoding="ascii").split():
            found |= {int(word), *descendants(int(word))}
    return found
