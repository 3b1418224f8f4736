"""``task.cred``: who the task is, to the kernel."""

from __future__ import annotations

from typing import Final, final, overload

from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.processes.credential_change import change, own_thread_refused
from rsyscall_ns.memory.arrays import one_of
from rsyscall_ns.near.abi.capability_block import capability_header, effective_set
from rsyscall_ns.near.abi.capability_h import Capabilities
from rsyscall_ns.near.calls import cred as near_cred
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Program, Ref

from .cred_ids import IdCalls

__all__ = ["Credentials"]

HEADER: Final = len(capability_header()) - Capabilities.sizeof()
SETS: Final = one_of(Capabilities)


@final
class Credentials(IdCalls):
    """System calls about who the task is: its ids and its capabilities.

    Changes are for children: in the interpreter they would be those of a single thread.
    """

    __slots__ = ()

    @overload
    async def capget(self) -> Capabilities: ...

    @overload
    async def capget(self, *, into: Pointer[Capabilities]) -> Pointer[Capabilities]: ...

    async def capget(
        self, *, into: Pointer[Capabilities] | None = None
    ) -> Capabilities | Pointer[Capabilities]:
        """Return the capability sets. Those of others: ``Process.capget``. ``capget(2)``."""
        task = self._task
        with given(task, capability_header()) as header, room(task, SETS, into) as there:
            await near_cred.capget(task.sysif, header.address, there.address)
            return there.result()

    async def capset(self, capabilities: Capabilities | Pointer[Capabilities]) -> None:
        """Set the capability sets. ``capset(2)``.

        PermissionError: one is to be permitted that is not, or inherited that may not be.
        """
        own_thread_refused(self._task, "capset")

        value = capabilities if isinstance(capabilities, Pointer) else capabilities.pack()
        with given(self._task, value) as there:
            assert there.address is not None, "the sets are never None"
            place = there.address.value

            def build(program: Program) -> Ref:
                header = program.room(capability_header()[:HEADER])
                return program.call(SYS.capset, header, place)

            await change(self._task, build)

    async def effective_capabilities(self) -> int:
        """Return the effective capabilities as bits. ``capget(2)``."""
        header = capability_header()
        with self._task.transient(header) as block:
            await near_cred.capget(self._task.sysif, block.address, block + HEADER)
            return effective_set(block.read())
