"""File systems that tests mount in mount namespaces of their own."""

from __future__ import annotations

from pathlib import Path

from rsyscall_ns import MountFD, Task

__all__ = ["mounted", "put", "tmpfs"]


async def tmpfs(task: Task) -> MountFD:
    """Return a new tmpfs that is mounted nowhere."""
    async with await task.mount.fsopen("tmpfs") as context:
        await context.set_string("size", "64k")
        await context.create()
        return await context.fsmount()


async def put(task: Task, path: Path) -> None:
    """Mount a new tmpfs there."""
    async with await tmpfs(task) as mount:
        await mount.move_to(path)


async def mounted(task: Task) -> dict[str, str]:
    """Return the options of every mount point."""
    text = (await task.fs.read_bytes("/proc/self/mountinfo")).decode()
    return {line.split()[4]: line.split(" ", 5)[5] for line in text.splitlines()}
