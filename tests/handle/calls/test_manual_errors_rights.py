"""Errors that the pages of rights, keys, futexes and attributes name: each keeps its errno."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rsyscall_ns import (
    BPF_ELEM,
    BPF_F_MAP,
    BPF_MAP_TYPE,
    BYTES,
    CAP,
    FUTEX2,
    GRND,
    KEY_PERM,
    KEYCTL_MOVE,
    LANDLOCK_ACCESS_FS,
    LANDLOCK_ACCESS_NET,
    SECBIT,
    SECCOMP_FILTER_FLAG,
    XATTR,
    BpfMapFD,
    BpfNotAllowedError,
    Capabilities,
    FilterProgram,
    FutexWaiter,
    Key,
    LandlockDisabledError,
    LandlockRulesetFD,
    MissingCallError,
    O,
    Pointer,
    Process,
    SockFilter,
    Task,
    Timespec,
)
from rsyscall_ns.near.ids import KeySerial
from rsyscall_ns.near.ids import Process as NearProcess
from tests.support.keyrings import OWN, need_keys
from tests.support.provoked import Case, cases, powerless, provoke

NOBODY = 2**22 + 1  # no process has an id as high
FS, NET = LANDLOCK_ACCESS_FS, LANDLOCK_ACCESS_NET
ALL = FilterProgram([SockFilter(6, 0, 0, 0x7FFF0000)])  # allows every call
BAD_NSEC = Timespec(nsec=10**9)
Use = Callable[[Task], Awaitable[object]]


def child_of(use: Use) -> Use:
    """Use a child of the task."""

    async def run(task: Task) -> None:
        async with task.spawn() as child:
            await use(child)

    return run


def word(use: Callable[[Task, Pointer[bytes]], Awaitable[object]], value: int = 5) -> Use:
    """Use a futex."""

    async def run(task: Task) -> None:
        pointer = await task.ptr(value.to_bytes(4, "little"), BYTES)
        try:
            await use(task, pointer)
        finally:
            pointer.free()

    return run


def key(use: Callable[[Key], Awaitable[object]]) -> Use:
    """Use a key."""

    async def run(task: Task) -> None:
        made = await task.keys.add_key("user", "an:error", b"secret", OWN)
        try:
            await use(made)
        finally:
            await made.unlink(OWN)

    return run


async def revoked(made: Key) -> None:
    """Read a key that has been revoked."""
    await made.revoke()
    await made.read()


async def denied(made: Key) -> None:
    """Read a key that nobody may read."""
    await made.setperm(KEY_PERM.POS_VIEW | KEY_PERM.POS_WRITE | KEY_PERM.POS_LINK)
    await made.setperm(KEY_PERM.USR_ALL)
    await made.read()


def no_key(use: Callable[[Key], Awaitable[object]]) -> Use:
    """Use a key that there is none of."""
    return lambda task: use(Key(task, KeySerial(2**31 - 9)))


def rules(use: Callable[[Task, LandlockRulesetFD], Awaitable[object]]) -> Use:
    """Use a set of rules."""

    async def run(task: Task) -> None:
        async with await task.landlock.create_ruleset(FS.READ_FILE) as made:
            await use(task, made)

    return run


async def rule_of_a_file(task: Task, made: LandlockRulesetFD) -> None:
    """Allow what only a directory can give."""
    async with await task.fs.open("/etc/passwd", O.PATH) as file:
        await made.add_path_beneath(file, FS.READ_DIR)


async def rule_of_nothing(task: Task, made: LandlockRulesetFD) -> None:
    """Allow nothing at all."""
    async with await task.fs.open("/", O.PATH) as root:
        await made.add_path_beneath(root, FS.NONE)


def elements(use: Callable[[BpfMapFD], Awaitable[object]]) -> Use:
    """Use a map with room for one element, which it has."""

    async def run(task: Task) -> None:
        async with await task.bpf.map_create(BPF_MAP_TYPE.HASH, 4, 4, 1) as made:
            await made.update(b"here", b"full")
            await use(made)

    return run


PROVOKED: dict[str, list[tuple[str, Use]]] = {
    "setresuid": [
        ("EPERM", powerless(lambda t: t.cred.setresuid(0, 0, 0))),
        ("EPERM", powerless(lambda t: t.cred.setreuid(0, 0))),
        ("EPERM", powerless(lambda t: t.cred.setuid(0))),
    ],
    "setresgid": [
        ("EPERM", powerless(lambda t: t.cred.setresgid(7, 7, 7))),
        ("EPERM", powerless(lambda t: t.cred.setregid(7, 7))),
        ("EPERM", powerless(lambda t: t.cred.setgid(7))),
    ],
    "setgroups": [("EPERM", powerless(lambda t: t.cred.setgroups([7])))],
    "capset": [
        ("EPERM", powerless(lambda t: t.cred.capset(Capabilities(CAP.KILL, CAP.KILL)))),
        ("EPERM", child_of(lambda t: t.cred.capset(Capabilities(CAP.KILL, CAP.NONE)))),
    ],
    "capget": [("ESRCH", lambda t: Process(t, NearProcess(NOBODY)).capget())],
    "prctl": [
        ("EINVAL", lambda t: t.prctl.capbset_read(CAP(1 << 63))),
        ("EINVAL", child_of(lambda t: t.prctl.cap_ambient_raise(CAP(1 << 63)))),
        ("EPERM", powerless(lambda t: t.prctl.cap_ambient_raise(CAP.KILL))),
        ("EPERM", powerless(lambda t: t.prctl.capbset_drop(CAP.KILL))),
        ("EPERM", powerless(lambda t: t.prctl.set_securebits(SECBIT.NOROOT))),
    ],
    "futex": [
        ("EAGAIN", child_of(word(lambda t, w: t.futex.wait(w, 6)))),
        ("EAGAIN", child_of(word(lambda t, w: t.futex.futex_wait(w, 6)))),
        ("EAGAIN", word(lambda t, w: t.futex.cmp_requeue(w, 1, 1, w, 6))),
        ("EINVAL", child_of(word(lambda t, w: t.futex.wait(w, 5, BAD_NSEC)))),
        ("EINVAL", word(lambda t, w: t.futex.futex_wake(w, flags=FUTEX2(1 << 20)))),
        ("EAGAIN", child_of(word(lambda t, w: t.futex.futex_waitv([FutexWaiter(w, 6)])))),
        ("ETIMEDOUT", child_of(word(lambda t, w: t.futex.wait(w, 5, Timespec(nsec=1))))),
        ("EPERM", word(lambda t, w: t.futex.unlock_pi(w))),
        ("ESRCH", word(lambda t, w: t.futex.trylock_pi(w), NOBODY)),
    ],
    "seccomp": [
        (
            "EINVAL",
            child_of(lambda t: t.seccomp.set_mode_filter(ALL, SECCOMP_FILTER_FLAG(1 << 20))),
        ),
        (
            "EACCES",
            powerless(lambda t: t.seccomp.set_mode_filter(ALL, no_new_privs=False)),
        ),
    ],
    "getrandom": [
        ("EINVAL", lambda t: t.random.getrandom(1, GRND(8))),
        ("EINVAL", lambda t: t.random.getrandom(1, GRND.RANDOM | GRND.INSECURE)),
    ],
}
ATTRIBUTES: dict[str, list[tuple[str, Callable[[tuple[Task, Path]], Awaitable[object]]]]] = {
    "setxattr": [
        ("EEXIST", lambda p: p[0].fs.setxattr(p[1], "user.a", b"", XATTR.CREATE)),
        ("EINVAL", lambda p: p[0].fs.setxattr(p[1], "user.a", b"", XATTR(8))),
        ("EOPNOTSUPP", lambda p: p[0].fs.setxattr(p[1], "nothing.a", b"")),
        ("E2BIG", lambda p: p[0].fs.setxattr(p[1], "user.a", bytes(65537))),
        ("ENOENT", lambda p: p[0].fs.setxattr(p[1] / "none", "user.a", b"")),
    ],
    "removexattr": [
        ("ENODATA", lambda p: p[0].fs.removexattr(p[1], "user.none")),
        ("EOPNOTSUPP", lambda p: p[0].fs.removexattr(p[1], "nothing.a")),
        ("ENOENT", lambda p: p[0].fs.removexattr(p[1] / "none", "user.a")),
    ],
    "listxattr": [("ENOENT", lambda p: p[0].fs.listxattr(p[1] / "none"))],
}
KEYS: dict[str, list[tuple[str, Use]]] = {
    "add_key": [
        ("EINVAL", lambda t: t.keys.add_key("user", "a", b"", OWN)),
        ("ENODEV", lambda t: t.keys.add_key("nothing", "a", b"b", OWN)),
        ("EPERM", lambda t: t.keys.add_key(".hidden", "a", b"b", OWN)),
        ("EINVAL", lambda t: t.keys.add_key("user", "a" * 5000, b"b", OWN)),
        ("EINVAL", lambda t: t.keys.add_key("user", "a", bytes(40000), OWN)),
    ],
    "request_key": [("ENOKEY", lambda t: t.keys.request_key("user", "none:such"))],
    "keyctl": [
        ("ENOKEY", no_key(lambda k: k.read())),
        ("ENOKEY", no_key(lambda k: k.describe())),
        ("ENOKEY", no_key(lambda k: k.link(OWN))),
        ("EKEYREVOKED", key(revoked)),
        ("EINVAL", key(lambda k: k.setperm(KEY_PERM(1 << 30)))),
        ("EINVAL", key(lambda k: k.move(OWN, OWN, KEYCTL_MOVE(1 << 20)))),
        ("EPERM", key(lambda k: k.instantiate(b"a"))),
        ("EOPNOTSUPP", key(lambda k: k.pkey_query())),
    ],
}
RULES: dict[str, list[tuple[str, Use]]] = {
    "landlock_create_ruleset": [
        ("EINVAL", lambda t: t.landlock.create_ruleset(FS.READ_FILE, NET(1 << 40))),
    ],
    "landlock_add_rule": [
        ("EINVAL", rules(rule_of_a_file)),
        ("ENOMSG", rules(rule_of_nothing)),
        ("EINVAL", rules(lambda _, made: made.add_net_port(80, NET.BIND_TCP))),
    ],
}
BPF: dict[str, list[tuple[str, Use]]] = {
    "bpf": [
        ("EINVAL", lambda t: t.bpf.map_create(BPF_MAP_TYPE.HASH, 0, 4, 1)),
        ("EINVAL", lambda t: t.bpf.map_create(BPF_MAP_TYPE.ARRAY, 8, 4, 1)),
        ("EINVAL", lambda t: t.bpf.map_create(BPF_MAP_TYPE.HASH, 4, 4, 1, BPF_F_MAP(1 << 30))),
        ("E2BIG", elements(lambda m: m.update(b"more", b"full"))),
        ("EEXIST", elements(lambda m: m.update(b"here", b"full", BPF_ELEM.NOEXIST))),
        ("EINVAL", elements(lambda m: m.update(b"here", b"full", BPF_ELEM(1 << 20)))),
        ("ENOENT", lambda t: t.bpf.obj_get("/none", BpfMapFD)),
        ("EACCES", lambda t: t.bpf.obj_get("/etc/passwd", BpfMapFD)),
    ],
}


@cases(PROVOKED)
async def test_an_error_of_the_page_is_the_kernels_own(task: Task, case: Case[Task]) -> None:
    await provoke(task, case, task)


@cases(ATTRIBUTES)
async def test_an_error_of_attributes_is_the_kernels_own(
    task: Task,
    tmp_path: Path,
    case: Case[tuple[Task, Path]],
) -> None:
    await task.fs.setxattr(tmp_path, "user.a", b"there")
    await provoke(task, case, (task, tmp_path))


@cases(KEYS)
async def test_an_error_of_keys_is_the_kernels_own(task: Task, case: Case[Task]) -> None:
    await need_keys(task)
    await provoke(task, case, task)


@cases(RULES)
async def test_an_error_of_landlock_is_the_kernels_own(task: Task, case: Case[Task]) -> None:
    try:
        await task.landlock.abi_version()
    except (MissingCallError, LandlockDisabledError) as error:
        pytest.skip(f"no landlock here: {error}")
    await provoke(task, case, task)


@cases(BPF)
async def test_an_error_of_bpf_is_the_kernels_own(task: Task, case: Case[Task]) -> None:
    try:
        await (await task.bpf.map_create(BPF_MAP_TYPE.ARRAY, 4, 4, 1)).close()
    except BpfNotAllowedError as error:
        pytest.skip(f"BPF is forbidden here: {error}")
    await provoke(task, case, task)
