"""Errors of marks of fanotify, and of rules of Landlock: each keeps its errno."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from attrs import frozen

from rsyscall_ns import (
    FAN,
    FAN_INIT,
    FAN_MARK,
    LANDLOCK_ACCESS_FS,
    LANDLOCK_ACCESS_NET,
    LANDLOCK_RULE,
    FanotifyFD,
    LandlockDisabledError,
    LandlockPathBeneathAttr,
    LandlockRulesetFD,
    MissingCallError,
    O,
    Pointer,
    Task,
)
from rsyscall_ns.near.calls import events as near_events
from rsyscall_ns.near.calls import host as near_host
from rsyscall_ns.near.ids import FileDescriptor as NearFD
from tests.support.children import IS_ROOT
from tests.support.provoked import Case, Provoked, Scene, cases, provoke

NO_FD = 2**20 + 5  # no process has an fd as high
INIT, MARK = FAN_INIT, FAN_MARK
NAMED = INIT.REPORT_FID | INIT.REPORT_DFID_NAME
TARGETS = NAMED | INIT.REPORT_TARGET_FID
READ_FILE = LANDLOCK_ACCESS_FS.READ_FILE
Group = Callable[[FanotifyFD, Path], Awaitable[object]]
Rules = Callable[["Ruled"], Awaitable[object]]


@frozen
class Ruled:
    """A set of rules, and a rule that can be added to it, in memory."""

    task: Task
    made: LandlockRulesetFD
    rule: Pointer[LandlockPathBeneathAttr]

    async def add(self, ruleset: int, rule_type: int = 1, flags: int = 0) -> None:
        """Add the rule, by the bare call."""
        sysif, rule = self.task.sysif, self.rule.near
        await near_host.landlock_add_rule(sysif, NearFD(ruleset), rule_type, rule, flags)

    async def add_valid(self, rule_type: int = 1, flags: int = 0) -> None:
        """Add the rule to the set."""
        with self.made.borrow() as near_id:
            await self.add(near_id.number, rule_type, flags)


def group(use: Group, flags: FAN_INIT = INIT.REPORT_FID) -> Callable[[Scene], Awaitable[None]]:
    """Use a group."""

    async def run(p: Scene) -> None:
        async with await p.task.fs.fanotify_init(flags) as made:
            await use(made, p.folder)

    return run


def file(
    flags: FAN_MARK, mask: FAN = FAN.OPEN, init: FAN_INIT = INIT.REPORT_FID
) -> Callable[[Scene], Awaitable[None]]:
    """Mark a file."""
    return group(lambda g, path: g.mark(flags, mask, path / "file"), init)


def folder(
    flags: FAN_MARK, mask: FAN = FAN.OPEN, init: FAN_INIT = INIT.REPORT_FID
) -> Callable[[Scene], Awaitable[None]]:
    """Mark a folder."""
    return group(lambda g, path: g.mark(flags, mask, path), init)


def twice(first: FAN_MARK, second: FAN_MARK) -> Callable[[Scene], Awaitable[None]]:
    """Mark a file in one way, and then in another.

    A child does: closing a group that has marks waits for the kernel, which would hold our loop.
    """

    async def run(p: Scene) -> None:
        path = p.folder / "file"
        async with p.task.spawn() as child, await child.fs.fanotify_init(INIT.REPORT_FID) as made:
            await made.mark(first, FAN.OPEN, path)
            await made.mark(second, FAN.OPEN, path)

    return run


async def no_group(p: Scene) -> None:
    """Mark by what is no group."""
    async with await p.task.fds.eventfd() as counter:
        with counter.borrow() as near_id, p.task.transient(b"/\0") as root:
            call = near_events.fanotify_mark
            await call(p.task.sysif, near_id, MARK.ADD, FAN.OPEN, None, root.address)


async def closed_group(p: Scene) -> None:
    """Mark by an fd that there is none of."""
    with p.task.transient(b"/\0") as root:
        call = near_events.fanotify_mark
        await call(p.task.sysif, NearFD(NO_FD), MARK.ADD, FAN.OPEN, None, root.address)


def ruled(use: Rules) -> Callable[[Scene], Awaitable[None]]:
    """Use a set of rules, and a rule."""

    async def run(p: Scene) -> None:
        async with (
            await p.task.landlock.create_ruleset(READ_FILE) as made,
            await p.task.fs.open("/", O.PATH) as root,
        ):
            with root.borrow() as near_id:
                rule = await p.task.ptr(LandlockPathBeneathAttr(READ_FILE, near_id.number))
                try:
                    await use(Ruled(p.task, made, rule))
                finally:
                    rule.free()

    return run


def parent(number: int) -> LandlockPathBeneathAttr:
    """Return a rule of what an fd is open on."""
    return LandlockPathBeneathAttr(READ_FILE, number)


def nothing() -> LandlockPathBeneathAttr:
    """Return a rule that allows nothing."""
    return LandlockPathBeneathAttr(LANDLOCK_ACCESS_FS.NONE, NO_FD)


async def to_another(rules: Ruled) -> None:
    """Add a rule to what is no set of them."""
    async with await rules.task.fds.eventfd() as counter:
        with counter.borrow() as near_id:
            await rules.add(near_id.number)


MARKS: Provoked[Scene] = {
    "fanotify_mark": [
        ("EEXIST", twice(MARK.ADD, MARK.ADD | MARK.EVICTABLE)),
        ("EEXIST", twice(MARK.ADD | MARK.IGNORE_SURV, MARK.ADD | MARK.IGNORE)),
        ("EEXIST", twice(MARK.ADD | MARK.IGNORE_SURV, MARK.ADD | MARK.IGNORED_MASK)),
        ("EISDIR", folder(MARK.ADD | MARK.IGNORE)),
        ("ENOTDIR", file(MARK.ADD, FAN.RENAME, NAMED)),
        ("ENOTDIR", file(MARK.ADD, FAN.CREATE, TARGETS)),
        ("ENOTDIR", file(MARK.ADD | MARK.IGNORE_SURV, FAN.CREATE, NAMED)),
        ("EINVAL", no_group),
        ("EBADF", closed_group),
        ("EINVAL", file(MARK.ADD | MARK.REMOVE)),
        ("EINVAL", file(MARK.INODE)),
        ("EINVAL", file(MARK.FLUSH | MARK.IGNORED_MASK)),
        ("EINVAL", file(FAN_MARK(1 << 30) | MARK.ADD)),
        ("EINVAL", file(MARK.ADD, FAN(1 << 50))),
        ("EINVAL", folder(MARK.ADD, FAN.RENAME)),
        ("EINVAL", file(MARK.ADD | MARK.IGNORE | MARK.IGNORED_MASK)),
    ],
    "fanotify_init": [
        ("EINVAL", lambda p: p.task.fs.fanotify_init(TARGETS & ~INIT.REPORT_NAME)),
    ],
}
ROOTS: Provoked[Scene] = {
    "fanotify_mark": [
        ("EINVAL", file(MARK.ADD | MARK.MOUNT | MARK.IGNORE, init=INIT.CLASS_NOTIF)),
        ("EINVAL", file(MARK.ADD | MARK.FILESYSTEM | MARK.EVICTABLE)),
        ("EINVAL", file(MARK.ADD, FAN.OPEN_PERM, INIT.CLASS_NOTIF)),
        ("EINVAL", file(MARK.ADD, FAN.CREATE, INIT.CLASS_NOTIF)),
    ],
    "fanotify_init": [
        ("EINVAL", lambda p: p.task.fs.fanotify_init(FAN_INIT(1 << 30))),
        ("EINVAL", lambda p: p.task.fs.fanotify_init(INIT.REPORT_PIDFD | INIT.REPORT_TID)),
        ("EINVAL", lambda p: p.task.fs.fanotify_init(INIT.CLASS_CONTENT | TARGETS)),
    ],
}
RULES: Provoked[Scene] = {
    "landlock_add_rule": [
        ("EBADF", ruled(lambda r: r.add(NO_FD))),
        ("EBADF", ruled(lambda r: r.made.add_rule(LANDLOCK_RULE.PATH_BENEATH, parent(NO_FD)))),
        ("EBADFD", ruled(to_another)),
        ("EBADFD", ruled(lambda r: r.made.add_path_beneath(r.made, READ_FILE))),
        ("EINVAL", ruled(lambda r: r.add_valid(flags=1))),
        ("EINVAL", ruled(lambda r: r.add_valid(99))),
        ("EINVAL", ruled(lambda r: r.made.add_net_port(80, LANDLOCK_ACCESS_NET.CONNECT_TCP))),
        ("ENOMSG", ruled(lambda r: r.made.add_rule(LANDLOCK_RULE.PATH_BENEATH, nothing()))),
    ],
}


@pytest.fixture
def scene(task: Task, tmp_path: Path) -> Scene:
    (tmp_path / "file").touch()
    return Scene(task, tmp_path)


@cases(MARKS)
async def test_an_error_of_marks_is_the_kernels_own(scene: Scene, case: Case[Scene]) -> None:
    await provoke(scene.task, case, scene)


@pytest.mark.skipif(not IS_ROOT, reason="who is not root is refused before that")
@cases(ROOTS)
async def test_an_error_that_root_gets_is_the_kernels_own(scene: Scene, case: Case[Scene]) -> None:
    await provoke(scene.task, case, scene)


@cases(RULES)
async def test_an_error_of_rules_is_the_kernels_own(scene: Scene, case: Case[Scene]) -> None:
    try:
        await scene.task.landlock.abi_version()
    except (MissingCallError, LandlockDisabledError) as error:
        pytest.skip(f"no landlock here: {error}")
    await provoke(scene.task, case, scene)
