"""ReachedProcess: another process's memory, and where its pages are."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from errno import EAGAIN
from typing import Any, Final, overload

from rsyscall_ns.handle.pointers.context import LARGEST
from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.pointers.vectors import (
    IOV_MAX,
    IOVEC,
    Buffers,
    Rooms,
    read_vector,
    write_vector,
)
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.mempolicy_h import MPOL_MF, NODE_BITS, pack_nodes
from rsyscall_ns.near.calls.base import at
from rsyscall_ns.near.ids import Address, fit
from rsyscall_ns.near.nr import SYS

from .process_scheduling import ScheduledProcess

__all__ = ["ReachedProcess", "RemoteRange"]

RemoteRange = tuple[Address, int]  # where, and how many bytes
WORD: Final = 8
INT: Final = 4
MOST_PAGES: Final = 1 << 24
MOVE: Final = MPOL_MF.MOVE
NOT_SEEN: Final = -EAGAIN
MOVES: Final = int(MPOL_MF.MOVE | MPOL_MF.MOVE_ALL)


class ReachedProcess(ScheduledProcess):
    """A process whose memory is there: a base of ``Process``."""

    __slots__ = ()

    @overload
    async def process_vm_readv(self, remote: Sequence[RemoteRange]) -> list[bytes]: ...

    @overload
    async def process_vm_readv(
        self, remote: Sequence[RemoteRange], into: Sequence[int]
    ) -> list[bytes]: ...

    @overload
    async def process_vm_readv(
        self, remote: Sequence[RemoteRange], into: Sequence[Pointer[bytes]]
    ) -> list[Pointer[bytes]]: ...

    async def process_vm_readv(
        self, remote: Sequence[RemoteRange], into: Rooms | None = None
    ) -> list[bytes] | list[Pointer[bytes]]:
        """Read memory of the process, from these addresses so many bytes. ``process_vm_readv(2)``.

        ``into``: the sizes of what they are read into one after the other, by default the same; or
        memory, which is consumed. It ends where the first page can't be read: the rest is
        shorter. One must be allowed to ptrace the process.
        """
        rooms = [size for _, size in remote] if into is None else into
        async with self.turn() as near_id:
            with given(self.task, ranges(remote)) as there, read_vector(self.task, rooms) as here:
                local = at(here.address)
                got = await self._by_id(
                    SYS.process_vm_readv,
                    near_id.id,
                    local,
                    here.count,
                    at(there.address),
                    len(remote),
                    0,
                )
                return here.result(got)

    async def process_vm_writev(self, data: Buffers, remote: Sequence[RemoteRange]) -> int:
        """Write memory of the process, at these addresses so many bytes; returns how many.

        It ends where the first page can't be written. ``process_vm_readv(2)``.
        """
        async with self.turn() as near_id:
            with given(self.task, ranges(remote)) as there, write_vector(self.task, data) as here:
                local = at(here.address)
                return await self._by_id(
                    SYS.process_vm_writev,
                    near_id.id,
                    local,
                    here.count,
                    at(there.address),
                    len(remote),
                    0,
                )

    async def migrate_pages(
        self,
        old_nodes: Iterable[int] | Pointer[bytes],
        new_nodes: Iterable[int] | Pointer[bytes],
    ) -> int:
        """Move its pages from NUMA nodes to others; returns how many could not be moved.

        A ``Pointer``: to a mask of 128 bytes. ``migrate_pages(2)``.
        """
        task = self.task
        masks = [
            nodes if isinstance(nodes, Pointer) else pack_nodes(nodes)
            for nodes in (old_nodes, new_nodes)
        ]
        async with self.turn() as near_id:
            with given(task, masks[0]) as old, given(task, masks[1]) as new:
                for mask in (old, new):
                    fit("size of a mask", mask.size, NODE_BITS // 8, NODE_BITS)
                bits = NODE_BITS + 1  # the kernel takes one off
                return await self._by_id(
                    SYS.migrate_pages, near_id.id, bits, at(old.address), at(new.address)
                )

    @overload
    async def move_pages(
        self,
        pages: Sequence[Address] | Pointer[bytes],
        nodes: Sequence[int] | Pointer[bytes] | None = None,
        flags: MPOL_MF = MOVE,
    ) -> list[int]: ...

    @overload
    async def move_pages(
        self,
        pages: Sequence[Address] | Pointer[bytes],
        nodes: Sequence[int] | Pointer[bytes] | None = None,
        flags: MPOL_MF = MOVE,
        *,
        into: Pointer[bytes],
    ) -> Pointer[bytes]: ...

    async def move_pages(
        self,
        pages: Sequence[Address] | Pointer[bytes],
        nodes: Sequence[int] | Pointer[bytes] | None = None,
        flags: MPOL_MF = MOVE,
        *,
        into: Pointer[bytes] | None = None,
    ) -> list[int] | Pointer[bytes]:
        """Move single pages, each to its node; returns where each is, or the negative errno.

        Without nodes none is moved. A page that was not looked at has ``-EAGAIN``. A ``Pointer``
        is to words of 8 bytes (pages), or of 4 (nodes; ``into``, which is filled with the
        statuses). ``move_pages(2)``.
        """
        task = self.task
        fit("flags (MOVE or MOVE_ALL)", flags, MPOL_MF.MOVE, MOVES)
        places = pages if isinstance(pages, Pointer) else words(pages)
        count = fit("number of pages", _size(places) // WORD, 0, MOST_PAGES)
        goals: bytes | Pointer[bytes] | None
        goals = nodes if isinstance(nodes, Pointer) or nodes is None else ints(nodes)
        if goals is not None:
            fit("size of the nodes", _size(goals), INT * count, INT * MOST_PAGES)
        statuses = ints([NOT_SEEN] * count) if into is None else into
        fit("size of the statuses", _size(statuses), INT * count, INT * MOST_PAGES)
        async with self.turn() as near_id:
            with (
                given(task, places) as where,
                given(task, goals) as whither,
                task.transient(statuses if isinstance(statuses, bytes) else 0) as own,
                given(task, into) as theirs,
            ):
                status = theirs.address if into is not None else own.address
                await self._by_id(
                    SYS.move_pages,
                    near_id.id,
                    count,
                    at(where.address),
                    at(whither.address),
                    at(status),
                    flags,
                )
                if into is not None:
                    return into
                return list(struct.unpack(f"<{count}i", own.read()))

    @overload
    async def get_robust_list(self) -> tuple[Address | None, int]: ...

    @overload
    async def get_robust_list(self, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def get_robust_list(
        self, *, into: Pointer[bytes] | None = None
    ) -> tuple[Address | None, int] | Pointer[bytes]:
        """Return where the thread's list of robust futexes begins, and its size in bytes.

        ``into``: is filled with both, as words of 8 bytes. ``get_robust_list(2)``.
        """
        async with self.turn() as near_id:
            with room(self.task, BYTES, into, 2 * WORD) as there:
                fit("size", there.size, 2 * WORD, LARGEST)
                head, size = there.address, there.address + WORD
                await self._by_id(SYS.get_robust_list, near_id.id, at(head), at(size))
                found = there.result()
        if not isinstance(found, bytes):
            return found
        place, length = struct.unpack("<QQ", found)
        return (Address(place) if place else None), length


def ranges(remote: Sequence[RemoteRange]) -> bytes:
    """Return the iovecs of memory elsewhere."""
    fit("number of ranges", len(remote), 0, IOV_MAX)
    return b"".join(
        IOVEC.pack(place.value, fit("size", size, 0, 2**63 - 1)) for place, size in remote
    )


def words(pages: Sequence[Address]) -> bytes:
    """Return addresses one behind the other."""
    return struct.pack(f"<{len(pages)}Q", *(page.value for page in pages))


def ints(nodes: Sequence[int]) -> bytes:
    """Return C ints one behind the other; what is no int raises ArgumentRangeError."""
    return struct.pack(
        f"<{len(nodes)}i", *(fit("node", node, -(2**31), 2**31 - 1) for node in nodes)
    )


def _size(what: bytes | Pointer[Any]) -> int:
    return len(what) if isinstance(what, bytes) else what.size()
