"""Mappings, NUMA policies, memory barriers, page faults."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    MADV,
    MAP,
    MCL,
    MEMBARRIER,
    MLOCK,
    MPOL,
    MPOL_F,
    MPOL_MF,
    MREMAP,
    MSYNC,
    PKEY,
    PROT,
    UFFD_EVENT,
    UFFD_FEATURE,
    UFFD_PAGEFAULT,
    UFFD_REGISTER,
)
from rsyscall_ns.near.abi.userfaultfd_h import UFFD_API, UFFD_USER_MODE_ONLY, UFFDIO

HEADERS: Final = (
    "sys/ioctl.h",
    "sys/mman.h",
    "linux/mman.h",
    "linux/mempolicy.h",
    "linux/membarrier.h",
    "linux/userfaultfd.h",
)
ENUMS: Final = {
    "MADV_": MADV,
    "MAP_": MAP,
    "MCL_": MCL,
    "MEMBARRIER_CMD_": MEMBARRIER,
    "MLOCK_": MLOCK,
    "MPOL_": MPOL,
    "MPOL_F_": MPOL_F,
    "MPOL_MF_": MPOL_MF,
    "MREMAP_": MREMAP,
    "MS_": MSYNC,
    "PKEY_": PKEY,
    "PROT_": PROT,
    "UFFD_EVENT_": UFFD_EVENT,
    "UFFD_FEATURE_": UFFD_FEATURE,
    "UFFD_PAGEFAULT_FLAG_": UFFD_PAGEFAULT,
    "UFFDIO_": UFFDIO,
    "UFFDIO_REGISTER_MODE_": UFFD_REGISTER,
}
NAMES: Final = {"UFFD_API": UFFD_API, "UFFD_USER_MODE_ONLY": UFFD_USER_MODE_ONLY}
