"""Which files make up the source tree, for the tests that read it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["ROOT", "sources"]

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("rsyscall_ns", "ffi", "tests", "examples")
SUFFIXES = frozenset({".py", ".pyi", ".c", ".h", ".S"})


def sources(*folders: str) -> list[Path]:
    """Every source file below ``folders`` (default: all of ours), relative to the root."""
    return sorted(
        path.relative_to(ROOT)
        for folder in folders or FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SUFFIXES and path.is_file()
    )
