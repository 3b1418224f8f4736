"""Environments of their own for packages to compare with, each made once.

Whatever goes wrong with them is a reason, never a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .measure import UnavailableError

__all__ = ["environment", "version_of"]

HOME: Final = Path(__file__).resolve().parents[2] / "build" / "bench"
NAMES: Final = ("python3.14", "python3.13", "python3.12")
PATIENCE: Final = 120  # seconds for an installation


def version_of(python: Path, name: str) -> str:
    """Return the version of an installed package."""
    line = f"from importlib.metadata import version; print(version({name!r}))"
    return run(name, [str(python), "-c", line])


def environment(
    name: str, *packages: str, install: bool, oldest: tuple[int, int] = (3, 11)
) -> Path:
    """Return the interpreter of the environment, which is made if it is not there."""
    home = HOME / name
    python = home / "bin" / "python"
    done = home / ".installed"
    if done.exists():
        return python
    if not install:
        raise UnavailableError(f"{name} is not installed, and nothing was to be installed")
    base = suitable_python(oldest)
    if base is None:
        wanted = ".".join(map(str, oldest))
        raise UnavailableError(f"{name} needs Python {wanted} or newer, and none is here")
    try:
        run(name, [base, "-m", "venv", "--clear", str(home)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input"]
        run(name, [*pip, "--disable-pip-version-check", *packages])
    except UnavailableError:
        shutil.rmtree(home, ignore_errors=True)
        raise
    done.touch()
    return python


def run(name: str, command: list[str]) -> str:
    """Run a command; returns what it printed. What it says when it fails becomes the reason."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{name}: installing took longer than {PATIENCE} s") from error
    except subprocess.CalledProcessError as error:
        said = str(error.stderr).strip().splitlines() or [f"status {error.returncode}"]
        raise UnavailableError(f"{name}: {said[-1]}") from error
    except OSError as error:
        raise UnavailableError(f"{name}: {error.strerror}") from error
    return done.stdout.strip()


def suitable_python(oldest: tuple[int, int]) -> str | None:
    """Return an interpreter that is new enough and can make environments."""
    suitable = f"import sys, ensurepip, venv; sys.exit(sys.version_info < {oldest})"
    for candidate in candidates():
        try:
            done = subprocess.run(
                [candidate, "-c", suitable],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return candidate
    return None


def candidates() -> Iterator[str]:
    """Yield where an interpreter may be: ours, on PATH, pyenv's, locally installed."""
    yield str(Path(sys.base_prefix, "bin", "python3"))
    yield from (found for name in NAMES if (found := shutil.which(name)))
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    for folder in (Path("/usr/local"), *sorted(versions.glob("3.*"), reverse=True)):
        yield from (str(folder / "bin" / name) for name in NAMES)
