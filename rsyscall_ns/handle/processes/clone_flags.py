"""Which clone flags work, and which work together."""

from __future__ import annotations

from rsyscall_ns.near.abi.sched_h import CLONE, NEW_NAMESPACES
from rsyscall_ns.near.errors import RsyscallError

__all__ = [
    "INTO_CGROUP",
    "POINTERS",
    "CloneFlagsError",
    "check_flags",
    "check_spawn_flags",
    "check_unshare_flags",
]

POINTERS = int(CLONE.PARENT_SETTID | CLONE.CHILD_SETTID | CLONE.CHILD_CLEARTID | CLONE.SETTLS)
KNOWN = sum(int(flag) for flag in CLONE)  # each is one bit
CAN_UNSHARE = int(NEW_NAMESPACES | CLONE.FILES | CLONE.FS | CLONE.SYSVSEM)
# (flags of which any is asked for, flags of which then none may be, why)
FORBIDDEN = tuple(
    (int(some), int(others), why)
    for some, others, why in (
        (
            CLONE.NEWUSER | CLONE.NEWNS,
            CLONE.FS,
            "a new user or mount namespace can't share CLONE.FS",
        ),
        (CLONE.SIGHAND, CLONE.CLEAR_SIGHAND, "shared signal handlers can't be cleared"),
        (
            CLONE.NEWPID,
            CLONE.PARENT,
            "the first process of a pid namespace can't be a sibling",
        ),
        (CLONE.NEWIPC, CLONE.SYSVSEM, "a new ipc namespace can't share semaphore adjustments"),
        (CLONE.NEWUSER, CLONE.PARENT, "a new user namespace can't be made for a sibling"),
    )
)
REFUSED = (
    (int(CLONE.THREAD), "a thread is no child process: it can't be waited for"),
    (int(CLONE.VFORK), "CLONE.VFORK would stop the caller until the child execs"),
    (int(CLONE.DETACHED), "CLONE.DETACHED means nothing and excludes a pidfd"),
)
ALONE = int(NEW_NAMESPACES | CLONE.VM | CLONE.CLEAR_SIGHAND)
SIGHAND, VM = int(CLONE.SIGHAND), int(CLONE.VM)
ALWAYS = int(CLONE.VM | CLONE.CLEAR_SIGHAND)  # what spawn adds
INTO_CGROUP = int(CLONE.INTO_CGROUP)


class CloneFlagsError(RsyscallError, ValueError):
    """Clone flags that can't work together, or with what else was given."""

    def __init__(self, flags: int, why: str) -> None:
        super().__init__(f"clone flags {CLONE(flags)!r}: {why}")


def check_flags(flags: int) -> None:
    """Refuse flags that no clone by us can have, or that exclude each other."""
    bits = int(flags)  # plain ints: a flag type's own operators are slow
    if not bits & ~ALONE:
        return  # the usual case: what is new excludes nothing else that is
    if bits & ~KNOWN:
        raise CloneFlagsError(flags, f"bits {bits & ~KNOWN:#x} are no clone flags")
    for some, others, why in FORBIDDEN:
        if bits & some and bits & others:
            raise CloneFlagsError(flags, why)
    for flag, why in REFUSED:
        if bits & flag:
            raise CloneFlagsError(flags, why)
    if bits & SIGHAND and not bits & VM:
        raise CloneFlagsError(flags, "shared signal handlers need shared memory, CLONE.VM")


def check_spawn_flags(flags: int) -> None:
    """Refuse flags that spawn can't give a child."""
    bits = int(flags)
    check_flags(bits | ALWAYS)
    if bits & POINTERS:
        raise CloneFlagsError(flags, "this flag needs a pointer: use task.clone()")
    if bits & INTO_CGROUP:
        raise CloneFlagsError(
            flags, "give the cgroup's fd as cgroup=, which sets CLONE.INTO_CGROUP"
        )


def check_unshare_flags(flags: int) -> None:
    """Refuse flags that unshare can't undo the sharing of."""
    if int(flags) & ~CAN_UNSHARE:
        raise CloneFlagsError(flags, "unshare takes namespaces, FILES, FS and SYSVSEM only")
