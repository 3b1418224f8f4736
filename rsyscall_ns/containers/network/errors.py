"""What is raised when a network can't be had as it was asked for."""

from __future__ import annotations

from errno import EPERM

from rsyscall_ns.near.errors import RsyscallError

__all__ = [
    "NetworkArgumentError",
    "NetworkExtraMissingError",
    "NetworkNotAllowedError",
    "NetworkSetupError",
    "NetworkStateError",
]


class NetworkArgumentError(RsyscallError, ValueError):
    """A description of a network that can't be, or contradicts itself."""

    def __init__(self, what: object, why: str) -> None:
        super().__init__(f"{what}: {why}")


class NetworkExtraMissingError(RsyscallError, ImportError):
    """What writes and reads netlink messages is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "networks of containers need pyroute2: pip install 'rsyscall_ns[network]'",
            name="pyroute2",
        )


class NetworkStateError(RsyscallError):
    """Something of a network was used that is closed, or that somebody else is using."""

    def __init__(self, what: object, state: str, cure: str) -> None:
        super().__init__(f"{what} {state}: {cure}")


class NetworkNotAllowedError(RsyscallError, PermissionError):
    """The caller may not change a network."""

    def __init__(self, what: object, cure: str) -> None:
        PermissionError.__init__(self, EPERM, f"{what} takes CAP_NET_ADMIN on the host; {cure}")


class NetworkSetupError(RsyscallError, OSError):
    """The kernel refused a step of making a network; the message names the interface."""

    def __init__(self, what: str, number: int, text: str) -> None:
        OSError.__init__(self, number, f"{what}: {text}")
