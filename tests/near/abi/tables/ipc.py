"""System V IPC, and how events are told."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import IPC, MSGRCV, SEM, SHM, SHMGET, SIGEV
from rsyscall_ns.near.abi.ipc_h import IPC_CTL, IPC_PRIVATE
from rsyscall_ns.near.abi.msg_h import MSGCTL
from rsyscall_ns.near.abi.sem_h import SEMCTL
from rsyscall_ns.near.abi.shm_h import SHMCTL

HEADERS: Final = ("linux/msg.h", "linux/sem.h", "linux/shm.h", "asm-generic/siginfo.h")
ENUMS: Final = {"IPC_": IPC, "MSG_": MSGRCV, "SEM_": SEM, "SHM_": SHM}
NAMES: Final = {
    "IPC_PRIVATE": IPC_PRIVATE,
    **{f"IPC_{one.name}": int(one) for one in IPC_CTL},
    **{f"MSG_{one.name}": int(one) for one in MSGCTL},
    **{f"SEM_{one.name}": int(one) for one in SEMCTL},
    **{one.name: int(one) for one in SEMCTL},
    **{f"SHM_{one.name}": int(one) for one in SHMCTL},
    **{f"SHM_{one.name}": int(one) for one in SHMGET},
    **{f"SIGEV_{one.name}": int(one) for one in SIGEV},
}
