"""The arguments of a container: their names, and what they mean together. Does nothing yet."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypedDict, final

from attrs import field, frozen

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.processes.clone_flags import CloneFlagsError
from rsyscall_ns.near.abi.sched_h import CLONE, NO_FLAGS
from rsyscall_ns.near.errors import PathError
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.strings import StrPath, c_string
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.idmap import IdMapLike
from rsyscall_ns.tasks.spawn import SpawnRequest

from .errors import ContainerArgumentError
from .mounts.bind import BindMount
from .mounts.description import ROOT, MountDescription, host_path, target_path
from .mounts.kernel import ProcMount
from .network.description import Network
from .streams import DEVNULL, Stream, check_streams

__all__ = ["KINDS", "Arguments", "Options", "Target", "capabilities_of"]

Target = Sequence[StrPath] | Command | Callable[..., object]

KINDS: Final = {
    "user": ("newuser", CLONE.NEWUSER),
    "pid": ("newpid", CLONE.NEWPID),
    "mnt": ("newns", CLONE.NEWNS),
    "net": ("newnet", CLONE.NEWNET),
    "uts": ("newuts", CLONE.NEWUTS),
    "ipc": ("newipc", CLONE.NEWIPC),
    "cgroup": ("newcgroup", CLONE.NEWCGROUP),
    "time": ("newtime", CLONE.NEWTIME),
}
SHARED: Final = {
    "vm": CLONE.VM,
    "fs": CLONE.FS,
    "files": CLONE.FILES,
    "sighand": CLONE.SIGHAND,
    "ptrace": CLONE.PTRACE,
    "vfork": CLONE.VFORK,
    "parent": CLONE.PARENT,
    "thread": CLONE.THREAD,
    "sysvsem": CLONE.SYSVSEM,
    "settls": CLONE.SETTLS,
    "settid": CLONE.PARENT_SETTID,
    "child_cleartid": CLONE.CHILD_CLEARTID,
    "detached": CLONE.DETACHED,
    "untraced": CLONE.UNTRACED,
    "child_settid": CLONE.CHILD_SETTID,
    "io": CLONE.IO,
}
LONGEST_HOSTNAME: Final = 64
LARGEST_SET: Final = 2**64 - 1


class Arguments(TypedDict, total=False):
    """What ``Container`` takes by name; each is explained in the documentation."""

    args: Sequence[object]
    kwargs: Mapping[str, object]
    start_method: str
    all: bool
    newuser: bool | None
    user: bool | None
    newpid: bool | None
    pid: bool | None
    newns: bool | None
    mnt: bool | None
    newnet: bool | None
    net: bool | None
    newuts: bool | None
    uts: bool | None
    newipc: bool | None
    ipc: bool | None
    newcgroup: bool | None
    cgroup: bool | None
    newtime: bool | None
    time: bool | None
    flags: CLONE
    uid_map: IdMapLike | None
    gid_map: IdMapLike | None
    map_zero: bool
    rootdir: StrPath | None
    mounts: Sequence[MountDescription]
    proc: bool | StrPath | None
    workdir: StrPath | None
    hostname: str | None
    network: Network | None
    env: Mapping[str, str | None]
    stdin: Stream
    stdout: Stream
    stderr: Stream
    pass_fds: Sequence[FileDescriptor]
    init: bool
    no_new_privs: bool | None
    tty_injection: bool | None
    capabilities: int | None
    keep_caps: bool
    name: str | None
    daemon: bool
    daemonize: bool
    vm: bool
    fs: bool
    files: bool
    sighand: bool
    ptrace: bool
    vfork: bool
    parent: bool
    thread: bool
    sysvsem: bool
    settls: bool
    settid: bool
    child_cleartid: bool
    detached: bool
    untraced: bool
    child_settid: bool
    io: bool


def namespaces(given: Arguments) -> CLONE:
    """Return the flags of the new namespaces, and of ``flags``."""
    flags = CLONE(given.get("flags", NO_FLAGS))
    every = given.get("all", False)
    values: Mapping[str, object] = dict(given)
    for name, (alias, flag) in KINDS.items():
        said = {values[key] for key in (name, alias) if values.get(key) is not None}
        if not said <= {True, False}:
            raise ContainerArgumentError(f"{name}={said}", "it is True, False or None")
        if len(said) > 1:
            raise ContainerArgumentError(f"{name}, {alias}", "one says True, the other False")
        if said == {True} or (every and not said):
            flags |= flag
        elif said == {False}:
            flags &= ~flag
    return flags


def shared(given: Arguments, *, moves: bool) -> CLONE:
    """Return the flags of what is shared; those that no container can have are refused."""
    flags = NO_FLAGS
    values: Mapping[str, object] = dict(given)
    for name, flag in SHARED.items():
        if values.get(name):
            flags |= flag
    asked = flags | CLONE(given.get("flags", NO_FLAGS))
    if CLONE.PARENT in asked:
        raise CloneFlagsError(
            asked, "it would be a child of whoever started this interpreter, who could not end it"
        )
    if CLONE.FILES in asked:
        raise CloneFlagsError(asked, "a program has an fd table of its own")
    if CLONE.FS in asked and moves:
        raise CloneFlagsError(asked, "the caller's own directories would change with CLONE.FS")
    return flags


def hostname(given: Arguments, flags: CLONE) -> bytes | None:
    """Return the host name for the kernel."""
    name = given.get("hostname")
    if name is None:
        return None
    if CLONE.NEWUTS not in flags:
        raise ContainerArgumentError(f"hostname={name!r}", "it would be the host's: add uts=True")
    data = c_string(name)[:-1]
    if len(data) > LONGEST_HOSTNAME:
        raise PathError(name, f"is longer than {LONGEST_HOSTNAME} bytes: no host has such a name")
    return data


def network_of(given: Arguments, flags: CLONE) -> Network | None:
    """Return what the container has besides its loopback interface."""
    values: Mapping[str, object] = dict(given)
    network = values.get("network")
    if network is None:
        return None
    if not isinstance(network, Network):
        raise ContainerArgumentError(f"network={network!r}", "give a Network([...])")
    if CLONE.NEWNET not in flags:
        raise ContainerArgumentError("network", "it would be the caller's own: add net=True")
    if given.get("daemonize") and network.interfaces:
        raise ContainerArgumentError("network", "with daemonize it would go when the caller ends")
    return network


def id_maps(given: Arguments, flags: CLONE) -> tuple[IdMapLike | None, IdMapLike | None]:
    """Return both maps as they were given."""
    uid_map, gid_map = given.get("uid_map"), given.get("gid_map")
    if given.get("map_zero"):
        if not (uid_map is None and gid_map is None):
            raise ContainerArgumentError("map_zero", "it is both maps: leave the others out")
        uid_map = gid_map = True
    if CLONE.NEWUSER not in flags and not (uid_map is None and gid_map is None):
        raise ContainerArgumentError("id maps", "they are a user namespace's: add user=True")
    return uid_map, gid_map


def first_process(given: Arguments, flags: CLONE) -> bool:
    """Return whether a process 1 of ours starts the command."""
    wanted = given.get("init", False)
    if wanted and CLONE.NEWPID not in flags:
        raise ContainerArgumentError("init", "there is no process 1 to be: add pid=True")
    return wanted


def capabilities_of(wanted: int | None) -> int | None:
    """Return those that the command may have, as bits; None for all that it can."""
    if wanted is None:
        return None
    return fit("capabilities", int(wanted), 0, LARGEST_SET)


def all_mounts(given: Arguments, flags: CLONE, rootdir: str | None) -> tuple[MountDescription, ...]:
    """Return the mounts, those included that other arguments ask for."""
    mounts = list(given.get("mounts", ()))
    proc = given.get("proc")
    if CLONE.NEWNS not in flags:
        if mounts or proc:
            raise ContainerArgumentError("mounts", "they would be the caller's: add mnt=True")
        return ()
    if rootdir is not None:
        if mounts and mounts[0].place == ROOT:
            raise ContainerArgumentError(f"rootdir={rootdir!r}", "the mounts have a root already")
        mounts.insert(0, BindMount(rootdir, ROOT))
    if proc is None:
        proc = CLONE.NEWPID in flags
    if proc:
        place = "/proc" if proc is True else target_path(proc)
        if all(mount.place != place for mount in mounts):
            behind = 1 if mounts and mounts[0].place == ROOT else 0
            mounts.insert(behind, ProcMount(place))
    return tuple(mounts)


@final
@frozen
class Options:
    """The arguments, checked against each other."""

    flags: CLONE
    uid_map: IdMapLike | None
    gid_map: IdMapLike | None
    rootdir: str | None
    mounts: tuple[MountDescription, ...]
    workdir: str | None
    hostname: bytes | None
    network: Network | None
    env: dict[str, str | None] = field(eq=False)
    streams: tuple[Stream, Stream, Stream] = field(eq=False)
    pass_fds: tuple[FileDescriptor, ...] = field(eq=False)
    init: bool
    no_new_privs: bool | None
    tty_injection: bool | None
    capabilities: int | None
    keep_caps: bool
    name: str | None
    daemon: bool
    daemonize: bool

    @classmethod
    def parse(cls, given: Arguments) -> Options:
        """Refuse what can't be."""
        unknown = given.keys() - Arguments.__annotations__.keys()
        if unknown:
            raise ContainerArgumentError(
                ", ".join(sorted(unknown)), "a container has no such thing"
            )
        flags = namespaces(given)
        rootdir = given.get("rootdir")
        root = None if rootdir is None else host_path(rootdir)
        workdir = given.get("workdir")
        flags |= shared(given, moves=not (root is None and workdir is None))
        uid_map, gid_map = id_maps(given, flags)
        SpawnRequest.make(flags, uid_map, gid_map, ())
        daemonize = given.get("daemonize", False)
        empty = DEVNULL if daemonize else None
        streams = tuple(
            empty if stream is None else stream
            for stream in (given.get("stdin"), given.get("stdout"), given.get("stderr"))
        )
        check_streams(streams)
        return cls(
            flags,
            uid_map,
            gid_map,
            root,
            all_mounts(given, flags, root),
            None if workdir is None else host_path(workdir),
            hostname(given, flags),
            network_of(given, flags),
            dict(given.get("env", {})),
            (streams[0], streams[1], streams[2]),
            tuple(given.get("pass_fds", ())),
            first_process(given, flags),
            given.get("no_new_privs"),
            given.get("tty_injection"),
            capabilities_of(given.get("capabilities")),
            given.get("keep_caps", False),
            given.get("name"),
            given.get("daemon", False),
            daemonize,
        )

    @property
    def chroot(self) -> str | None:
        """The root that is entered without a mount namespace."""
        return None if CLONE.NEWNS in self.flags else self.rootdir

    @property
    def new_root(self) -> bool:
        """Whether paths begin somewhere else than for the caller."""
        mounted = bool(self.mounts) and self.mounts[0].place == ROOT
        return mounted or self.chroot is not None

    @property
    def confined(self) -> bool:
        """Whether it is less than the caller by its namespaces: with ids, or a root, of its own."""
        return CLONE.NEWUSER in self.flags or self.new_root

    def path_of(self) -> str:
        """Return the PATH that the command is looked for on."""
        return self.env.get("PATH") or os.environ.get("PATH") or os.defpath
