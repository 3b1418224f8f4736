"""A file system of one file, served by a child and read by a program.

One child is root in namespaces of its own and mounts it; another, outside of them, answers what
the kernel asks; ``cat`` reads the file as any other. Nothing of it is seen by the rest of the
machine. Prints what cat has read, and what the kernel asked for.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from errno import ENODEV, ENOENT, ENOSYS
from typing import Final

import trio

from rsyscall_ns import (
    CLONE,
    FUSE,
    FUSE_ROOT_ID,
    CStruct,
    FuseAttr,
    FuseAttrOut,
    FuseEntryOut,
    FuseFD,
    FuseInitIn,
    FuseInitOut,
    FuseOpenOut,
    FuseReadIn,
    FuseRequest,
    Task,
    open_local_task,
)

NAME: Final = "hello"
CONTENT: Final = b"Hello from a file that nobody has written.\n"
FILE: Final = FUSE_ROOT_ID + 1
PLACE: Final = "/tmp"  # noqa: S108 - in a mount namespace of its own
MINOR: Final = 38  # of the protocol that is spoken here
DIRECTORY: Final = FuseAttr(ino=FUSE_ROOT_ID, mode=stat.S_IFDIR | 0o755, nlink=2)
REGULAR: Final = FuseAttr(ino=FILE, mode=stat.S_IFREG | 0o444, nlink=1, size=len(CONTENT))


def look_up(request: FuseRequest) -> FuseEntryOut | int:
    """Return the file, if it is asked for by its name."""
    return FuseEntryOut(nodeid=FILE, attr=REGULAR) if request.names(1) == (NAME,) else ENOENT


def attributes(request: FuseRequest) -> FuseAttrOut:
    """Return what the file is, or the directory."""
    return FuseAttrOut(attr=DIRECTORY if request.nodeid == FUSE_ROOT_ID else REGULAR)


def read(request: FuseRequest) -> bytes:
    """Return a part of the content."""
    asked = request.argument(FuseReadIn)
    return CONTENT[asked.offset : asked.offset + asked.size]


# what the kernel is told, or an errno
ANSWERS: Final[dict[int, Callable[[FuseRequest], bytes | CStruct | int]]] = {
    FUSE.INIT: lambda asked: FuseInitOut(major=asked.argument(FuseInitIn).major, minor=MINOR),
    FUSE.LOOKUP: look_up,
    FUSE.GETATTR: attributes,
    FUSE.OPEN: lambda _: FuseOpenOut(),
    FUSE.READ: read,
    **dict.fromkeys((FUSE.FLUSH, FUSE.RELEASE, FUSE.DESTROY), lambda _: b""),
}


async def serve(fd: FuseFD, seen: list[str]) -> None:
    """Answer until the file system is unmounted."""
    while True:
        try:
            request = await fd.read_request()
        except OSError as error:
            if error.errno != ENODEV:
                raise
            return
        seen.append(FUSE(request.opcode).name)
        if request.opcode == FUSE.FORGET:
            continue  # has no answer
        found = ANSWERS.get(request.opcode)
        told = ENOSYS if found is None else found(request)
        with suppress(FileNotFoundError):  # nobody waits any more
            if isinstance(told, int):
                await fd.reply_error(request, told)
            else:
                await fd.reply(request, told)


async def mount(task: Task) -> FuseFD:
    """Mount it; returns what it is served through."""
    fuse = await task.dev.open_fuse()
    options = f"fd={fuse.near.number},rootmode=40000,user_id=0,group_id=0"
    await task.mount.mount("example", PLACE, "fuse", data=options)
    return fuse


async def main() -> int:
    """Read the file, and show how it went."""
    seen: list[str] = []
    inside = CLONE.NEWUSER | CLONE.NEWNS
    async with (
        open_local_task() as local,
        local.spawn() as server,
        local.spawn(inside, uid_map=True, gid_map=True) as user,
    ):
        made = await mount(user)
        fuse = await made.pass_to(server)  # who serves a file system must not use it
        await made.close()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve, fuse, seen)
            cat = await user.which("cat")
            async with user.launch(cat.with_args(f"{PLACE}/{NAME}")) as program:
                state = await program.wait()
            await user.mount.umount2(PLACE)
        print("the kernel asked for", ", ".join(seen))
    return state.shell_status()


if __name__ == "__main__":
    sys.exit(trio.run(main))
