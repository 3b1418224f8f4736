"""Objects of BPF."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    BPF_ATTACH_TYPE,
    BPF_CMD,
    BPF_ELEM,
    BPF_F_ATTACH,
    BPF_F_MAP,
    BPF_F_PROG,
    BPF_LINK_TYPE,
    BPF_MAP_TYPE,
    BPF_PROG_TYPE,
)

HEADERS: Final = ("linux/bpf.h",)
ENUMS: Final = {
    "BPF_MAP_TYPE_": BPF_MAP_TYPE,
    "BPF_PROG_TYPE_": BPF_PROG_TYPE,
    "BPF_LINK_TYPE_": BPF_LINK_TYPE,
}
NAMES: Final = {
    prefix + name: int(member)
    for prefix, enumeration in (
        ("BPF_", BPF_CMD),
        ("BPF_", BPF_ATTACH_TYPE),
        ("BPF_", BPF_ELEM),
        ("BPF_F_", BPF_F_MAP),
        ("BPF_F_", BPF_F_PROG),
        ("BPF_F_", BPF_F_ATTACH),
    )
    for name, member in enumeration.__members__.items()
}
