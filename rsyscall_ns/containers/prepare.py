"""From arguments to what is to be done: looks at the caller's files and ids, changes nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from errno import ENOENT, ENOTDIR
from stat import S_ISDIR

from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.strings import StrPath
from rsyscall_ns.tasks.command import Command
from rsyscall_ns.tasks.idmap import IdRange
from rsyscall_ns.tasks.idwrite import IdMaps

from .errors import ContainerArgumentError, RootMissingError, WorkdirError
from .mounts.compile import look
from .options import Options
from .setup import Ids, Setup

__all__ = ["Own", "command_of", "ids_of", "maps_of", "prepare"]

Own = tuple[int, int]  # the caller's user and group id


def command_of(target: Sequence[StrPath] | Command, options: Options) -> Command:
    """Return the command: without a slash it is looked for on PATH, in the container."""
    if isinstance(target, Command):
        return target.with_env(**options.env) if options.env else target
    words = Command("", target).args
    if not words:
        raise ContainerArgumentError("target", "a command is a list of one string at least")
    name = os.fsdecode(words[0])
    paths = [name]
    if "/" not in name:
        paths = [f"{place or '.'}/{name}" for place in options.path_of().split(":")]
    return Command(paths[0], words, options.env, elsewhere=paths[1:])


def maps_of(options: Options, own: Own) -> IdMaps | None:
    """Return the id maps of the new user namespace, if there is one."""
    if CLONE.NEWUSER not in options.flags:
        return None
    return IdMaps.parse(options.uid_map, options.gid_map, own)


def ids_of(maps: IdMaps | None, own: Own) -> Ids | None:
    """Return who to become, if we are nobody in there."""
    if maps is None or (is_mapped(maps.uid, own[0]) and is_mapped(maps.gid, own[1])):
        return None
    first = [min(one.inside for one in ranges) for ranges in (maps.uid, maps.gid)]
    return Ids(first[0], first[1], "setgroups" not in maps.files)


def is_mapped(ranges: tuple[IdRange, ...], own: int) -> bool:
    """Whether an id has one that stands for it inside."""
    return any(0 <= own - one.outside < one.count for one in ranges)


def prepare(options: Options, own: Own) -> Setup:
    """Refuse what can be seen to be impossible from here; returns what is to be done."""
    if options.rootdir is not None:
        check_root(options.rootdir)
    flags = options.flags
    return Setup(
        hostname=options.hostname,
        loopback=CLONE.NEWNET in flags,
        ids=ids_of(maps_of(options, own), own),
        session=options.daemonize,
        mounts=look(options.mounts),
        chroot=options.chroot,
        workdir=workdir(options),
        in_user_namespace=CLONE.NEWUSER in flags,
    )


def check_root(path: str) -> None:
    """Refuse a root that is not there, in the caller."""
    try:
        found = S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - a plain string, as it was given
    except OSError as error:
        raise RootMissingError(path, error.errno or ENOENT) from None
    if not found:
        raise RootMissingError(path, ENOTDIR)


def workdir(options: Options) -> str | None:
    """Return the directory to go to, None to stay: at the new root, or where the caller is."""
    if options.workdir is not None or options.new_root:
        return options.workdir
    try:
        here = os.getcwd()  # noqa: PTH109 - a plain string for the kernel
    except FileNotFoundError:
        raise WorkdirError(".", ENOENT, "the caller's own was removed") from None
    if not here.startswith("/"):
        raise WorkdirError(here, ENOENT, "the caller's own can't be reached")
    # what is mounted over it is to be seen in there; who makes one on a network has its own
    return here if options.mounts or options.network is not None else None
