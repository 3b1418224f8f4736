"""The package rsyscall-ng to compare with, in an environment of its own, which is made once.

It needs a newer Python than we do. Whatever goes wrong with it is a reason, never a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, final

from .answers import Answers, start_answers
from .measure import Sample, UnavailableError, ready

__all__ = ["NAME", "RsyscallNg", "start_rsyscall_ng"]

NAME: Final = "rsyscall-ng"
ROOT: Final = Path(__file__).resolve().parents[2]
HOME: Final = ROOT / "build" / "bench" / NAME
WORKER: Final = Path(__file__).with_name("rsyscall_ng_worker.py")
OLDEST: Final = (3, 12)
NAMES: Final = ("python3.14", "python3.13", "python3.12")
PATIENCE: Final = 120  # seconds for an installation
SUITABLE: Final = f"import sys, ensurepip, venv; sys.exit(sys.version_info < {OLDEST})"
VERSION: Final = f"from importlib.metadata import version; print(version({NAME!r}))"


@final
class RsyscallNg:
    """The running worker, or why there is none."""

    def __init__(self, answers: Answers | None, label: str, reason: str = "") -> None:
        self.label = label
        self._answers = answers
        self._reason = reason

    @property
    def pid(self) -> int:
        """The worker's process."""
        if self._answers is None:
            raise UnavailableError(self._reason)
        return self._answers.pid

    def ask(self, name: str, count: int = 1) -> float:
        """Have it do something ``count`` times; returns seconds for one."""
        if self._answers is None:
            raise UnavailableError(self._reason)
        return self._answers.ask(name, count)

    def sample(self, name: str, count: int = 1) -> Sample:
        """Return what asks for it each time."""
        return ready(lambda: self.ask(name, count))


@contextmanager
def start_rsyscall_ng(*, install: bool) -> Generator[RsyscallNg, None, None]:
    """Install it where it is not, and start it; leaving the block ends all its processes."""
    with ExitStack() as stack:
        try:
            python = environment(install=install)
            version = run([str(python), "-c", VERSION])
        except UnavailableError as error:
            made = RsyscallNg(None, NAME, str(error))
        else:
            command = [str(python), str(WORKER)]
            answers = stack.enter_context(start_answers(NAME, command, quiet=True))
            made = RsyscallNg(answers, f"{NAME} {version}")
        yield made


def environment(*, install: bool) -> Path:
    """Return the interpreter of the environment, which is made if it is not there."""
    python = HOME / "bin" / "python"
    done = HOME / ".installed"
    if done.exists():
        return python
    if not install:
        raise UnavailableError(f"{NAME} is not installed, and nothing was to be installed")
    base = suitable_python()
    if base is None:
        wanted = ".".join(map(str, OLDEST))
        raise UnavailableError(f"{NAME} needs Python {wanted} or newer, and none is here")
    try:
        run([base, "-m", "venv", "--clear", str(HOME)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input"]
        run([*pip, "--disable-pip-version-check", NAME])
    except UnavailableError:
        shutil.rmtree(HOME, ignore_errors=True)
        raise
    done.touch()
    return python


def run(command: list[str]) -> str:
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
        raise UnavailableError(f"{NAME}: installing took longer than {PATIENCE} s") from error
    except subprocess.CalledProcessError as error:
        said = str(error.stderr).strip().splitlines() or [f"status {error.returncode}"]
        raise UnavailableError(f"{NAME}: {said[-1]}") from error
    except OSError as error:
        raise UnavailableError(f"{NAME}: {error.strerror}") from error
    return done.stdout.strip()


def suitable_python() -> str | None:
    """Return an interpreter that is new enough and can make environments."""
    for candidate in candidates():
        try:
            done = subprocess.run(
                [candidate, "-c", SUITABLE],
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
