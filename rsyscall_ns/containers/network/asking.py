"""Requests about interfaces, on netlink sockets that a task opens in its own network namespace."""

from __future__ import annotations

from contextlib import suppress
from errno import ENODEV
from typing import Any

import trio

from rsyscall_ns.handle.calls.netlink import NetlinkError
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.netlink_h import NETLINK, NLM_F
from rsyscall_ns.near.errors import TaskLostError
from rsyscall_ns.tasks.task import Task

from .errors import NetworkSetupError
from .messages import Message, delete_link

__all__ = ["ask", "make", "remove", "trust_neighbours", "write_setting"]

NO_FLAGS = NLM_F(0)


async def ask(task: Task[Any], message: Message, flags: NLM_F = NO_FLAGS) -> None:
    """Have the kernel do something; a NetworkSetupError says what it refused."""
    try:
        await task.net.netlink(NETLINK.ROUTE, message.kind, message.body, flags)
    except NetlinkError as error:
        number = error.errno or 0
        raise NetworkSetupError(message.what, number, error.strerror or str(error)) from error


async def make(task: Task[Any], message: Message) -> None:
    """Have something made that there must not be yet. Not cancellable: it is made, or it is not."""
    with trio.CancelScope(shield=True):
        await ask(task, message, NLM_F.CREATE | NLM_F.EXCL)


async def remove(task: Task[Any], name: str) -> None:
    """Remove an interface, if it is there and the task too. Not cancellable."""
    with trio.CancelScope(shield=True):
        try:
            await ask(task, delete_link(name))
        except NetworkSetupError as error:
            if error.errno != ENODEV:  # its other end has gone with its namespace
                raise
        except TaskLostError:
            return  # and its namespace with it


async def write_setting(task: Task[Any], name: str, value: bytes) -> None:
    """Set a parameter of the task's network. ``ip(7)``, ``/proc`` interfaces."""
    async with await task.fs.open(f"/proc/sys/net/{name}", O.WRONLY) as file:
        await file.write(value)


async def trust_neighbours(task: Task[Any]) -> None:
    """Have interfaces that are made from now on use their link-local addresses at once.

    Where that can't be set they can be used after a second or two, in which nobody was heard who
    has them too. ``ipv6(7)``.
    """
    with suppress(OSError):  # no IPv6, or a /proc that can't be written
        await write_setting(task, "ipv6/conf/default/accept_dad", b"0")
