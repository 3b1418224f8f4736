"""Control sockets (2020-15257): none is abstract, none has a name, none can be reached."""

from __future__ import annotations

from pathlib import Path

from rsyscall_ns import CLONE, SIG, Task, W
from tests.support.children import thread_of


def our_sockets(pid: int | str) -> set[str]:
    found: set[str] = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            link = str(entry.readlink())
        except FileNotFoundError:
            continue
        if link.startswith("socket:["):
            found.add(link[len("socket:[") : -1])
    return found


def names_of(inodes: set[str]) -> set[str]:
    lines = Path("/proc/self/net/unix").read_text(encoding="utf-8", errors="replace").splitlines()
    return {
        line.split(maxsplit=7)[7]
        for line in lines[1:]
        if len(line.split()) > 7 and line.split()[6] in inodes
    }


async def test_no_socket_of_ours_or_of_a_child_has_a_name(local: Task) -> None:
    before = our_sockets("self")
    async with local.spawn() as child, child.spawn(CLONE.NEWUSER) as grandchild:
        await thread_of(grandchild).kill(SIG.STOP)  # this makes the waiting thread and its socket
        await thread_of(grandchild).waitid(W.STOPPED)
        ours = our_sockets("self") - before
        theirs = our_sockets(child.process.near.id) | our_sockets(grandchild.process.near.id)

        assert ours
        assert theirs
        assert names_of(ours | theirs) <= names_of(before)


async def test_no_abstract_socket_appears(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWPID):
        inodes = our_sockets("self")

        assert not any(name.startswith("@") for name in names_of(inodes))
