"""What ``/proc`` says about a process; plain functions, so that no test blocks in its own name."""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "content",
    "fd_links",
    "fd_numbers",
    "link",
    "mountinfo",
    "names_in",
    "working_directory",
]


def link(pid: int | str, name: str) -> str:
    """Return where the link ``/proc/PID/NAME`` leads."""
    return str(Path(f"/proc/{pid}/{name}").readlink())


def content(pid: int | str, name: str) -> str:
    """Return the text of ``/proc/PID/NAME``."""
    return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")


def fd_links(pid: int | str) -> dict[int, str]:
    """Return every fd of a process with what it is open on."""
    found: dict[int, str] = {}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[int(entry.name)] = str(entry.readlink())
        except FileNotFoundError:
            continue  # the fd of the listing itself
    return found


def fd_numbers(pid: int | str) -> set[int]:
    """Return the numbers of all fds of a process."""
    return set(fd_links(pid))


def mountinfo() -> bytes:
    """Return our own ``mountinfo``, byte by byte."""
    return Path("/proc/self/mountinfo").read_bytes()


def names_in(folder: Path) -> list[str]:
    """Return the names in a directory, as we see it."""
    return sorted(entry.name for entry in folder.iterdir())


def working_directory() -> str:
    """Return our own working directory."""
    return str(Path.cwd())
