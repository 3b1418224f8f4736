"""Namespaces as objects."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import trio

from rsyscall_ns import NS_UTS, Inject, Namespace, NamespaceMember, NamespaceSet
from rsyscall_ns.containers.running import Running

from .world import Call, World

__all__ = ["TABLE"]


def member(w: World) -> NamespaceMember:
    return NamespaceMember(NS_UTS, 1, 1, w.namespace)


def opened(use: Callable[[NamespaceSet, World], Awaitable[object]]) -> Call:
    """Use a set that is open: its opening is not what is to be cancelled."""

    async def call(w: World) -> None:
        ns = NamespaceSet(w.namespace, task=w.task)
        with trio.CancelScope(shield=True):
            await ns.__aenter__()
        try:
            await use(ns, w)
        finally:
            with trio.CancelScope(shield=True):
                await ns.__aexit__()

    return call


def running(w: World) -> Inject:
    """Return one that is started, without starting anything."""
    inject = Inject(os.getpid(), ["true"], uts=True, task=w.task)
    inject._running = Running(w.process, AsyncExitStack())  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as start does
    return inject


TABLE: Final[dict[str, Call]] = {
    "Inject.run": lambda w: Inject(os.getpid(), ["true"], uts=True, task=w.task).run(),
    "Namespace.enter": lambda _: Namespace(os.getpid(), NS_UTS).enter(os.getpid),
    "Namespace.run": lambda w: Namespace(os.getpid(), NS_UTS, task=w.task).run(["true"]),
    "NamespaceMember.owner": lambda w: member(w).owner(),
    "NamespaceMember.owner_uid": lambda w: member(w).owner_uid(),
    "NamespaceMember.parent": lambda w: member(w).parent(),
    "NamespaceSet.bind": opened(lambda ns, _: ns.bind(NS_UTS, "/nonexistent/name")),
    "NamespaceSet.release": lambda w: NamespaceSet.release(w.task, "/nonexistent"),
    "NamespaceSet.run": opened(lambda ns, _: ns.run(["true"])),
}
