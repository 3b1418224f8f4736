"""The parts of a job: steps for a child, as it takes them; those of a setup are made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, final

from attrs import frozen

from rsyscall_ns.containers.setup import Setup
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.program import Program
from rsyscall_ns.near.abi.fcntl_h import F_DUPFD_CLOEXEC
from rsyscall_ns.near.abi.mount_h import MS
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import KIND_CALL, OP

__all__ = ["Part", "parts_of"]

FIRST_PLAIN_FD: Final = 3
KEPT: Final = 16  # setups
WORD: Final = 8
CLOSE: Final = int(SYS.close)
Packed = tuple[tuple[bytes, bytes, Sequence[Sequence[int]], Sequence[Sequence[int]]], list[int]]


@final
@frozen
class Part:
    """Some steps, and how they are sent: with their memory, and which may leave an fd open."""

    program: Program
    packed: Packed

    @classmethod
    def of(cls, program: Program) -> Part:
        """Pack them."""
        assert not program.handles
        left: dict[int, None] = {}
        for step, (kind, _, refs, number, first, *_) in enumerate(OP.iter_unpack(program.ops)):
            assert kind == KIND_CALL
            if number != CLOSE:
                left[step] = None
            elif refs & 1:
                left.pop(first, None)
        starts: dict[int, int] = {}
        content = bytearray()
        for key, region in program.regions.items():
            starts[key] = len(content)
            content += region
            content += bytes(WORD - len(content) % WORD)  # a string ends with one, too
        places = [(at, starts[to.key] + to.offset) for at, to in program.places]
        links = [
            (starts[place.key] + place.offset, starts[to.key] + to.offset)
            for place, to in program.links
        ]
        return cls(program, ((bytes(program.ops), bytes(content), places, links), list(left)))


Parts = Mapping[str, Part]


def parts_of(
    setup: Setup, flags: CLONE, given: Mapping[object, FileDescriptor], *, old: bool
) -> Parts:
    """Return the parts ``names`` and ``places``. ``given``: mounts. ``old``: by mount(2)."""
    new_mounts = CLONE.NEWNS in flags
    if given:
        fds = {mount: fd.near.number for mount, fd in given.items()}
        return made(setup, fds, new_mounts=new_mounts, old=old)
    return kept(setup, new_mounts, old)


@lru_cache(maxsize=KEPT)
def kept(setup: Setup, new_mounts: bool, old: bool) -> Parts:  # noqa: FBT001 - a key of the cache
    """Return those without given mounts: the next one of the kind has the same."""
    return made(setup, {}, new_mounts=new_mounts, old=old)


def made(setup: Setup, fds: Mapping[object, int], *, new_mounts: bool, old: bool) -> Parts:
    """Make both."""
    names, places = Program(), Program()
    if new_mounts:
        root = names.room(b"/")
        names.call(SYS.mount, 0, root, 0, int(MS.REC | MS.PRIVATE), 0)
    setup.append_names(names)
    copies = {
        mount: places.call(SYS.fcntl, number, F_DUPFD_CLOEXEC, FIRST_PLAIN_FD)
        for mount, number in fds.items()
    }
    setup.append_places(places, copies, old=old)
    for copy in copies.values():
        places.call(SYS.close, copy)
    for number in fds.values():
        places.call(SYS.close, number)
    return {"names": Part.of(names), "places": Part.of(places)}
