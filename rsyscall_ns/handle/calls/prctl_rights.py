"""RightsCalls: options of prctl about what the process may do, and who may do what with it."""

from __future__ import annotations

from typing import overload

from rsyscall_ns.handle.confining import in_child
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.processes.credential_change import own_thread_refused
from rsyscall_ns.handle.processes.process_handle import ProcessHandle
from rsyscall_ns.memory.serializers import INT32, Serializer
from rsyscall_ns.near.abi.capability_h import CAP
from rsyscall_ns.near.abi.prctl_args import PR_CAP_AMBIENT, SET_PTRACER_ANY, SUID_DUMP
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.seccomp_h import SECCOMP_MODE
from rsyscall_ns.near.abi.securebits_h import SECBIT
from rsyscall_ns.near.abi.signal_h import check_signal
from rsyscall_ns.near.calls import process as near_process
from rsyscall_ns.near.ids import Address

__all__ = ["RightsCalls"]


class RightsCalls:
    """Options about rights."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def _prctl(self, option: PR, *args: int | Address) -> int:
        words = [arg.value if isinstance(arg, Address) else int(arg) for arg in args]
        return await near_process.prctl(self._task.sysif, option, *words)

    async def _int(self, option: PR, into: Pointer[int] | None) -> int | Pointer[int]:
        """Return an int that the kernel writes."""
        return await self._number(INT32, into, option)

    async def _number(
        self, serializer: Serializer[int], into: Pointer[int] | None, option: PR, *args: int
    ) -> int | Pointer[int]:
        """Return a number that the kernel writes to where the last argument says."""
        with room(self._task, serializer, into) as there:
            await self._prctl(option, *args, there.address)
            return there.result()

    @overload
    async def get_pdeathsig(self) -> int: ...

    @overload
    async def get_pdeathsig(self, *, into: Pointer[int]) -> Pointer[int]: ...

    async def get_pdeathsig(self, *, into: Pointer[int] | None = None) -> int | Pointer[int]:
        """Return the signal that comes when the parent dies, 0: none. ``prctl(2)``."""
        return await self._int(PR.GET_PDEATHSIG, into)

    async def set_pdeathsig(self, sig: int) -> None:
        """Set the signal that comes when the parent dies, 0: none. ``prctl(2)``.

        Exec keeps it, but for set-user-id programs. A child has SIGKILL: with another one it may
        outlive this interpreter. Of a parent that has died before it tells nothing.
        """
        await self._prctl(PR.SET_PDEATHSIG, check_signal(sig))

    async def get_dumpable(self) -> SUID_DUMP:
        """Return who may look at the memory, and whether it is dumped. ``prctl(2)``."""
        return SUID_DUMP(await self._prctl(PR.GET_DUMPABLE))

    async def set_dumpable(self, dumpable: SUID_DUMP) -> None:
        """Set who may look at the memory, and whether it is dumped. ``prctl(2)``.

        It is a property of the memory, so of all who share it. ``SUID_DUMP.ROOT`` can't be set:
        EINVAL.
        """
        await self._prctl(PR.SET_DUMPABLE, dumpable)

    async def get_no_new_privs(self) -> bool:
        """Return whether no exec gives more rights than there are. ``prctl(2)``."""
        return bool(await self._prctl(PR.GET_NO_NEW_PRIVS))

    async def set_no_new_privs(self, *, for_good: bool = False) -> None:
        """Have no exec give more rights than there are now. ``prctl(2)``.

        It can't be taken back, and is inherited: the interpreter's own task must say ``for_good``.
        """
        in_child(self._task, "set_no_new_privs", for_good=for_good)
        await self._prctl(PR.SET_NO_NEW_PRIVS, 1)

    async def get_seccomp(self) -> SECCOMP_MODE:
        """Return whether system calls are filtered. ``prctl(2)``."""
        return SECCOMP_MODE(await self._prctl(PR.GET_SECCOMP))

    async def get_keepcaps(self) -> bool:
        """Return whether capabilities stay when no user id is 0 any more. ``prctl(2)``."""
        return bool(await self._prctl(PR.GET_KEEPCAPS))

    async def set_keepcaps(self, keep: bool) -> None:  # noqa: FBT001 - as the manual page has it
        """Set whether permitted capabilities stay when no user id is 0 any more. ``prctl(2)``.

        Until exec. For children only, as all changes of credentials.
        """
        own_thread_refused(self._task, "set_keepcaps")
        await self._prctl(PR.SET_KEEPCAPS, keep)

    async def get_securebits(self) -> SECBIT:
        """Return what capabilities have to do with user ids. ``prctl(2)``."""
        return SECBIT(await self._prctl(PR.GET_SECUREBITS))

    async def set_securebits(self, bits: SECBIT) -> None:
        """Set what capabilities have to do with user ids; needs ``CAP.SETPCAP``. ``prctl(2)``.

        For children only.
        """
        own_thread_refused(self._task, "set_securebits")
        await self._prctl(PR.SET_SECUREBITS, bits)

    async def capbset_read(self, capability: CAP) -> bool:
        """Return whether exec may ever give the capability. ``prctl(2)``.

        An OSError of EINVAL: the kernel does not know it.
        """
        return bool(await self._prctl(PR.CAPBSET_READ, capability.number))

    async def capbset_drop(self, capability: CAP) -> None:
        """Have no exec ever give the capability; needs ``CAP.SETPCAP``. ``prctl(2)``.

        It can't be taken back. For children only.
        """
        own_thread_refused(self._task, "capbset_drop")
        await self._prctl(PR.CAPBSET_DROP, capability.number)

    async def cap_ambient_is_set(self, capability: CAP) -> bool:
        """Return whether exec of any program keeps the capability. ``prctl(2)``."""
        return bool(await self._ambient(PR_CAP_AMBIENT.IS_SET, capability.number))

    async def cap_ambient_raise(self, capability: CAP) -> None:
        """Have exec of any program keep the capability. ``prctl(2)``.

        It must be permitted and inheritable: else PermissionError. For children only.
        """
        own_thread_refused(self._task, "cap_ambient_raise")
        await self._ambient(PR_CAP_AMBIENT.RAISE, capability.number)

    async def cap_ambient_lower(self, capability: CAP) -> None:
        """Take ``cap_ambient_raise`` back. ``prctl(2)``. For children only."""
        own_thread_refused(self._task, "cap_ambient_lower")
        await self._ambient(PR_CAP_AMBIENT.LOWER, capability.number)

    async def cap_ambient_clear_all(self) -> None:
        """Have exec keep no capability by itself. ``prctl(2)``. For children only."""
        own_thread_refused(self._task, "cap_ambient_clear_all")
        await self._ambient(PR_CAP_AMBIENT.CLEAR_ALL, 0)

    async def _ambient(self, what: PR_CAP_AMBIENT, number: int) -> int:
        return await self._prctl(PR.CAP_AMBIENT, what, number)

    async def set_ptracer(self, tracer: ProcessHandle | None) -> None:
        """Let a process trace this one, and its descendants too; None: nobody else. ``prctl(2)``.

        Only with the security module Yama; an OSError of EINVAL: it is not there, or there is no
        such process.
        """
        if tracer is None:
            await self._prctl(PR.SET_PTRACER, 0)
            return
        self._task.check_pid_namespace(tracer, tracer.pid_namespace)
        async with tracer.turn() as near_id:
            await self._prctl(PR.SET_PTRACER, near_id.id)

    async def set_ptracer_any(self) -> None:
        """Let every process trace this one, as far as Yama has a say. ``prctl(2)``."""
        await self._prctl(PR.SET_PTRACER, SET_PTRACER_ANY)
