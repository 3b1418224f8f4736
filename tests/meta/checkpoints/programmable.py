"""BPF and io_uring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from rsyscall_ns import (
    BPF_ATTACH_TYPE,
    BPF_MAP_TYPE,
    BPF_PROG_TYPE,
    IORING_REGISTER,
    BpfInsn,
    BpfLinkFD,
    BpfMapFD,
    BpfProgFD,
    BpfProgram,
    IoUringFD,
    Operation,
    Ring,
)

from .world import Call, World

__all__ = ["TABLE"]

EMPTY: Final = BpfProgram((BpfInsn.leave(),))
PLACE: Final = BPF_ATTACH_TYPE.CGROUP_DEVICE


def on_ring(use: Callable[[Ring, World], Awaitable[object]]) -> Call:
    """Return a use of a ring, which is made and closed whatever is cancelled."""

    async def call(world: World) -> None:
        made: list[Ring] = []
        with trio.CancelScope(shield=True):
            made.append(await world.task.io_uring.ring(4))
        try:
            await use(made[0], world)
        finally:
            with trio.CancelScope(shield=True):
                await made[0].close()

    return call


async def wait_for_one(ring: Ring, _world: World) -> None:
    numbers: list[int] = []
    with trio.CancelScope(shield=True):
        numbers += await ring.submit(Operation.nop())
    await ring.wait(numbers[0])


TABLE: Final[dict[str, Call]] = {
    "Bpf.get_fd_by_id": lambda w: w.task.bpf.get_fd_by_id(BpfMapFD, 1),
    "Bpf.get_next_id": lambda w: w.task.bpf.get_next_id(BpfMapFD),
    "Bpf.map_create": lambda w: w.task.bpf.map_create(BPF_MAP_TYPE.ARRAY, 4, 4, 1),
    "Bpf.obj_get": lambda w: w.task.bpf.obj_get("/none", BpfMapFD),
    "Bpf.prog_load": lambda w: w.task.bpf.prog_load(BPF_PROG_TYPE.XDP, EMPTY),
    "BpfLinkFD.check_kind": lambda w: BpfLinkFD.check_kind(w.file),
    "BpfLinkFD.detach": lambda w: w.of_kind(BpfLinkFD).detach(),
    "BpfLinkFD.info": lambda w: w.of_kind(BpfLinkFD).info(),
    "BpfLinkFD.update": lambda w: w.of_kind(BpfLinkFD).update(w.of_kind(BpfProgFD)),
    "BpfLinkFD.pin": lambda w: w.of_kind(BpfLinkFD).pin("/none"),
    "BpfMapFD.check_kind": lambda w: BpfMapFD.check_kind(w.file),
    "BpfMapFD.delete": lambda w: w.of_kind(BpfMapFD).delete(b""),
    "BpfMapFD.freeze": lambda w: w.of_kind(BpfMapFD).freeze(),
    "BpfMapFD.get_next_key": lambda w: w.of_kind(BpfMapFD).get_next_key(),
    "BpfMapFD.info": lambda w: w.of_kind(BpfMapFD).info(),
    "BpfMapFD.keys": lambda w: w.of_kind(BpfMapFD).keys(),
    "BpfMapFD.lookup": lambda w: w.of_kind(BpfMapFD).lookup(b""),
    "BpfMapFD.lookup_and_delete": lambda w: w.of_kind(BpfMapFD).lookup_and_delete(),
    "BpfMapFD.pin": lambda w: w.of_kind(BpfMapFD).pin("/none"),
    "BpfMapFD.sizes": lambda w: w.of_kind(BpfMapFD).sizes(),
    "BpfMapFD.update": lambda w: w.of_kind(BpfMapFD).update(b"", b""),
    "BpfMapFD.delete_batch": lambda w: w.of_kind(BpfMapFD).delete_batch([]),
    "BpfMapFD.lookup_and_delete_batch": lambda w: w.of_kind(BpfMapFD).lookup_and_delete_batch(1),
    "BpfMapFD.lookup_batch": lambda w: w.of_kind(BpfMapFD).lookup_batch(1),
    "BpfMapFD.update_batch": lambda w: w.of_kind(BpfMapFD).update_batch({}),
    "BpfProgFD.attach": lambda w: w.of_kind(BpfProgFD).attach(w.file, PLACE),
    "BpfProgFD.check_kind": lambda w: BpfProgFD.check_kind(w.file),
    "BpfProgFD.detach": lambda w: w.of_kind(BpfProgFD).detach(w.file, PLACE),
    "BpfProgFD.info": lambda w: w.of_kind(BpfProgFD).info(),
    "BpfProgFD.link_create": lambda w: w.of_kind(BpfProgFD).link_create(w.file, PLACE),
    "BpfProgFD.pin": lambda w: w.of_kind(BpfProgFD).pin("/none"),
    "BpfProgFD.test_run": lambda w: w.of_kind(BpfProgFD).test_run(b""),
    "IoUring.ring": lambda w: w.task.io_uring.ring(4),
    "IoUring.setup": lambda w: w.task.io_uring.setup(4),
    "IoUringFD.check_kind": lambda w: IoUringFD.check_kind(w.file),
    "IoUringFD.enter": lambda w: w.of_kind(IoUringFD).enter(),
    "IoUringFD.register": lambda w: w.of_kind(IoUringFD).register(IORING_REGISTER.FILES),
    "IoUringFD.register_buffers": lambda w: w.of_kind(IoUringFD).register_buffers([]),
    "IoUringFD.register_enable_rings": lambda w: w.of_kind(IoUringFD).register_enable_rings(),
    "IoUringFD.register_eventfd": lambda w: w.of_kind(IoUringFD).register_eventfd(w.file),
    "IoUringFD.register_files": lambda w: w.of_kind(IoUringFD).register_files([]),
    "IoUringFD.register_files_update": lambda w: w.of_kind(IoUringFD).register_files_update(0, []),
    "IoUringFD.register_probe": lambda w: w.of_kind(IoUringFD).register_probe(),
    "IoUringFD.unregister_buffers": lambda w: w.of_kind(IoUringFD).unregister_buffers(),
    "IoUringFD.unregister_eventfd": lambda w: w.of_kind(IoUringFD).unregister_eventfd(),
    "IoUringFD.unregister_files": lambda w: w.of_kind(IoUringFD).unregister_files(),
    "Ring.close": on_ring(lambda ring, _: ring.close()),
    "Ring.completions": on_ring(lambda ring, _: ring.completions()),
    "Ring.do": on_ring(lambda ring, _: ring.do(Operation.nop())),
    "Ring.read": on_ring(lambda ring, w: ring.read(w.file, 1)),
    "Ring.submit": on_ring(lambda ring, _: ring.submit(Operation.nop())),
    "Ring.wait": on_ring(wait_for_one),
    "Ring.write": on_ring(lambda ring, w: ring.write(w.file, b"a")),
}
