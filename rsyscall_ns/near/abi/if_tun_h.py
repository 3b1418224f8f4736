"""``<linux/if_tun.h>``: network devices whose packets go through an fd."""

from __future__ import annotations

from enum import IntFlag
from typing import ClassVar, Final

from .ioctl_h import io_none, io_read, io_write
from .layout import CStruct, be16, c_struct, chars, u16

__all__ = ["TUNGETDEVNETNS", "TUNGETFEATURES", "TUNGETIFF", "TUNGETSNDBUF", "TUNGETVNETHDRSZ"]
__all__ += ["TUNSETCARRIER", "TUNSETGROUP", "TUNSETIFF", "TUNSETIFINDEX", "TUNSETLINK"]
__all__ += ["TUNSETOFFLOAD", "TUNSETOWNER", "TUNSETPERSIST", "TUNSETQUEUE", "TUNSETSNDBUF"]
__all__ += ["TUNSETVNETHDRSZ", "TUN_F", "TUN_IFF", "TunIfreq", "TunPi"]

KIND: Final = ord("T")
INT: Final = 4

TUNSETIFF: Final = io_write(KIND, 202, INT)
TUNSETPERSIST: Final = io_write(KIND, 203, INT)
TUNSETOWNER: Final = io_write(KIND, 204, INT)
TUNSETLINK: Final = io_write(KIND, 205, INT)
TUNSETGROUP: Final = io_write(KIND, 206, INT)
TUNGETFEATURES: Final = io_read(KIND, 207, INT)
TUNSETOFFLOAD: Final = io_write(KIND, 208, INT)
TUNGETIFF: Final = io_read(KIND, 210, INT)
TUNGETSNDBUF: Final = io_read(KIND, 211, INT)
TUNSETSNDBUF: Final = io_write(KIND, 212, INT)
TUNGETVNETHDRSZ: Final = io_read(KIND, 215, INT)
TUNSETVNETHDRSZ: Final = io_write(KIND, 216, INT)
TUNSETQUEUE: Final = io_write(KIND, 217, INT)
TUNSETIFINDEX: Final = io_write(KIND, 218, INT)
TUNSETCARRIER: Final = io_write(KIND, 226, INT)
TUNGETDEVNETNS: Final = io_none(KIND, 227)


class TUN_IFF(IntFlag):  # noqa: N801 - those ``IFF_*`` that a tun device has
    """``IFF_*`` of TUNSETIFF: what the device is, and how packets look.

    ``NO_PI``: they have no ``TunPi`` before them.
    """

    TUN = 1
    TAP = 2
    NAPI = 0x10
    NAPI_FRAGS = 0x20
    NO_CARRIER = 0x40
    MULTI_QUEUE = 0x100
    ATTACH_QUEUE = 0x200
    DETACH_QUEUE = 0x400
    PERSIST = 0x800
    NO_PI = 0x1000
    ONE_QUEUE = 0x2000
    VNET_HDR = 0x4000
    TUN_EXCL = 0x8000


class TUN_F(IntFlag):  # noqa: N801 - the header's own prefix
    """``TUN_F_*``: what of the work on packets is left to the reader."""

    NONE = 0
    CSUM = 1
    TSO4 = 2
    TSO6 = 4
    TSO_ECN = 8
    UFO = 0x10
    USO4 = 0x20
    USO6 = 0x40
    UDP_TUNNEL_GSO = 0x80
    UDP_TUNNEL_GSO_CSUM = 0x100


@c_struct
class TunIfreq(CStruct):
    """``struct ifreq``, as tun devices use it: a name, and what the device is."""

    C_NAME: ClassVar = "struct ifreq"
    C_HEADER: ClassVar = "net/if.h"
    name: str = chars(16, text=True, c_name="ifr_name")
    flags: TUN_IFF = u16(TUN_IFF, c_name="ifr_flags", then=22)


@c_struct
class TunPi(CStruct):
    """``struct tun_pi``: what stands before a packet; ``proto`` is an Ethernet protocol."""

    C_NAME: ClassVar = "struct tun_pi"
    C_HEADER: ClassVar = "linux/if_tun.h"
    flags: int = u16()
    proto: int = be16()
