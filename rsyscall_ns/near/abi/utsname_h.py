"""``<linux/utsname.h>``: the names of the machine and its kernel."""

from __future__ import annotations

from typing import ClassVar

from .layout import CStruct, c_struct, chars

__all__ = ["Utsname"]


@c_struct
class Utsname(CStruct):
    """``struct new_utsname``. ``nodename``: the host name; ``domainname``: that of NIS."""

    C_NAME: ClassVar = "struct new_utsname"
    C_HEADER: ClassVar = "linux/utsname.h"
    sysname: str = chars(65, text=True)
    nodename: str = chars(65, text=True)
    release: str = chars(65, text=True)
    version: str = chars(65, text=True)
    machine: str = chars(65, text=True)
    domainname: str = chars(65, text=True)
