"""``<net/if.h>``, ``<linux/sockios.h>``: network interfaces, as ioctls know them."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .layout import CStruct, c_struct, chars, i32, u16

__all__ = ["IFF", "IFNAMSIZ", "SIOC", "IfreqAddr", "IfreqFlags", "IfreqInt", "IfreqName"]


IFNAMSIZ: Final = 16  # bytes of a name, with its NUL


class IFF(IntFlag):
    """``IFF_*``: flags of an interface (``netdevice(7)``)."""

    UP = 1
    BROADCAST = 2
    DEBUG = 4
    LOOPBACK = 8
    POINTOPOINT = 0x10
    NOTRAILERS = 0x20
    RUNNING = 0x40
    NOARP = 0x80
    PROMISC = 0x100
    ALLMULTI = 0x200
    MASTER = 0x400
    SLAVE = 0x800
    MULTICAST = 0x1000
    PORTSEL = 0x2000
    AUTOMEDIA = 0x4000
    DYNAMIC = 0x8000
    LOWER_UP = 0x10000
    DORMANT = 0x20000
    ECHO = 0x40000


class SIOC(IntEnum):
    """``SIOC*``: ioctls of sockets; most of them are of interfaces."""

    INQ = 0x541B
    SPGRP = 0x8902
    GPGRP = 0x8904
    ATMARK = 0x8905
    GSTAMP_OLD = 0x8906
    GSTAMPNS_OLD = 0x8907
    OUTQ = 0x5411
    ADDRT = 0x890B
    DELRT = 0x890C
    RTMSG = 0x890D
    GIFNAME = 0x8910
    SIFLINK = 0x8911
    GIFCONF = 0x8912
    GIFFLAGS = 0x8913
    SIFFLAGS = 0x8914
    GIFADDR = 0x8915
    SIFADDR = 0x8916
    GIFDSTADDR = 0x8917
    SIFDSTADDR = 0x8918
    GIFBRDADDR = 0x8919
    SIFBRDADDR = 0x891A
    GIFNETMASK = 0x891B
    SIFNETMASK = 0x891C
    GIFMETRIC = 0x891D
    SIFMETRIC = 0x891E
    GIFMEM = 0x891F
    SIFMEM = 0x8920
    GIFMTU = 0x8921
    SIFMTU = 0x8922
    SIFNAME = 0x8923
    SIFHWADDR = 0x8924
    GIFENCAP = 0x8925
    SIFENCAP = 0x8926
    GIFHWADDR = 0x8927
    GIFSLAVE = 0x8929
    SIFSLAVE = 0x8930
    ADDMULTI = 0x8931
    DELMULTI = 0x8932
    GIFINDEX = 0x8933
    SIFPFLAGS = 0x8934
    GIFPFLAGS = 0x8935
    DIFADDR = 0x8936
    SIFHWBROADCAST = 0x8937
    GIFCOUNT = 0x8938
    GIFBR = 0x8940
    SIFBR = 0x8941
    GIFTXQLEN = 0x8942
    SIFTXQLEN = 0x8943
    ETHTOOL = 0x8946
    GMIIPHY = 0x8947
    GMIIREG = 0x8948
    SMIIREG = 0x8949
    WANDEV = 0x894A
    OUTQNSD = 0x894B
    GSKNS = 0x894C
    DARP = 0x8953
    GARP = 0x8954
    SARP = 0x8955
    DRARP = 0x8960
    GRARP = 0x8961
    SRARP = 0x8962
    GIFMAP = 0x8970
    SIFMAP = 0x8971
    ADDDLCI = 0x8980
    DELDLCI = 0x8981
    GIFVLAN = 0x8982
    SIFVLAN = 0x8983
    BONDENSLAVE = 0x8990
    BONDRELEASE = 0x8991
    BONDSETHWADDR = 0x8992
    BONDSLAVEINFOQUERY = 0x8993
    BONDINFOQUERY = 0x8994
    BONDCHANGEACTIVE = 0x8995
    BRADDBR = 0x89A0
    BRDELBR = 0x89A1
    BRADDIF = 0x89A2
    BRDELIF = 0x89A3


@c_struct
class IfreqFlags(CStruct):
    """``struct ifreq`` with the low 16 flags."""

    C_NAME: ClassVar = "struct ifreq"
    C_HEADER: ClassVar = "net/if.h"
    name: bytes = chars(IFNAMSIZ, c_name="ifr_name", alignment=8)
    flags: int = u16(c_name="ifr_flags", then=22)


@c_struct
class IfreqInt(CStruct):
    """``struct ifreq`` with an int: the index, the MTU, the metric, the length of the queue."""

    C_NAME: ClassVar = "struct ifreq"
    C_HEADER: ClassVar = "net/if.h"
    name: bytes = chars(IFNAMSIZ, c_name="ifr_name", alignment=8)
    value: int = i32(c_name="ifr_ifindex", then=20)


@c_struct
class IfreqAddr(CStruct):
    """``struct ifreq`` with an address, which is a ``struct sockaddr``."""

    C_NAME: ClassVar = "struct ifreq"
    C_HEADER: ClassVar = "net/if.h"
    name: bytes = chars(IFNAMSIZ, c_name="ifr_name", alignment=8)
    addr: bytes = chars(16, c_name="ifr_addr", then=8)


@c_struct
class IfreqName(CStruct):
    """``struct ifreq`` with a new name."""

    C_NAME: ClassVar = "struct ifreq"
    C_HEADER: ClassVar = "net/if.h"
    name: bytes = chars(IFNAMSIZ, c_name="ifr_name", alignment=8)
    newname: bytes = chars(IFNAMSIZ, c_name="ifr_newname", then=8)
