"""``<linux/vm_sockets.h>``: sockets between a host and its virtual machines."""

from __future__ import annotations

from enum import IntEnum, IntFlag

__all__ = ["SO_VM_SOCKETS", "VMADDR_CID", "VMADDR_FLAG", "VMADDR_PORT_ANY"]


VMADDR_PORT_ANY = 2**32 - 1


class VMADDR_CID(IntEnum):  # noqa: N801 - the C prefix
    """``VMADDR_CID_*``: who is meant."""

    HYPERVISOR = 0
    LOCAL = 1
    HOST = 2
    ANY = 2**32 - 1


class VMADDR_FLAG(IntFlag):  # noqa: N801 - the C prefix
    """``VMADDR_FLAG_*``."""

    TO_HOST = 1


class SO_VM_SOCKETS(IntEnum):  # noqa: N801 - the C prefix
    """``SO_VM_SOCKETS_*``: options of level ``AF.VSOCK``."""

    BUFFER_SIZE = 0
    BUFFER_MIN_SIZE = 1
    BUFFER_MAX_SIZE = 2
    PEER_HOST_VM_ID = 3
    TRUSTED = 5
    CONNECT_TIMEOUT = 6
    CONNECT_TIMEOUT_OLD = 6
    NONBLOCK_TXRX = 7
    CONNECT_TIMEOUT_NEW = 8
