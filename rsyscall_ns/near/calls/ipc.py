"""Thin calls: queues, semaphores, shared memory, async I/O. Made by generate.py; do not edit."""

from __future__ import annotations

from rsyscall_ns.near.ids import Address, FileDescriptor
from rsyscall_ns.near.interface import SyscallInterface
from rsyscall_ns.near.nr import SYS

from .base import at, c_mode, c_size, c_word, checked, int32

__all__ = [
    "io_cancel",
    "io_destroy",
    "io_getevents",
    "io_pgetevents",
    "io_setup",
    "io_submit",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "mq_getsetattr",
    "mq_notify",
    "mq_open",
    "mq_timedreceive",
    "mq_timedsend",
    "mq_unlink",
    "msgctl",
    "msgget",
    "msgrcv",
    "msgsnd",
    "semctl",
    "semget",
    "semop",
    "semtimedop",
    "shmat",
    "shmctl",
    "shmdt",
    "shmget",
]


async def shmget(sysif: SyscallInterface, key: int, size: int, shmflg: int) -> int:
    """Get a System V shared memory segment. ``shmget(2)``."""
    return await checked(
        sysif, SYS.shmget, int32("key", key), c_size("size", size), int32("shmflg", shmflg)
    )


async def shmat(
    sysif: SyscallInterface, shmid: int, shmaddr: Address | None, shmflg: int
) -> Address:
    """Map a System V shared memory segment. ``shmop(2)``."""
    made = await checked(
        sysif, SYS.shmat, int32("shmid", shmid), at(shmaddr), int32("shmflg", shmflg)
    )
    return Address(made)


async def shmctl(sysif: SyscallInterface, shmid: int, cmd: int, buf: Address | None) -> int:
    """Control a System V shared memory segment. ``shmctl(2)``."""
    return await checked(sysif, SYS.shmctl, int32("shmid", shmid), int32("cmd", cmd), at(buf))


async def semget(sysif: SyscallInterface, key: int, nsems: int, semflg: int) -> int:
    """Get a set of System V semaphores. ``semget(2)``."""
    return await checked(
        sysif, SYS.semget, int32("key", key), int32("nsems", nsems), int32("semflg", semflg)
    )


async def semop(sysif: SyscallInterface, semid: int, tsops: Address | None, nsops: int) -> None:
    """Change System V semaphores. ``semop(2)``."""
    await checked(sysif, SYS.semop, int32("semid", semid), at(tsops), int32("nsops", nsops))


async def semctl(sysif: SyscallInterface, semid: int, semnum: int, cmd: int, arg: int = 0) -> int:
    """Control System V semaphores. ``semctl(2)``."""
    return await checked(
        sysif,
        SYS.semctl,
        int32("semid", semid),
        int32("semnum", semnum),
        int32("cmd", cmd),
        c_word("arg", arg),
    )


async def shmdt(sysif: SyscallInterface, shmaddr: Address | None) -> None:
    """Unmap a System V shared memory segment. ``shmop(2)``."""
    await checked(sysif, SYS.shmdt, at(shmaddr))


async def msgget(sysif: SyscallInterface, key: int, msgflg: int) -> int:
    """Get a System V message queue. ``msgget(2)``."""
    return await checked(sysif, SYS.msgget, int32("key", key), int32("msgflg", msgflg))


async def msgsnd(
    sysif: SyscallInterface, msqid: int, msgp: Address | None, msgsz: int, msgflg: int
) -> None:
    """Send to a System V message queue. ``msgop(2)``."""
    await checked(
        sysif,
        SYS.msgsnd,
        int32("msqid", msqid),
        at(msgp),
        c_size("msgsz", msgsz),
        int32("msgflg", msgflg),
    )


async def msgrcv(
    sysif: SyscallInterface, msqid: int, msgp: Address | None, msgsz: int, msgtyp: int, msgflg: int
) -> int:
    """Receive from a System V message queue. ``msgop(2)``."""
    return await checked(
        sysif,
        SYS.msgrcv,
        int32("msqid", msqid),
        at(msgp),
        c_size("msgsz", msgsz),
        c_word("msgtyp", msgtyp),
        int32("msgflg", msgflg),
    )


async def msgctl(sysif: SyscallInterface, msqid: int, cmd: int, buf: Address | None) -> int:
    """Control a System V message queue. ``msgctl(2)``."""
    return await checked(sysif, SYS.msgctl, int32("msqid", msqid), int32("cmd", cmd), at(buf))


async def io_setup(sysif: SyscallInterface, nr_events: int, ctxp: Address | None) -> None:
    """Make a context for asynchronous I/O; its id is written. ``io_setup(2)``."""
    await checked(sysif, SYS.io_setup, int32("nr_events", nr_events), at(ctxp))


async def io_destroy(sysif: SyscallInterface, ctx: int) -> None:
    """Remove a context for asynchronous I/O. ``io_destroy(2)``."""
    await checked(sysif, SYS.io_destroy, c_word("ctx", ctx))


async def io_getevents(
    sysif: SyscallInterface,
    ctx_id: int,
    min_nr: int,
    nr: int,
    events: Address | None,
    timeout: Address | None,
) -> int:
    """Take ended operations; returns how many. ``io_getevents(2)``."""
    return await checked(
        sysif,
        SYS.io_getevents,
        c_word("ctx_id", ctx_id),
        c_word("min_nr", min_nr),
        c_word("nr", nr),
        at(events),
        at(timeout),
    )


