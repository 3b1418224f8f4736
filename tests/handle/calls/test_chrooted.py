"""A task whose root is no mount point gets no mount namespace that could not be made private."""

from __future__ import annotations

import pytest

from rsyscall_ns import CLONE, ChildTask, RootNotMountedError, Task
from tests.support.procfs import link

FLAGS = CLONE.NEWUSER | CLONE.NEWNS


async def chroot(child: ChildTask) -> None:
    """Give it a root that is no mount point."""
    await child.fs.chroot("/usr")


async def test_unshare_is_refused_and_nothing_was_unshared(local: Task) -> None:
    async with local.spawn(FLAGS, uid_map=True) as child:
        await chroot(child)
        pid, belief = child.process.near.id, child.mnt_namespace
        before = link(pid, "ns/mnt")

        with pytest.raises(RootNotMountedError, match="no mount point"):
            await child.ns.unshare(CLONE.NEWNS)

        assert link(pid, "ns/mnt") == before
        assert child.mnt_namespace is belief


async def test_spawn_says_the_same(local: Task) -> None:
    async with local.spawn(FLAGS, uid_map=True) as child:
        await chroot(child)
        with pytest.raises(RootNotMountedError, match="bind the root onto itself"):
            async with child.spawn(CLONE.NEWNS):
                pytest.fail("it was spawned")
        async with child.spawn() as other:
            assert await other.cred.getuid() == 0


async def test_other_namespaces_can_be_had_below_a_chroot(local: Task) -> None:
    async with local.spawn(FLAGS, uid_map=True) as child:
        await chroot(child)
        before = link(child.process.near.id, "ns/uts")
        await child.ns.unshare(CLONE.NEWUTS)
        assert link(child.process.near.id, "ns/uts") != before
