"""What the networks of containers are made of."""

from __future__ import annotations

from errno import EOPNOTSUPP
from typing import Final

from rsyscall_ns.containers.network.asking import make
from rsyscall_ns.containers.network.errors import NetworkExtraMissingError
from rsyscall_ns.containers.network.messages import load_extra, make_bridge, make_veth
from rsyscall_ns.containers.network.topology import NET_ADMIN
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.tasks.task import ChildTask, Task

from .finding import MissingError, Probe
from .namespaces import namespace_cure

__all__ = ["PROBES"]

MADE: Final = "made, in a new network namespace"


async def extra() -> None:
    """Load what writes the messages."""
    try:
        await load_extra()
    except NetworkExtraMissingError as error:
        raise MissingError(
            "pyroute2 is not installed", "pip install 'rsyscall_ns[network]'"
        ) from error


async def bridge(task: Task) -> str:
    """Make a bridge."""
    await extra()
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWNET) as child:
        await make(child, make_bridge("br0", None))
    return MADE


async def veth(task: Task) -> str:
    """Make a pair, with both ends in the same namespace."""
    await extra()
    async with task.spawn(CLONE.NEWUSER | CLONE.NEWNET) as child:
        await make_pair(child)
    return MADE


async def make_pair(child: ChildTask) -> None:
    own = await child.ns.open("net")
    with own.borrow() as near_id:
        await make(child, make_veth("one", "other", near_id.number, master=None, mtu=None))


async def host(task: Task) -> str:
    """Look whether the network of the machine may be changed."""
    if not await task.cred.effective_capabilities() & NET_ADMIN:
        raise MissingError(
            "it takes CAP_NET_ADMIN in the network of the machine",
            "be root, or have containers talk on a bridge of their own (open_network)",
        )
    await extra()
    return "CAP_NET_ADMIN is there"


def cure(module: str, error: int) -> str:
    """Return what to do where interfaces of a kind can't be made."""
    return f"modprobe {module}" if error == EOPNOTSUPP else namespace_cure("net")(error)


PROBES: Final = (
    Probe("networks", "bridge", bridge, lambda error: cure("bridge", error)),
    Probe("networks", "veth", veth, lambda error: cure("veth", error)),
    Probe("networks", "veth to the host", host),
)
