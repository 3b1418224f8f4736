"""Address spaces, mappings, page faults."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    MADV,
    MCL,
    MEMBARRIER,
    MLOCK,
    PROT,
    MemoryMapping,
    NumaPolicy,
    UserfaultFD,
)
from rsyscall_ns.near.ids import Address

from .world import Call, World

__all__ = ["TABLE"]

PAGE: Final = 4096
NOWHERE: Final = Address(PAGE)


def mapping(w: World, *, attached: bool = False) -> MemoryMapping:
    """Return a handle of nothing: a cancelled call never sees that."""
    return MemoryMapping(w.task, NOWHERE, PAGE, attached=attached)


def faults(w: World) -> UserfaultFD:
    return w.of_kind(UserfaultFD)


TABLE: Final[dict[str, Call]] = {
    "Memory.allowed_nodes": lambda w: w.task.mem.allowed_nodes(),
    "Memory.brk": lambda w: w.task.mem.brk(),
    "Memory.get_mempolicy": lambda w: w.task.mem.get_mempolicy(),
    "Memory.membarrier": lambda w: w.task.mem.membarrier(MEMBARRIER.QUERY),
    "Memory.mlockall": lambda w: w.task.mem.mlockall(MCL.CURRENT),
    "Memory.munlockall": lambda w: w.task.mem.munlockall(),
    "Memory.node_of": lambda w: w.task.mem.node_of(NOWHERE),
    "Memory.pkey_alloc": lambda w: w.task.mem.pkey_alloc(),
    "Memory.pkey_free": lambda w: w.task.mem.pkey_free(1),
    "Memory.set_mempolicy": lambda w: w.task.mem.set_mempolicy(NumaPolicy()),
    "Memory.userfaultfd": lambda w: w.task.mem.userfaultfd(),
    "MemoryMapping.madvise": lambda w: mapping(w).madvise(MADV.NORMAL),
    "MemoryMapping.mbind": lambda w: mapping(w).mbind(NumaPolicy()),
    "MemoryMapping.mincore": lambda w: mapping(w).mincore(),
    "MemoryMapping.mlock": lambda w: mapping(w).mlock(),
    "MemoryMapping.mlock2": lambda w: mapping(w).mlock2(MLOCK.ONFAULT),
    "MemoryMapping.mprotect": lambda w: mapping(w).mprotect(PROT.NONE),
    "MemoryMapping.mremap": lambda w: mapping(w).mremap(PAGE),
    "MemoryMapping.mseal": lambda w: mapping(w).mseal(),
    "MemoryMapping.msync": lambda w: mapping(w).msync(),
    "MemoryMapping.munlock": lambda w: mapping(w).munlock(),
    "MemoryMapping.munmap": lambda w: mapping(w).munmap(),
    "MemoryMapping.pkey_mprotect": lambda w: mapping(w).pkey_mprotect(PROT.NONE, 1),
    "MemoryMapping.read": lambda w: mapping(w).read(),
    "MemoryMapping.set_mempolicy_home_node": lambda w: mapping(w).set_mempolicy_home_node(0),
    "MemoryMapping.write": lambda w: mapping(w).write(b"a"),
    "UserfaultFD.api": lambda w: faults(w).api(),
    "UserfaultFD.check_kind": lambda w: UserfaultFD.check_kind(w.file),
    "UserfaultFD.copy": lambda w: faults(w).copy(NOWHERE, bytes(PAGE)),
    "UserfaultFD.move": lambda w: faults(w).move(NOWHERE, NOWHERE, PAGE),
    "UserfaultFD.poison": lambda w: faults(w).poison(NOWHERE, PAGE),
    "UserfaultFD.read_events": lambda w: faults(w).read_events(),
    "UserfaultFD.register": lambda w: faults(w).register(mapping(w)),
    "UserfaultFD.resume": lambda w: faults(w).resume(NOWHERE, PAGE),
    "UserfaultFD.unregister": lambda w: faults(w).unregister(mapping(w)),
    "UserfaultFD.wake": lambda w: faults(w).wake(NOWHERE, PAGE),
    "UserfaultFD.writeprotect": lambda w: faults(w).writeprotect(NOWHERE, PAGE),
    "UserfaultFD.zeropage": lambda w: faults(w).zeropage(NOWHERE, PAGE),
}
