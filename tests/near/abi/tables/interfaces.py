"""Network interfaces, and states of TCP, which only the C library's header has."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import IFF, SIOC, TcpState

HEADERS: Final = ("net/if.h", "sys/ioctl.h", "linux/sockios.h", "netinet/tcp.h")
ENUMS: Final = {"IFF_": IFF, "SIOC": SIOC, "TCP_": TcpState}
