"""System calls on processes: children that you steer, from trio programs."""

from .far.errors import (
    AddressSpaceMismatchError,
    FDTableMismatchError,
    NamespaceMismatchError,
    PidNamespaceMismatchError,
)
from .handle.calls.ns import (
    ForeignUserNamespaceError,
    InInterpreterError,
    NamespaceNotAllowedError,
    RootNotMountedError,
)
from .handle.calls.small import InterruptSignalError
from .handle.child import ChildProcess
from .handle.child_errors import (
    ChildBusyError,
    ChildDeadError,
    ChildEndedError,
    ChildNotEndedError,
    ExitStatusLostError,
    NoSiginfoError,
    NoStateChangeError,
    UnreadSiginfoError,
)
from .handle.clone_flags import CloneFlagsError
from .handle.fd import FileDescriptor
from .handle.fd_errors import FDClosedError, FDKindError, FDNotInheritedError, FDTargetError
from .handle.kinds.namespace import NamespaceFD
from .handle.kinds.pidfd import PidFD
from .handle.kinds.sockets import SocketFD
from .handle.pointer import (
    Pointer,
    PointerInUseError,
    PointerNotAdjacentError,
    UseAfterFreeError,
    WrittenPointer,
)
from .handle.process import Process
from .handle.process_task import (
    NoParentTaskError,
    ProcessTask,
    StackAlignmentError,
    StackNotAdjacentError,
)
from .handle.thread import ThreadProcess
from .memory.allocator import DoubleFreeError
from .memory.arena import ArenaClosedError
from .memory.serializers import BYTES, INT32, SIGINFO, STACK, SerializerError, Stack
from .near.abi.fcntl_h import AT, O
from .near.abi.mman_h import MAP, PROT
from .near.abi.mount_h import MS, UMOUNT
from .near.abi.sched_h import CLONE
from .near.abi.signal_h import SIG, SIG_BLOCK, SIG_DFL, SIG_IGN, SIG_SETMASK, SIG_UNBLOCK
from .near.abi.socket_h import (
    AF,
    MSG,
    SHUT,
    SO,
    SOCK,
    SOL,
    Sockaddr,
    SockaddrIn,
    SockaddrIn6,
    SockaddrUn,
)
from .near.abi.wait_h import CLD, ChildState, Siginfo, UncleanExitError, W
from .near.errors import (
    ArgumentRangeError,
    PathError,
    ReturnsInChildError,
    RsyscallError,
    TaskLostError,
    UnresponsiveTaskError,
)
from .near.nr import SYS
from .near.program import Call, Program, ProgramError, Read, Ref, Results, Write
from .tasks.command import Command, CommandNotFoundError
from .tasks.idmap import IdMapError, IdMapLike, IdRange
from .tasks.idwrite import FakeProcError, IdMapNotAllowedError
from .tasks.local import open_local_task
from .tasks.task import ChildTask, NotAChildError, Task

__all__ = [
    "AF",
    "AT",
    "BYTES",
    "CLD",
    "CLONE",
    "INT32",
    "MAP",
    "MS",
    "MSG",
    "PROT",
    "SHUT",
    "SIG",
    "SIGINFO",
    "SIG_BLOCK",
    "SIG_DFL",
    "SIG_IGN",
    "SIG_SETMASK",
    "SIG_UNBLOCK",
    "SO",
    "SOCK",
    "SOL",
    "STACK",
    "SYS",
    "UMOUNT",
    "AddressSpaceMismatchError",
    "ArenaClosedError",
    "ArgumentRangeError",
    "Call",
    "ChildBusyError",
    "ChildDeadError",
    "ChildEndedError",
    "ChildNotEndedError",
    "ChildProcess",
    "ChildState",
    "ChildTask",
    "CloneFlagsError",
    "Command",
    "CommandNotFoundError",
    "DoubleFreeError",
    "ExitStatusLostError",
    "FDClosedError",
    "FDKindError",
    "FDNotInheritedError",
    "FDTableMismatchError",
    "FDTargetError",
    "FakeProcError",
    "FileDescriptor",
    "ForeignUserNamespaceError",
    "IdMapError",
    "IdMapLike",
    "IdMapNotAllowedError",
    "IdRange",
    "InInterpreterError",
    "InterruptSignalError",
    "NamespaceFD",
    "NamespaceMismatchError",
    "NamespaceNotAllowedError",
    "NoParentTaskError",
    "NoSiginfoError",
    "NoStateChangeError",
    "NotAChildError",
    "O",
    "PathError",
    "PidFD",
    "PidNamespaceMismatchError",
    "Pointer",
    "PointerInUseError",
    "PointerNotAdjacentError",
    "Process",
    "ProcessTask",
    "Program",
    "ProgramError",
    "Read",
    "Ref",
    "Results",
    "ReturnsInChildError",
    "RootNotMountedError",
    "RsyscallError",
    "SerializerError",
    "Siginfo",
    "Sockaddr",
    "SockaddrIn",
    "SockaddrIn6",
    "SockaddrUn",
    "SocketFD",
    "Stack",
    "StackAlignmentError",
    "StackNotAdjacentError",
    "Task",
    "TaskLostError",
    "ThreadProcess",
    "UncleanExitError",
    "UnreadSiginfoError",
    "UnresponsiveTaskError",
    "UseAfterFreeError",
    "W",
    "Write",
    "WrittenPointer",
    "open_local_task",
]
