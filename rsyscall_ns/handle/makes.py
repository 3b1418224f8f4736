"""Which system calls give an fd that was not there before, and of what kind it is.

A kind's module is imported when a program first makes such an fd.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from rsyscall_ns.near.abi.fcntl_h import F_DUPFD, F_DUPFD_CLOEXEC

from .fds.fd import FileDescriptor

__all__ = ["ANY", "MAKES", "WHERE", "kind_made_by"]

KINDS: Final = "rsyscall_ns.handle.kinds."
ANY: Final = ""
NEW_LISTENER: Final = 8  # SECCOMP_FILTER_FLAG_NEW_LISTENER
# not so dup2 and dup3, which put it onto an entry that there is
MAKES: Final = {
    "accept": "sockets.SocketFD",
    "accept4": "sockets.SocketFD",
    "bpf": ANY,
    "creat": "file.FileFD",
    "dup": ANY,
    "epoll_create": "epoll.EpollFD",
    "epoll_create1": "epoll.EpollFD",
    "eventfd": "eventfd.EventFD",
    "eventfd2": "eventfd.EventFD",
    "fanotify_init": "fanotify.FanotifyFD",
    "fcntl": ANY,
    "fsmount": "mount.MountFD",
    "fsopen": "fscontext.FsContextFD",
    "fspick": "fscontext.FsContextFD",
    "inotify_init": "inotify.InotifyFD",
    "inotify_init1": "inotify.InotifyFD",
    "io_uring_setup": "io_uring.IoUringFD",
    "landlock_create_ruleset": "landlock.LandlockRulesetFD",
    "memfd_create": "memfd.MemFD",
    "memfd_secret": "file.FileFD",
    "mq_open": "mq.MqFD",
    "open": "file.FileFD",
    "open_by_handle_at": "file.FileFD",
    "open_tree": "mount.MountFD",
    "open_tree_attr": "mount.MountFD",
    "openat": "file.FileFD",
    "openat2": "file.FileFD",
    "perf_event_open": "perf_event.PerfEventFD",
    "pidfd_getfd": ANY,
    "pidfd_open": "pidfd.PidFD",
    "seccomp": "seccomp.SeccompNotifyFD",
    "signalfd": "signalfd.SignalFD",
    "signalfd4": "signalfd.SignalFD",
    "socket": "sockets.SocketFD",
    "timerfd_create": "timerfd.TimerFD",
    "userfaultfd": "userfault.UserfaultFD",
}
# which of them do so only where one argument, the n-th, is one of these
WHERE: Final[dict[str, tuple[int, set[int]]]] = {
    "bpf": (0, {0, 5, 7, 13, 14, 17, 18, 19, 28, 30, 32, 33, 36}),  # BPF_MAP_CREATE and so on
    "fcntl": (1, {F_DUPFD, F_DUPFD_CLOEXEC}),
    "landlock_create_ruleset": (2, {0}),  # else it gives a version
    "seccomp": (1, {flags for flags in range(64) if flags & NEW_LISTENER}),
    "signalfd": (0, {-1, 2**32 - 1}),
    "signalfd4": (0, {-1, 2**32 - 1}),
}


@cache
def kind_made_by(call: str) -> type[FileDescriptor]:
    """Return the kind of the fd that a call gives, which must be one that does."""
    module, _, name = MAKES[call].rpartition(".")
    if not name:
        return FileDescriptor
    kind: type[FileDescriptor] = getattr(import_module(KINDS + module), name)
    return kind
