"""The zygote: a small interpreter of one thread, which makes children for its parent.

A request is a message with fds: the child's channel, its directory, its standard streams, and
those that are passed. The answer is the child's id, with its pidfd, or an error. The child belongs
to the zygote's parent (``CLONE_PARENT``). Nothing is unpickled here.
"""

from __future__ import annotations

import errno
import gc
import marshal
import os
import resource
import signal
import socket
import struct
from typing import Any, Final, NoReturn

from .inside import serve
from .kernel import PR_SET_DUMPABLE, PR_SET_PDEATHSIG, clone, ignore, prctl, restore
from .placing import move_in
from .warm import warm_up

__all__ = ["ANSWER", "MOST_FDS", "MOST_PASSED", "main"]

ANSWER: Final = struct.Struct("<i")
LARGEST: Final = 1 << 16  # bytes of a request
KILL: Final = int(signal.SIGKILL)
INTERRUPT: Final = int(signal.SIGINT)
MOST_FDS: Final = 253  # that the kernel takes with one message
MOST_PASSED: Final = MOST_FDS - 5


def follow(wanted: dict[str, Any], before: dict[str, Any]) -> None:
    """Take over what children get from their parent and may have changed: the caller's of now."""
    os.umask(wanted["umask"])
    for which, limit in enumerate(wanted["limits"]):
        if not before or before["limits"][which] != limit:
            resource.setrlimit(which, limit)
    if wanted["oom"] is not None and (not before or wanted["oom"] != before["oom"]):
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123 - less to import
            file.write(wanted["oom"])


def become_child(request: dict[str, Any], fds: list[int], interrupt: Any) -> NoReturn:  # noqa: ANN401 - what ``ignore`` has returned
    """Be the child: with its own fds, and to die with its parent.

    One that had died before is told by the end of the channel.
    """
    if request["closed"]:
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    prctl(PR_SET_PDEATHSIG, KILL)
    restore(INTERRUPT, interrupt)
    channel, here, *given = fds
    serve(move_in(dict(zip(request["places"], given, strict=True)), here, channel))


def answer(request: dict[str, Any], fds: list[int], before: dict[str, Any]) -> tuple[int, int]:
    """Make a child; returns its id, 0 in itself, and its pidfd, or a negative errno."""
    if len(fds) != len(request["places"]) + 2:
        return -errno.EMFILE, -1  # some did not arrive
    try:
        follow(request["follow"], before)
    except (OSError, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else None
        return -(number or errno.EPERM), -1
    return clone(request["flags"], request["numbers"])


def main(number: int, *absent: str) -> NoReturn:
    """Serve, until there is nobody to serve. ``absent``: what is not in the environment."""
    interrupt = ignore(INTERRUPT)  # a terminal's; it is for the children
    os.set_inheritable(number, False)
    for name in absent:
        os.environ.pop(name, None)
    requests = socket.socket(fileno=number)
    warm_up()
    gc.freeze()  # a collection in a child would copy every page of ours
    before: dict[str, Any] = {}
    while True:
        message, fds, _, _ = socket.recv_fds(requests, LARGEST, MOST_FDS, socket.MSG_CMSG_CLOEXEC)
        if not message:
            os._exit(0)
        request: dict[str, Any] = marshal.loads(message)  # noqa: S302 - it is our own parent's
        pid, pidfd = answer(request, fds, before)
        if pid == 0:
            os.close(number)  # the object is left alone
            become_child(request, fds, interrupt)
        for fd in fds:
            os.close(fd)
        if pid < 0:
            before = {}  # what was followed is not known
            requests.send(ANSWER.pack(pid))
            continue
        before = request["follow"]
        try:
            socket.send_fds(requests, [ANSWER.pack(pid)], [pidfd])
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
        finally:
            os.close(pidfd)
