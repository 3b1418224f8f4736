"""Entering namespaces of others, in the child that is to call something there.

The files of a mount namespace belong to whoever owns that. So what is needed is loaded before, and
afterwards nothing more: no module, no library, and no source of a traceback. Needs nothing of
this package.
"""

from __future__ import annotations

import ctypes
import errno
import linecache
import mmap
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.machinery import BuiltinImporter, FrozenImporter
from types import TracebackType
from typing import Any, Final

from .channel import Channel
from .kernel import (
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    StepFailedError,
    carry_out,
    clone,
    libc,
)

__all__ = ["ApartError", "NotLoadedHereError", "can_exit", "enter", "move"]

PAGE: Final = 4096
NEWPID: Final = 0x20000000
NEWUSER: Final = 0x10000000
# the databases of nsswitch.conf(5), which names libraries, and where they are to be looked up
LOOKUPS: Final = {"hosts": b"files dns", "networks": b"files dns"}
DATABASES: Final = ("passwd", "group", "shadow", "gshadow", "aliases", "ethers", "hosts")
MORE_DATABASES: Final = ("initgroups", "netgroup", "networks", "protocols", "rpc", "services")
UNWINDER: Final = "libgcc_s.so.1"  # libc loads it when a thread is ended

inside: list[bool] = []  # filled where namespaces were entered


class ApartError(Exception):
    """Namespaces could not be entered, so nothing is called; ``failed``: errno by kind."""

    def __init__(self, failed: Mapping[int, int]) -> None:
        super().__init__(failed)
        self.failed = failed


class NotLoadedHereError(ImportError):
    """Something was to be loaded from the files of a foreign mount namespace."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, {"name": self.name}


def refuse(name: str) -> NotLoadedHereError:
    """Return the error of loading something."""
    return NotLoadedHereError(
        f"{name!r} would be loaded from the files of a foreign mount namespace; have it imported "
        "before, by imports=[...], or allow this by foreign_imports=True",
        name=name,
    )


class Refuse:
    """A finder that finds nothing, and says why."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Refuse a module."""
        del path, target
        raise refuse(name)


def listen(event: str, args: tuple[Any, ...]) -> None:
    """Refuse libraries, of Python or not, that are loaded by their own path."""
    if event == "ctypes.dlopen" or (event == "import" and args[1] is not None):
        name = args[0] if event == "ctypes.dlopen" else args[1]
        if name is not None:
            raise refuse(str(name))


def no_source(filename: str, module_globals: object = None) -> list[str]:
    """Find no source of a file: what is there is not what runs."""
    del filename, module_globals
    return []


def keep_sources(filename: str | None = None) -> None:
    """Leave what is known of sources as it is."""
    del filename


def show(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    """Write a traceback; the interpreter's own way would read the source."""
    traceback.print_exception(kind, error, trace)


def shut_imports(source: str | None) -> None:
    """Load nothing from files any more; tracebacks show the source of one file, known before."""
    with suppress(OSError):
        ctypes.CDLL(UNWINDER)
    for name in (*DATABASES, *MORE_DATABASES):
        how = LOOKUPS.get(name, b"files")
        if hasattr(libc, "__nss_configure_lookup"):  # not every libc has it, or needs it
            libc["__nss_configure_lookup"](name.encode(), how)
    if source is not None:
        linecache.getlines(source)
    linecache.updatecache = no_source
    linecache.checkcache = keep_sources
    sys.excepthook = show
    sys.unraisablehook = lambda args: show(args.exc_type, args.exc_value, args.exc_traceback)
    threading.excepthook = lambda args: show(args.exc_type, args.exc_value, args.exc_traceback)
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, Refuse()]
    sys.path[:] = []
    sys.path_hooks[:] = []
    sys.path_importer_cache.clear()
    sys.addaudithook(listen)


def join(namespaces: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Join namespaces, by kind and fd; returns the errno of those that can't be.

    With the rights that we have; then, what these are not enough for, from inside.
    """
    failed = setns(namespaces)
    again = [(kind, fd) for kind, fd in namespaces if failed.get(kind) == errno.EPERM]
    joined = {kind for kind, _ in namespaces} - failed.keys()
    if NEWUSER in joined and again:
        for kind, _ in again:
            del failed[kind]
        failed |= setns(again)
    return failed


def setns(namespaces: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Join them in this order, each that can be."""
    return {kind: ctypes.get_errno() for kind, fd in namespaces if libc.setns(fd, kind) < 0}


def enter(job: Mapping[str, Any], source: str | None, channel: Channel) -> dict[int, int]:
    """Enter what a job says, and load nothing any more; returns the errno of what failed, by kind.

    ``source``: the file of what is to be called. Returns in another process, where a pid
    namespace is entered.
    """
    if job["shut"]:
        shut_imports(source)
    failed = join(job["namespaces"])
    if failed and job["every"]:
        raise ApartError(failed)
    joined = {kind for kind, _ in job["namespaces"]} - failed.keys()
    part = "inside" if NEWUSER in joined else "settled"
    try:
        carry_out(*job[part][0])
    except StepFailedError as error:
        error.part = part
        raise
    # a change of rights may have taken both
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    inside.append(True)
    if NEWPID in joined:
        number = move(job["page"], job["numbers"], channel)
        if number:  # it has no process 1 any more
            raise ApartError({NEWPID: number})
    else:
        os.close(job["page"])
    return failed


def can_exit() -> bool:
    """Whether this process is one that namespaces were entered by, to call something there."""
    return bool(inside)


def move(page: int, numbers: tuple[int, int], channel: Channel) -> int:
    """Go on as a child of our parent, in the namespaces that are for children; 0, or an errno.

    ``page``: a file of one page, where our parent finds the child's id whatever becomes of us.
    """
    memory = mmap.mmap(page, PAGE)
    os.close(page)
    word = ctypes.c_int.from_buffer(memory)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # what was written so far is written once
            stream.flush()
    pid, _ = clone(0, numbers, ctypes.addressof(word))
    del word
    memory.close()
    if pid > 0:
        channel.send({"is": "moved", "pid": pid})
        while True:
            signal.pause()  # until it is known, and we are ended
    if pid == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        channel.wait()
    return -pid
