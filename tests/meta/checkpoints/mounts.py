"""Mounts, and what their fds can do."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import FsContextFD, MountAttr, MountFD

from .world import Call

__all__ = ["TABLE"]

TABLE: Final[dict[str, Call]] = {
    "FsContextFD.check_kind": lambda w: FsContextFD.check_kind(w.file),
    "FsContextFD.create": lambda w: w.of_kind(FsContextFD).create(),
    "FsContextFD.create_excl": lambda w: w.of_kind(FsContextFD).create_excl(),
    "FsContextFD.fsmount": lambda w: w.of_kind(FsContextFD).fsmount(),
    "FsContextFD.read_log": lambda w: w.of_kind(FsContextFD).read_log(),
    "FsContextFD.reconfigure": lambda w: w.of_kind(FsContextFD).reconfigure(),
    "FsContextFD.set_binary": lambda w: w.of_kind(FsContextFD).set_binary("a", b"b"),
    "FsContextFD.set_fd": lambda w: w.of_kind(FsContextFD).set_fd("a", w.target),
    "FsContextFD.set_flag": lambda w: w.of_kind(FsContextFD).set_flag("a"),
    "FsContextFD.set_path": lambda w: w.of_kind(FsContextFD).set_path("a", "/"),
    "FsContextFD.set_path_empty": lambda w: w.of_kind(FsContextFD).set_path_empty("a", w.target),
    "FsContextFD.set_string": lambda w: w.of_kind(FsContextFD).set_string("a", "b"),
    "Mount.fsopen": lambda w: w.task.mount.fsopen("tmpfs"),
    "Mount.fspick": lambda w: w.task.mount.fspick("/"),
    "Mount.listmount": lambda w: w.task.mount.listmount(),
    "Mount.mount": lambda w: w.task.mount.mount("", "/"),
    "Mount.mount_setattr": lambda w: w.task.mount.mount_setattr("/", MountAttr()),
    "Mount.move_mount": lambda w: w.task.mount.move_mount("/nowhere", "/nowhere"),
    "Mount.open_tree": lambda w: w.task.mount.open_tree("/"),
    "Mount.open_tree_attr": lambda w: w.task.mount.open_tree_attr("/", MountAttr()),
    "Mount.pivot_root": lambda w: w.task.mount.pivot_root("/nowhere", "/nowhere"),
    "Mount.statmount": lambda w: w.task.mount.statmount(1),
    "Mount.umount2": lambda w: w.task.mount.umount2("/"),
    "MountFD.check_kind": lambda w: MountFD.check_kind(w.file),
    "MountFD.mount_setattr": lambda w: w.of_kind(MountFD).mount_setattr(MountAttr()),
    "MountFD.move_to": lambda w: w.of_kind(MountFD).move_to("/nowhere"),
    "MountFD.open_tree": lambda w: w.of_kind(MountFD).open_tree(),
    "NamespaceFD.id": lambda w: w.namespace.id(),
    "NamespaceFD.identity": lambda w: w.namespace.identity(),
    "NamespaceFD.mnt_info": lambda w: w.namespace.mnt_info(),
    "NamespaceFD.mnt_next": lambda w: w.namespace.mnt_next(),
    "NamespaceFD.mnt_prev": lambda w: w.namespace.mnt_prev(),
    "NamespaceFD.mntns_id": lambda w: w.namespace.mntns_id(),
    "NamespaceFD.parent": lambda w: w.namespace.parent(),
    "NamespaceFD.pid_from_pidns": lambda w: w.namespace.pid_from_pidns(1),
    "NamespaceFD.pid_in_pidns": lambda w: w.namespace.pid_in_pidns(1),
    "NamespaceFD.tgid_from_pidns": lambda w: w.namespace.tgid_from_pidns(1),
    "NamespaceFD.tgid_in_pidns": lambda w: w.namespace.tgid_in_pidns(1),
    "NamespaceFD.userns": lambda w: w.namespace.userns(),
}
