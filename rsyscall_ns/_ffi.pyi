# The compiled module, as cffi makes it from ffi/decl/.
from collections.abc import Callable
from typing import Literal, NewType, SupportsInt, overload

from typing_extensions import Buffer

Memory = NewType("Memory", object)

class Ring:
    client_cpu: int
    server_cpu: int
    moves: int
    parent: int
    doorbell: int
    made: tuple[int, int, int]
    entry: int
    capabilities: list[int]
    next: int

class Mapped(Buffer):
    def __getitem__(self, part: slice, /) -> bytes: ...

class _FFI:
    @overload
    def cast(self, kind: Literal["char *"], value: int) -> Memory: ...
    @overload
    def cast(self, kind: Literal["struct rs_ring *"], value: int) -> Ring: ...
    @overload
    def cast(self, kind: Literal["uintptr_t"], value: Memory) -> SupportsInt: ...
    def from_buffer(self, data: Buffer, *, require_writable: bool = False) -> Memory: ...
    def gc(self, data: Memory, destructor: Callable[[Memory], None]) -> Memory: ...
    def buffer(self, data: Memory, size: int) -> Mapped: ...
    def sizeof(self, kind: str) -> int: ...

class _Lib:
    RS_WIRE_VERSION: int
    RS_BLOCK_SIZE: int
    RS_RING_SIZE: int
    RS_ENTRIES: int
    RS_INTERRUPT_SIGNAL: int
    RS_SETUP_HANDLERS: int
    RS_SETUP_OWN_FILES: int
    RS_SETUP_RESET: int
    RS_SETUP_CAPABILITIES: int
    RS_SETUP_ONCE: int
    RS_STUB_NO_ROOM: int
    RS_STUB_REFUSED: int
    RS_BELL_EMPTY: int
    RS_BELL_RUNG: int
    RS_BELL_END: int
    RS_NO_DOORBELL: int
    def rs_direct_call(
        self, number: int, a: int, b: int, c: int, d: int, e: int, f: int, /
    ) -> int: ...
    def rs_direct_run(self, ops: int, count: int, results: int, /) -> int: ...
    def rs_ring_prepare(
        self,
        ring: Ring,
        entry: int,
        setup: int,
        doorbell: int,
        kept: int,
        kept_count: int,
        death_signal: int,
        signal_mask: int,
        spin: int,
        /,
    ) -> None: ...
    def rs_ring_call(
        self,
        ring: Ring,
        spin: int,
        nanoseconds: int,
        number: int,
        a: int,
        b: int,
        c: int,
        d: int,
        e: int,
        f: int,
        /,
    ) -> int: ...
    def rs_ring_run(
        self, ring: Ring, spin: int, nanoseconds: int, ops: int, count: int, results: int, /
    ) -> int: ...
    def rs_ring_wait(self, ring: Ring, slot: int, spin: int, nanoseconds: int, /) -> int: ...
    def rs_ring_done(self, ring: Ring, slot: int, /) -> int: ...
    def rs_ring_left(self, ring: Ring, slot: int, /) -> int: ...
    def rs_ring_collect(self, ring: Ring, slot: int, /) -> int: ...
    def rs_ring_arm(self, ring: Ring, /) -> None: ...
    def rs_ring_take_back(self, ring: Ring, slot: int, /) -> int: ...
    def rs_ring_interrupt(self, ring: Ring, slot: int, pidfd: int, /) -> int: ...
    def rs_pauses_per_microsecond(self) -> int: ...
    def rs_entry_point(self) -> int: ...
    def rs_ring_add_setup(self, ring: Ring, setup: int, /) -> None: ...
    def rs_ring_set_spin(self, ring: Ring, spin: int, /) -> None: ...
    def rs_ring_failure(self, ring: Ring, /) -> int: ...
    def rs_effective_capabilities(self) -> int: ...
    def rs_start(
        self,
        ring: Ring,
        entry: int,
        setup: int,
        death_signal: int,
        spin: int,
        theirs: int,
        lends: int,
        kept: int,
        kept_count: int,
        flags: int,
        cgroup: int,
        ops: int,
        count: int,
        results: int,
        /,
    ) -> int: ...
    def rs_map_at(self, address: int, size: int, fd: int, /) -> int: ...
    def rs_map_shown(self, size: int, fd: int, /) -> int: ...
    def rs_unmap(self, address: Memory, size: int, /) -> None: ...
    def rs_doorbell_pair(self) -> int: ...
    def rs_doorbell_take(self, bell: int, /) -> int: ...
    def rs_doorbell_send(self, bell: int, fd: int, /) -> int: ...
    def rs_move_up(self, fd: int) -> int: ...
    def rs_wait_cleared(self, address: int, milliseconds: int, /) -> int: ...

ffi: _FFI
lib: _Lib
