"""Leaving the scope of a child that became another user's, whom we may not signal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from errno import EINVAL, EPERM
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from rsyscall_ns import ChildNotEndedError, RsyscallError
from rsyscall_ns.near.ffi import BLOCK_SIZE
from tests.support.children import IS_ROOT, status_field
from tests.support.otheruser import DEAD, REFUSED, USER, WAYS

Seen = Mapping[str, object]
ROOT: Final = Path(__file__).resolve().parents[2]
NO_USER: Final = f"this user namespace has no user {USER}"
SET_UID: Final = 0o4750  # for the group of the one user only

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="only root can make a child another user's")


def set_uid_program(folder: Path) -> str:
    """Return the path of a set-uid root ``setpriv(1)``, that only the one user can run."""
    program = shutil.which("setpriv")
    if program is None:
        pytest.skip("there is no setpriv(1), which a set-uid program is made of")
    if os.statvfs(folder).f_flag & os.ST_NOSUID or status_field(os.getpid(), "NoNewPrivs") != "0":
        pytest.skip("set-uid programs don't work here (a nosuid mount, or no_new_privs)")
    copy = Path(shutil.copy(program, folder))
    try:
        os.chown(copy, 0, USER)
    except OSError as error:
        if error.errno != EINVAL:
            raise
        pytest.skip(NO_USER)
    copy.chmod(SET_UID)
    return str(copy)


@cache
def leave_the_scopes(way: str) -> tuple[Seen, Seen]:
    """Return what came of leaving the scope as root, and as an ordinary user."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        path = set_uid_program(Path(folder)) if way == "program" else ""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "tests.support.otheruser", way, path],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode == REFUSED:
        pytest.skip(NO_USER)
    # also: no fd, process, thread or mapping was left in the end, or the program says so
    assert (done.returncode, done.stderr) == (0, "")
    as_root, as_user = json.loads(done.stdout)
    return as_root, as_user


def held(seen: Seen) -> int:
    """Return how much memory was not given back."""
    size = seen["held"]
    assert isinstance(size, int)
    return size


@pytest.mark.parametrize("way", WAYS)
def test_it_is_told_by_a_named_error(way: str) -> None:
    _, seen = leave_the_scopes(way)

    assert issubclass(ChildNotEndedError, PermissionError)
    assert issubclass(ChildNotEndedError, RsyscallError)
    assert seen["errno"] == EPERM
    assert seen["filename"] == str(seen["pid"])
    assert "another user" in str(seen["text"])


@pytest.mark.parametrize("way", WAYS)
def test_the_child_goes_on_and_stays_ours(way: str) -> None:
    _, seen = leave_the_scopes(way)

    assert seen["user"] == ["0"] * 4  # root, in all its four ids
    assert seen["alive"]
    assert seen["ours"]


@pytest.mark.parametrize("way", WAYS)
def test_memory_that_it_still_uses_is_not_given_to_others(way: str) -> None:
    _, seen = leave_the_scopes(way)

    assert (held(seen) >= BLOCK_SIZE) == (way == "call")  # who has exec'd uses none of ours


@pytest.mark.parametrize("way", WAYS)
def test_other_children_are_not_concerned(way: str) -> None:
    _, seen = leave_the_scopes(way)

    assert seen["sibling"] == USER


@pytest.mark.parametrize("way", WAYS)
def test_who_may_signal_it_ends_it_as_any_child(way: str) -> None:
    seen, _ = leave_the_scopes(way)

    assert seen["user"] == ["0"] * 4
    assert (seen["alive"], seen["ours"]) == (False, False)
    assert held(seen) < BLOCK_SIZE
    assert "errno" not in seen


def test_one_that_is_dead_already_is_reaped() -> None:
    _, seen = leave_the_scopes(DEAD)

    assert seen["user"] == ["0"] * 4  # another user's, as far as we could see
    assert "errno" not in seen
    assert not seen["alive"]
    assert not seen["ours"]
    assert held(seen) == 0