async def io_submit(sysif: SyscallInterface, ctx_id: int, nr: int, iocbpp: Address | None) -> int:
    """Begin operations; returns how many. ``io_submit(2)``."""
    return await checked(
        sysif, SYS.io_submit, c_word("ctx_id", ctx_id), c_word("nr", nr), at(iocbpp)
    )


async def io_cancel(
    sysif: SyscallInterface, ctx_id: int, iocb: Address | None, result: Address | None
) -> None:
    """Try to cancel an operation. ``io_cancel(2)``."""
    await checked(sysif, SYS.io_cancel, c_word("ctx_id", ctx_id), at(iocb), at(result))


async def semtimedop(
    sysif: SyscallInterface, semid: int, tsops: Address | None, nsops: int, timeout: Address | None
) -> None:
    """Change System V semaphores, or give up after a time. ``semop(2)``."""
    await checked(
        sysif, SYS.semtimedop, int32("semid", semid), at(tsops), int32("nsops", nsops), at(timeout)
    )


async def mq_open(
    sysif: SyscallInterface, u_name: Address | None, oflag: int, mode: int, u_attr: Address | None
) -> FileDescriptor:
    """Open or make a POSIX message queue. ``mq_open(2)``."""
    made = await checked(
        sysif, SYS.mq_open, at(u_name), int32("oflag", oflag), c_mode("mode", mode), at(u_attr)
    )
    return FileDescriptor(made)


async def mq_unlink(sysif: SyscallInterface, u_name: Address | None) -> None:
    """Remove a POSIX message queue's name. ``mq_unlink(2)``."""
    await checked(sysif, SYS.mq_unlink, at(u_name))


async def mq_timedsend(
    sysif: SyscallInterface,
    mqdes: FileDescriptor,
    u_msg_ptr: Address | None,
    msg_len: int,
    msg_prio: int,
    u_abs_timeout: Address | None,
) -> None:
    """Send to a POSIX message queue, until a time. ``mq_send(2)``."""
    await checked(
        sysif,
        SYS.mq_timedsend,
        mqdes.number,
        at(u_msg_ptr),
        c_size("msg_len", msg_len),
        int32("msg_prio", msg_prio),
        at(u_abs_timeout),
    )


async def mq_timedreceive(
    sysif: SyscallInterface,
    mqdes: FileDescriptor,
    u_msg_ptr: Address | None,
    msg_len: int,
    u_msg_prio: Address | None,
    u_abs_timeout: Address | None,
) -> int:
    """Receive from a POSIX message queue, until a time. ``mq_receive(2)``."""
    return await checked(
        sysif,
        SYS.mq_timedreceive,
        mqdes.number,
        at(u_msg_ptr),
        c_size("msg_len", msg_len),
        at(u_msg_prio),
        at(u_abs_timeout),
    )


async def mq_notify(
    sysif: SyscallInterface, mqdes: FileDescriptor, u_notification: Address | None
) -> None:
    """Be told when a message comes into an empty POSIX message queue. ``mq_notify(2)``."""
    await checked(sysif, SYS.mq_notify, mqdes.number, at(u_notification))


async def mq_getsetattr(
    sysif: SyscallInterface,
    mqdes: FileDescriptor,
    u_mqstat: Address | None,
    u_omqstat: Address | None,
) -> None:
    """Read and set the attributes of a POSIX message queue. ``mq_getsetattr(2)``."""
    await checked(sysif, SYS.mq_getsetattr, mqdes.number, at(u_mqstat), at(u_omqstat))


async def io_pgetevents(
    sysif: SyscallInterface,
    ctx_id: int,
    min_nr: int,
    nr: int,
    events: Address | None,
    timeout: Address | None,
    usig: Address | None,
) -> int:
    """Take ended operations, with a signal mask. ``io_getevents(2)``."""
    return await checked(
        sysif,
        SYS.io_pgetevents,
        c_word("ctx_id", ctx_id),
        c_word("min_nr", min_nr),
        c_word("nr", nr),
        at(events),
        at(timeout),
        at(usig),
    )


async def io_uring_setup(
    sysif: SyscallInterface, entries: int, params: Address | None
) -> FileDescriptor:
    """Make an io_uring. ``io_uring_setup(2)``."""
    made = await checked(sysif, SYS.io_uring_setup, int32("entries", entries), at(params))
    return FileDescriptor(made)


async def io_uring_enter(
    sysif: SyscallInterface,
    fd: FileDescriptor,
    to_submit: int,
    min_complete: int,
    flags: int,
    argp: Address | None,
    argsz: int,
) -> int:
    """Submit to an io_uring, or wait for what has ended. ``io_uring_enter(2)``."""
    return await checked(
        sysif,
        SYS.io_uring_enter,
        fd.number,
        int32("to_submit", to_submit),
        int32("min_complete", min_complete),
        int32("flags", flags),
        at(argp),
        c_size("argsz", argsz),
    )


async def io_uring_register(
    sysif: SyscallInterface, fd: FileDescriptor, opcode: int, arg: Address | None, nr_args: int
) -> int:
    """Register buffers, files and more with an io_uring. ``io_uring_register(2)``."""
    return await checked(
        sysif,
        SYS.io_uring_register,
        fd.number,
        int32("opcode", opcode),
        at(arg),
        int32("nr_args", nr_args),
    )
