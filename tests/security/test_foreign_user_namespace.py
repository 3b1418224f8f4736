"""A child shares our memory, so it joins no user namespace whose root is somebody else."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from errno import EPERM
from typing import Final

import pytest

from rsyscall_ns import (
    CLONE,
    SYS,
    ForeignUserNamespaceError,
    NamespaceFD,
    NamespaceNotAllowedError,
    RsyscallError,
    Task,
)
from tests.support.children import IS_ROOT
from tests.support.procfs import link
from tests.support.seccomp import answer_with_enosys
from tests.support.somebody import running_as_somebody

OWN: Final = "/proc/self/ns/user"
NS_GET_OWNER_UID: Final = 0xB704  # ioctl_ns(2)


def owner(path: str) -> int:
    """Ask the kernel whose a user namespace is."""
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return int.from_bytes(fcntl.ioctl(number, NS_GET_OWNER_UID, bytes(4)), "little")
    finally:
        os.close(number)


@pytest.fixture
def foreign() -> Generator[str, None, None]:
    """Give the path of a user namespace that somebody else has made."""
    if not IS_ROOT:
        if owner(OWN) == os.geteuid():
            pytest.skip("the user namespace that we are in is our own")
        yield OWN
        return
    with running_as_somebody("unshare", "--user", "cat") as pid:
        yield f"/proc/{pid}/ns/user"


async def opened(task: Task, path: str) -> NamespaceFD:
    return await (await task.fs.open(path)).as_kind(NamespaceFD)


@pytest.mark.parametrize("flags", [CLONE(0), CLONE.NEWUSER], ids=str)
async def test_another_users_is_refused_before_the_call(
    child: Task, foreign: str, flags: CLONE
) -> None:
    whose = owner(foreign)
    fd = await opened(child, foreign)
    await answer_with_enosys(child, SYS.setns)  # the error of one that asks the kernel

    with pytest.raises(ForeignUserNamespaceError) as caught:
        await child.ns.setns(fd, flags)

    assert isinstance(caught.value, PermissionError)
    assert isinstance(caught.value, RsyscallError)
    assert caught.value.errno == EPERM
    assert f"uid {whose}" in str(caught.value)
    assert f"uid {os.geteuid()}" in str(caught.value)


async def test_a_refused_one_leaves_the_child_where_it_was(child: Task, foreign: str) -> None:
    before = link(child.process.near.id, "ns/user"), child.user_namespace, child.fd_table
    fd = await opened(child, foreign)

    with pytest.raises(ForeignUserNamespaceError):
        await child.ns.setns(fd)

    after = link(child.process.near.id, "ns/user"), child.user_namespace, child.fd_table
    assert after == before
    assert await fd.nstype() == CLONE.NEWUSER  # the fd is still ours to use
    assert await child.cred.getuid() == os.getuid()


async def test_one_that_we_made_ourselves_is_joined(local: Task, child: Task) -> None:
    before = child.user_namespace
    async with local.spawn(CLONE.NEWUSER) as other:
        fd = await opened(child, f"/proc/{other.process.near.id}/ns/user")

        await child.ns.setns(fd, CLONE.NEWUSER)

        there = link(other.process.near.id, "ns/user")
        assert link(child.process.near.id, "ns/user") == there != link("self", "ns/user")
        assert child.user_namespace is not before


async def test_other_kinds_are_left_to_the_kernel(local: Task) -> None:
    """Who is root in theirs has no rights over us."""
    async with local.spawn(CLONE.NEWUSER) as child:
        fd = await child.ns.open("uts")  # not of the child's own user namespace
        with pytest.raises(NamespaceNotAllowedError):
            await child.ns.setns(fd)
