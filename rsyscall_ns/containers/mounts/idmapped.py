"""Mounts whose files' owners are seen through an id map: made by the caller, for the container."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from rsyscall_ns.containers.errors import MountError
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.mount import MountFD
from rsyscall_ns.near.abi.fcntl_h import AT
from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR, MS, OPEN_TREE, MountAttr
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.tasks.task import Task

from .bind import BindMount
from .description import MountDescription

__all__ = ["id_mapped"]

MAPPED = MountAttr(attr_set=MOUNT_ATTR.IDMAP, propagation=MS.PRIVATE)


@asynccontextmanager
async def id_mapped(
    task: Task[Any], mounts: Iterable[MountDescription]
) -> AsyncGenerator[dict[object, FileDescriptor], None]:
    """Make those that are wanted, mounted nowhere; leaving the block closes them."""
    async with AsyncExitStack() as undo:
        made: dict[object, FileDescriptor] = {}
        for mount in mounts:
            if isinstance(mount, BindMount) and mount.id_map is not None:
                made[mount] = await undo.enter_async_context(await make(task, mount))
        yield made


async def make(task: Task[Any], mount: BindMount) -> MountFD:
    """Make one: its id map is that of a user namespace that nobody stays in."""
    below = AT.RECURSIVE if mount.recursive else AT.NONE
    async with AsyncExitStack() as undo:
        owner = await undo.enter_async_context(
            task.spawn(CLONE.NEWUSER, uid_map=mount.id_map, gid_map=mount.id_map)
        )
        theirs = await owner.ns.open("user")
        namespace = await undo.enter_async_context(await theirs.pass_to(task))
        try:
            tree = await task.mount.open_tree(mount.source, OPEN_TREE.CLONE | below)
            undo.push_async_exit(tree)
            await tree.mount_setattr(MAPPED, below, userns=namespace)
        except OSError as error:
            text = error.strerror or str(error)
            raise MountError(mount, error.errno or 0, text, mount.source) from error
        return await tree.dup()
