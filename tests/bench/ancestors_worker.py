"""Measures the packages pyspaces and pysetns, in an environment of their own: see ``ancestors.py``.

Called with the pid of a process to join. Reads ``NAME COUNT`` from its standard input, answers with
nanoseconds for one, or ``- REASON``. Knows nothing of the other modules here: they are not there.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable
from importlib import import_module
from time import perf_counter_ns
from typing import Any

MEBIBYTE = 1 << 20


def nothing() -> None:
    """Be called in a container."""


def become() -> None:
    """Become a program."""
    os.execv("/bin/true", ["true"])  # noqa: S606 - no shell is what is measured


def checked(status: int) -> None:
    """Refuse to measure what has failed."""
    if status:
        raise ChildProcessError(f"a process ended with status {status}")


class Measured:
    """What is measured."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.spaces: Any = import_module("pyspaces")
        self.setns: Any = import_module("pysetns")

    def _contained(self, **kinds: bool) -> None:
        container = self.spaces.Container(target=nothing, **kinds)
        container.start()
        container.join()
        checked(container.exitcode)

    def callable_in_three(self) -> None:
        """Call a function in new namespaces."""
        self._contained(user=True, pid=True, mnt=True)

    def callable_in_all(self) -> None:
        """Call a function in all new ones that the package knows."""
        self._contained(all=True)

    def join_by_pyspaces(self) -> None:
        """Run a program in those that the package knows."""
        process = self.spaces.Inject(self.pid, become, all=True)
        process.start()
        process.join()
        checked(process.exitcode)

    def join_by_pysetns(self) -> None:
        """Run a program, from a process of its own, which is changed for good."""
        child = os.fork()
        if child == 0:
            try:
                kinds = self.setns.NS_ALL & ~self.setns.NS_TIME
                self.setns.Namespace(self.pid, kinds, true_user=True).enter(become)
            except self.setns.UserNamespaceWarning:
                os._exit(0)
            finally:
                os._exit(1)
        checked(os.waitpid(child, 0)[1])


def touched(mebibytes: int) -> mmap.mmap:
    """Return so much memory, with something in each page of it."""
    heap = mmap.mmap(-1, mebibytes * MEBIBYTE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    heap.madvise(mmap.MADV_NOHUGEPAGE)
    for offset in range(0, len(heap), mmap.PAGESIZE):
        heap[offset] = 1
    return heap


def main(pid: int, mebibytes: int) -> None:
    """Answer until the input ends."""
    measured = Measured(pid)
    heap = touched(mebibytes) if mebibytes else None
    for line in sys.stdin:
        name, count = line.split()
        operation: Callable[[], None] = getattr(measured, name)
        times = int(count)
        start = perf_counter_ns()
        for _ in range(times):
            operation()
        print((perf_counter_ns() - start) / times, flush=True)
    if heap is not None:
        heap.close()


if __name__ == "__main__":
    try:
        main(*map(int, sys.argv[1:]))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side shows it
        print(f"- {' '.join(f'{type(error).__name__}: {error}'.split())}", flush=True)
