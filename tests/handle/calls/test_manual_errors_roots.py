"""Errors of keys, of handles of files that are gone, and those that only root gets as far as.

EIO of ``swapon(2)`` and ``acct(2)`` takes a broken device; what a key's upcall tells takes
``request-key(8)``; EDQUOT of keys takes all keys that a user may have, which others need.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rsyscall_ns import (
    BPF_MAP_TYPE,
    CLOCK,
    KEY_PERM,
    Key,
    Keyring,
    Task,
    Timespec,
)
from rsyscall_ns.near.calls import clock
from tests.support.children import IS_ROOT
from tests.support.keyrings import OWN, need_keys
from tests.support.provoked import Case, Provoked, Scene, Use, cases, powerless, provoke

SETTING = Path("/proc/sys/kernel/unprivileged_bpf_disabled")
LONG = "x" * 5000


def key(use: Callable[[Task, Key], Awaitable[object]]) -> Use[Scene]:
    """Use a key."""

    async def run(p: Scene) -> None:
        made = await p.task.keys.add_key("user", "an:error", b"secret", OWN)
        try:
            await use(p.task, made)
        finally:
            await made.unlink(OWN)

    return run


def keyrings(use: Callable[[Keyring, Keyring], Awaitable[object]]) -> Use[Scene]:
    """Use two keyrings."""

    async def run(p: Scene) -> None:
        first = await p.task.keys.add_keyring("an:error", OWN)
        second = await p.task.keys.add_keyring("another:error", OWN)
        try:
            await use(first, second)
        finally:
            await first.unlink(OWN)
            await second.unlink(OWN)

    return run


async def circled(first: Keyring, second: Keyring) -> None:
    """Link two keyrings into each other."""
    await first.link(second)
    await second.link(first)


async def denied(_: Task, made: Key) -> None:
    """Read a key that nobody may read."""
    await made.setperm(KEY_PERM.POS_ALL ^ KEY_PERM.POS_READ ^ KEY_PERM.POS_SEARCH)
    await made.read()


async def added_late(task: Task, made: Key) -> None:
    """Add to a keyring that has been revoked."""
    ring = await task.keys.add_keyring("a:revoked:error", OWN)
    try:
        await ring.revoke()
        await made.link(ring)
    finally:
        await ring.unlink(OWN)


KEYS: Provoked[Scene] = {
    "keyctl": [
        ("EACCES", key(denied)),
        ("EDEADLK", keyrings(circled)),
        ("ENOTDIR", key(lambda _, k: k.link(Keyring(k.task, k.near)))),
        ("ENOENT", keyrings(lambda first, second: first.unlink(second))),
        ("EKEYREVOKED", key(added_late)),
    ],
    "add_key": [
        ("ENOTDIR", key(lambda t, k: t.keys.add_key("user", "a", b"b", Keyring(t, k.near)))),
        ("EINVAL", lambda p: p.task.keys.add_key("t" * 40, "a", b"b", OWN)),
        ("EINVAL", lambda p: p.task.keys.add_key("logon", "unqualified", b"b", OWN)),
    ],
    "request_key": [
        ("EPERM", lambda p: p.task.keys.request_key(".hidden", "a")),
        ("EINVAL", lambda p: p.task.keys.request_key("user", LONG)),
    ],
}


async def stale(p: Scene) -> None:
    """Open a file by its handle that has been removed."""
    (p.folder / "gone").touch()
    handle, _ = await p.task.fs.name_to_handle_at(p.folder / "gone")
    (p.folder / "gone").unlink()
    async with await p.task.fs.open(p.folder) as folder:
        await folder.open_by_handle_at(handle)


async def link_opened(p: Scene) -> None:
    """Open a link by its handle."""
    (p.folder / "link").symlink_to("file")
    handle, _ = await p.task.fs.name_to_handle_at(p.folder / "link")
    async with await p.task.fs.open(p.folder) as folder:
        await folder.open_by_handle_at(handle)


def times(task: Task, seconds: int, fraction: int) -> Callable[[], Awaitable[None]]:
    """Return how to set the clock to what can't be."""

    async def run() -> None:
        place = await task.ptr(Timespec(seconds, fraction))
        try:
            await clock.settimeofday(task.sysif, place.near, None)
        finally:
            place.free()

    return run


# nothing of the machine is changed: each is refused before that
ROOTS: Provoked[Scene] = {
    "open_by_handle_at": [("ESTALE", stale), ("ELOOP", link_opened)],
    "acct": [
        ("ENOENT", lambda p: p.task.host.acct(p.folder / "none")),
        ("EISDIR", lambda p: p.task.host.acct(p.folder)),
        ("ENOTDIR", lambda p: p.task.host.acct("/etc/passwd/below")),
        ("EACCES", lambda p: p.task.host.acct("/dev/null")),
    ],
    "swapon": [
        ("ENOENT", lambda p: p.task.host.swapon(p.folder / "none")),
        ("EINVAL", lambda p: p.task.host.swapon("/dev/null")),
        ("ENOENT", lambda p: p.task.host.swapoff(p.folder / "none")),
        ("EINVAL", lambda p: p.task.host.swapoff("/etc/passwd")),
    ],
    "gettimeofday": [
        ("EINVAL", lambda p: times(p.task, 1, 10**6)()),
        ("EINVAL", lambda p: times(p.task, -1, 0)()),
    ],
    "clock_settime": [
        ("EINVAL", lambda p: p.task.clock.clock_settime(CLOCK.REALTIME, Timespec(-1))),
    ],
    "delete_module": [("ENOENT", lambda p: p.task.host.delete_module("rsyscall_ns_none"))],
    "init_module": [("ENOEXEC", lambda p: p.task.host.init_module(b"no module at all" * 8))],
}


def for_everybody() -> bool:
    """Return whether who has no rights may use BPF."""
    return SETTING.exists() and SETTING.read_text("ascii").strip() == "0"


async def mapped(child: Task) -> None:
    """Make a map of BPF."""
    if for_everybody():
        pytest.skip("everybody may use BPF here (unprivileged_bpf_disabled)")
    await child.bpf.map_create(BPF_MAP_TYPE.HASH, 4, 4, 1)


POWERLESS: Provoked[Task] = {
    "gettimeofday": [("EPERM", powerless(lambda t: times(t, 2**31, 0)()))],
    "bpf": [("EPERM", powerless(mapped))],
}


@cases(KEYS)
async def test_an_error_of_keys_is_the_kernels_own(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await need_keys(task)
    await provoke(task, case, Scene(task, tmp_path))


@pytest.mark.skipif(not IS_ROOT, reason="who is not root is refused before that")
@cases(ROOTS)
async def test_an_error_that_root_gets_is_the_kernels_own(
    task: Task, tmp_path: Path, case: Case[Scene]
) -> None:
    await provoke(task, case, Scene(task, tmp_path))


@cases(POWERLESS)
async def test_who_is_not_root_is_refused(task: Task, case: Case[Task]) -> None:
    await provoke(task, case, task)
