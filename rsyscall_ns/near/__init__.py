"""The lowest layer: ids, programs, numbers, constants and thin calls. It knows no namespace."""

from .ids import Address, FileDescriptor, Process, ProcessGroup
from .interface import SyscallInterface
from .nr import SYS
from .program import Call, Program, Read, Ref, Results, Write

__all__ = [
    "SYS",
    "Address",
    "Call",
    "FileDescriptor",
    "Process",
    "ProcessGroup",
    "Program",
    "Read",
    "Ref",
    "Results",
    "SyscallInterface",
    "Write",
]
