"""Devices, and what their fds can do."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    FUSE,
    FUSE_NOTIFY,
    TCFLOW,
    TUN_F,
    BlockFD,
    FuseFD,
    FuseRequest,
    LoopControlFD,
    LoopFD,
    LoopInfo64,
    Pointer,
    Termios2,
    TtyFD,
    TunFD,
    Winsize,
)
from rsyscall_ns.near import ids

from .world import Call, World

__all__ = ["TABLE"]

ASKED: Final = FuseRequest(FUSE.READ, 1)


def room(w: World) -> Pointer[bytes]:
    """Return enough memory for a request."""
    address = w.task.arena.allocate(8192)
    return Pointer(w.task.arena, w.task.address_space, address, 8192, w.pointer.serializer)


TABLE: Final[dict[str, Call]] = {
    "BlockFD.alignment_offset": lambda w: w.of_kind(BlockFD).alignment_offset(),
    "BlockFD.block_size": lambda w: w.of_kind(BlockFD).block_size(),
    "BlockFD.check_kind": lambda w: BlockFD.check_kind(w.file),
    "BlockFD.discard": lambda w: w.of_kind(BlockFD).discard(0, 1),
    "BlockFD.disk_seq": lambda w: w.of_kind(BlockFD).disk_seq(),
    "BlockFD.flush_buffers": lambda w: w.of_kind(BlockFD).flush_buffers(),
    "BlockFD.get_readahead": lambda w: w.of_kind(BlockFD).get_readahead(),
    "BlockFD.io_min": lambda w: w.of_kind(BlockFD).io_min(),
    "BlockFD.io_opt": lambda w: w.of_kind(BlockFD).io_opt(),
    "BlockFD.is_read_only": lambda w: w.of_kind(BlockFD).is_read_only(),
    "BlockFD.is_rotational": lambda w: w.of_kind(BlockFD).is_rotational(),
    "BlockFD.physical_sector_size": lambda w: w.of_kind(BlockFD).physical_sector_size(),
    "BlockFD.reread_partitions": lambda w: w.of_kind(BlockFD).reread_partitions(),
    "BlockFD.secure_discard": lambda w: w.of_kind(BlockFD).secure_discard(0, 1),
    "BlockFD.sector_size": lambda w: w.of_kind(BlockFD).sector_size(),
    "BlockFD.set_read_only": lambda w: w.of_kind(BlockFD).set_read_only(),
    "BlockFD.set_readahead": lambda w: w.of_kind(BlockFD).set_readahead(1),
    "BlockFD.size": lambda w: w.of_kind(BlockFD).size(),
    "BlockFD.zero_out": lambda w: w.of_kind(BlockFD).zero_out(0, 1),
    "Devices.open_block": lambda w: w.task.dev.open_block("/dev/null"),
    "Devices.open_fuse": lambda w: w.task.dev.open_fuse("/dev/null"),
    "Devices.open_loop": lambda w: w.task.dev.open_loop("/dev/null"),
    "Devices.open_loop_control": lambda w: w.task.dev.open_loop_control("/dev/null"),
    "Devices.open_tty": lambda w: w.task.dev.open_tty("/dev/null"),
    "Devices.open_tun": lambda w: w.task.dev.open_tun(path="/dev/null"),
    "Devices.openpty": lambda w: w.task.dev.openpty("/dev/null"),
    "FuseFD.backing_close": lambda w: w.of_kind(FuseFD).backing_close(1),
    "FuseFD.backing_open": lambda w: w.of_kind(FuseFD).backing_open(w.target),
    "FuseFD.check_kind": lambda w: FuseFD.check_kind(w.file),
    "FuseFD.clone": lambda w: w.of_kind(FuseFD).clone("/dev/null"),
    "FuseFD.notify": lambda w: w.of_kind(FuseFD).notify(FUSE_NOTIFY.INC_EPOCH, b""),
    "FuseFD.read_request": lambda w: w.of_kind(FuseFD).read_request(),
    "FuseFD.read_request_into": lambda w: w.of_kind(FuseFD).read_request_into(room(w)),
    "FuseFD.reply": lambda w: w.of_kind(FuseFD).reply(ASKED),
    "FuseFD.reply_error": lambda w: w.of_kind(FuseFD).reply_error(ASKED, 1),
    "FuseFD.sync_init": lambda w: w.of_kind(FuseFD).sync_init(),
    "LoopControlFD.add": lambda w: w.of_kind(LoopControlFD).add(1),
    "LoopControlFD.check_kind": lambda w: LoopControlFD.check_kind(w.file),
    "LoopControlFD.get_free": lambda w: w.of_kind(LoopControlFD).get_free(),
    "LoopControlFD.remove": lambda w: w.of_kind(LoopControlFD).remove(1),
    "LoopFD.change_fd": lambda w: w.of_kind(LoopFD).change_fd(w.target),
    "LoopFD.check_kind": lambda w: LoopFD.check_kind(w.file),
    "LoopFD.clr_fd": lambda w: w.of_kind(LoopFD).clr_fd(),
    "LoopFD.configure": lambda w: w.of_kind(LoopFD).configure(w.target),
    "LoopFD.get_status64": lambda w: w.of_kind(LoopFD).get_status64(),
    "LoopFD.set_block_size": lambda w: w.of_kind(LoopFD).set_block_size(512),
    "LoopFD.set_capacity": lambda w: w.of_kind(LoopFD).set_capacity(),
    "LoopFD.set_direct_io": lambda w: w.of_kind(LoopFD).set_direct_io(),
    "LoopFD.set_status64": lambda w: w.of_kind(LoopFD).set_status64(LoopInfo64()),
    "TtyFD.check_kind": lambda w: TtyFD.check_kind(w.file),
    "TtyFD.exclusive": lambda w: w.of_kind(TtyFD).exclusive(),
    "TtyFD.fionread": lambda w: w.of_kind(TtyFD).fionread(),
    "TtyFD.is_exclusive": lambda w: w.of_kind(TtyFD).is_exclusive(),
    "TtyFD.is_locked_pty": lambda w: w.of_kind(TtyFD).is_locked_pty(),
    "TtyFD.lock_pty": lambda w: w.of_kind(TtyFD).lock_pty(),
    "TtyFD.notty": lambda w: w.of_kind(TtyFD).notty(),
    "TtyFD.outq": lambda w: w.of_kind(TtyFD).outq(),
    "TtyFD.packet_mode": lambda w: w.of_kind(TtyFD).packet_mode(),
    "TtyFD.ptn": lambda w: w.of_kind(TtyFD).ptn(),
    "TtyFD.ptpeer": lambda w: w.of_kind(TtyFD).ptpeer(),
    "TtyFD.sctty": lambda w: w.of_kind(TtyFD).sctty(),
    "TtyFD.tcdrain": lambda w: w.of_kind(TtyFD).tcdrain(),
    "TtyFD.tcflow": lambda w: w.of_kind(TtyFD).tcflow(TCFLOW.TCOON),
    "TtyFD.tcflush": lambda w: w.of_kind(TtyFD).tcflush(),
    "TtyFD.tcgetattr": lambda w: w.of_kind(TtyFD).tcgetattr(),
    "TtyFD.tcgetpgrp": lambda w: w.of_kind(TtyFD).tcgetpgrp(),
    "TtyFD.tcgetsid": lambda w: w.of_kind(TtyFD).tcgetsid(),
    "TtyFD.tcgetwinsize": lambda w: w.of_kind(TtyFD).tcgetwinsize(),
    "TtyFD.tcsetattr": lambda w: w.of_kind(TtyFD).tcsetattr(Termios2()),
    "TtyFD.tcsetpgrp": lambda w: w.of_kind(TtyFD).tcsetpgrp(ids.ProcessGroup(1)),
    "TtyFD.tcsetwinsize": lambda w: w.of_kind(TtyFD).tcsetwinsize(Winsize()),
    "TunFD.check_kind": lambda w: TunFD.check_kind(w.file),
    "TunFD.dev_netns": lambda w: w.of_kind(TunFD).dev_netns(),
    "TunFD.features": lambda w: w.of_kind(TunFD).features(),
    "TunFD.get_iff": lambda w: w.of_kind(TunFD).get_iff(),
    "TunFD.get_sndbuf": lambda w: w.of_kind(TunFD).get_sndbuf(),
    "TunFD.get_vnet_hdr_sz": lambda w: w.of_kind(TunFD).get_vnet_hdr_sz(),
    "TunFD.set_carrier": lambda w: w.of_kind(TunFD).set_carrier(on=True),
    "TunFD.set_group": lambda w: w.of_kind(TunFD).set_group(0),
    "TunFD.set_iff": lambda w: w.of_kind(TunFD).set_iff(),
    "TunFD.set_ifindex": lambda w: w.of_kind(TunFD).set_ifindex(1),
    "TunFD.set_link": lambda w: w.of_kind(TunFD).set_link(1),
    "TunFD.set_offload": lambda w: w.of_kind(TunFD).set_offload(TUN_F.NONE),
    "TunFD.set_owner": lambda w: w.of_kind(TunFD).set_owner(0),
    "TunFD.set_persist": lambda w: w.of_kind(TunFD).set_persist(),
    "TunFD.set_queue": lambda w: w.of_kind(TunFD).set_queue(attach=True),
    "TunFD.set_sndbuf": lambda w: w.of_kind(TunFD).set_sndbuf(1),
    "TunFD.set_vnet_hdr_sz": lambda w: w.of_kind(TunFD).set_vnet_hdr_sz(12),
}
