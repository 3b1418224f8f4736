"""Traced: what a tracer asks of a stopped thread, and how it goes on."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, final, overload

from rsyscall_ns.handle.pointers.passing import given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.signal_set import SignalSet, set_given
from rsyscall_ns.memory.arrays import UINT64
from rsyscall_ns.memory.serializers import BYTES, Serializer
from rsyscall_ns.memory.siginfo import SIGINFO_T, SIGINFO_TS
from rsyscall_ns.memory.sigset import SIGSET
from rsyscall_ns.near.abi.ptrace_h import (
    NT,
    PTRACE,
    PTRACE_O,
    AnySyscallInfo,
    PtracePeeksiginfoArgs,
    PtraceSyscallNone,
    syscall_info_of,
)
from rsyscall_ns.near.abi.siginfo_h import SIGINFO_T_SIZE, AnySiginfo
from rsyscall_ns.near.abi.signal_h import SIGSET_SIZE
from rsyscall_ns.near.abi.user_h import AnyUserRegs, own_registers
from rsyscall_ns.near.ids import Address, fit

from .tracing import Tracee

__all__ = ["SYSCALL_INFO", "Traced"]

Siginfos = Sequence[AnySiginfo]
IOVEC: Final = struct.Struct("<QQ")
WORDS: Final = 2**64 - 1
REGISTERS: Final = 1 << 16  # bytes of the largest set
MOST_SIGNALS: Final = 1024


@final
class SyscallInfoSerializer:
    """``struct ptrace_syscall_info`` in any of its forms."""

    size = PtraceSyscallNone.sizeof()

    def to_bytes(self, value: AnySyscallInfo) -> bytes:
        """Return all of the struct."""
        return value.pack()

    def from_bytes(self, data: bytes) -> AnySyscallInfo:
        """Return the form that its ``op`` says it has."""
        return syscall_info_of(data)


SYSCALL_INFO: Serializer[AnySyscallInfo] = SyscallInfoSerializer()


@final
class Traced(Tracee):
    """A process, or one thread, that the task traces. Made by ``Process.ptrace_seize``.

    ``stopped``: its stop, None while it runs. ``ended``: its end. ``tracees``: those that the
    kernel has begun to trace because of ``PTRACE_O.TRACEFORK`` and the like. What a stopped one
    can be asked raises TraceeRunsError while it runs; one that was killed meanwhile is a
    ProcessLookupError.
    """

    __slots__ = ()

    # how it goes on

    async def cont(self, sig: int | None = None) -> None:
        """Let it run. ``sig``: the signal that it gets, 0 for none. ``PTRACE_CONT``.

        By default it gets the one that it has stopped by, but for a SIGTRAP. ``ptrace(2)``.
        """
        await self.resume(PTRACE.CONT, sig)

    async def syscall(self, sig: int | None = None) -> None:
        """Let it run to where the next system call begins or ends. ``PTRACE_SYSCALL``."""
        await self.resume(PTRACE.SYSCALL, sig)

    async def singlestep(self, sig: int | None = None) -> None:
        """Let it run for one instruction. ``PTRACE_SINGLESTEP``."""
        await self.resume(PTRACE.SINGLESTEP, sig)

    async def sysemu(self, sig: int | None = None) -> None:
        """Let it run to the next system call, which is not made. ``PTRACE_SYSEMU``."""
        await self.resume(PTRACE.SYSEMU, sig)

    async def listen(self) -> None:
        """Leave it stopped with its group, and hear when that goes on. ``PTRACE_LISTEN``."""
        await self.resume(PTRACE.LISTEN, 0)

    async def setoptions(self, options: PTRACE_O) -> None:
        """Set at what it stops; system calls are always told apart. ``PTRACE_SETOPTIONS``."""
        wanted = options | PTRACE_O.TRACESYSGOOD
        await self.request(PTRACE.SETOPTIONS, 0, int(wanted))
        self.options = wanted

    # memory: a word of 8 bytes at a time; for more there is process_vm_readv

    @overload
    async def peekdata(self, address: Address) -> int: ...

    @overload
    async def peekdata(self, address: Address, *, into: Pointer[int]) -> Pointer[int]: ...

    async def peekdata(
        self, address: Address, *, into: Pointer[int] | None = None
    ) -> int | Pointer[int]:
        """Return the word at an address of its memory. ``PTRACE_PEEKDATA``."""
        with room(self.process.task, UINT64, into) as there:
            await self.request(PTRACE.PEEKDATA, address.value, there.address.value)
            return there.result()

    async def pokedata(self, address: Address, word: int | Pointer[int]) -> None:
        """Write a word into its memory, also where it may not itself. ``PTRACE_POKEDATA``."""
        content = word.peek() if isinstance(word, Pointer) else fit("word", word, 0, WORDS)
        await self.request(PTRACE.POKEDATA, address.value, content)

    # registers

    async def getregs(self) -> AnyUserRegs:
        """Return its general registers, those of this machine. ``PTRACE_GETREGSET``."""
        return own_registers().unpack(await self.getregset(NT.PRSTATUS))

    async def setregs(self, registers: AnyUserRegs) -> None:
        """Set its general registers. ``PTRACE_SETREGSET``."""
        await self.setregset(NT.PRSTATUS, registers.pack())

    @overload
    async def getregset(self, which: NT) -> bytes: ...

    @overload
    async def getregset(self, which: NT, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def getregset(
        self, which: NT, *, into: Pointer[bytes] | None = None
    ) -> bytes | Pointer[bytes]:
        """Return a set of registers, as the kernel lays it out. ``PTRACE_GETREGSET``.

        ``into``: is consumed; what does not fit is left out.
        """
        task = self.process.task
        with room(task, BYTES, into, REGISTERS) as there:
            iovec = IOVEC.pack(there.address.value, there.size)
            with task.transient(iovec) as vector:
                await self.request(PTRACE.GETREGSET, which, vector.address.value)
                _, got = IOVEC.unpack(vector.read())
            return there.result(got)

    async def setregset(self, which: NT, registers: bytes | Pointer[bytes]) -> None:
        """Set a set of registers, or as much of its beginning as is given. ``PTRACE_SETREGSET``."""
        task = self.process.task
        with given(task, registers) as there:
            assert there.address is not None, "registers are never None"
            iovec = IOVEC.pack(there.address.value, there.size)
            with task.transient(iovec) as vector:
                await self.request(PTRACE.SETREGSET, which, vector.address.value)

    # signals

    @overload
    async def getsiginfo(self) -> AnySiginfo: ...

    @overload
    async def getsiginfo(self, *, into: Pointer[AnySiginfo]) -> Pointer[AnySiginfo]: ...

    async def getsiginfo(
        self, *, into: Pointer[AnySiginfo] | None = None
    ) -> AnySiginfo | Pointer[AnySiginfo]:
        """Return all about the signal that it has stopped by. ``PTRACE_GETSIGINFO``."""
        with room(self.process.task, SIGINFO_T, into) as there:
            await self.request(PTRACE.GETSIGINFO, 0, there.address.value)
            return there.result()

    async def setsiginfo(self, info: AnySiginfo | Pointer[AnySiginfo]) -> None:
        """Change what comes with the signal that it has stopped by. ``PTRACE_SETSIGINFO``."""
        with given(self.process.task, info) as there:
            assert there.address is not None, "it is never None"
            await self.request(PTRACE.SETSIGINFO, 0, there.address.value)

    @overload
    async def peeksiginfo(
        self, off: int = ..., nr: int = ..., *, shared: bool = ...
    ) -> Siginfos: ...

    @overload
    async def peeksiginfo(
        self, off: int = ..., nr: Pointer[Siginfos] = ..., *, shared: bool = ...
    ) -> Pointer[Siginfos]: ...

    async def peeksiginfo(
        self, off: int = 0, nr: int | Pointer[Siginfos] = 32, *, shared: bool = False
    ) -> Siginfos | Pointer[Siginfos]:
        """Return signals that wait for it, from the ``off``-th on; they stay there.

        ``nr``: so many at most. With a pointer: consumes it, and returns the part that was filled;
        the rest is freed. ``shared``: those that any thread of its process may take.
        ``PTRACE_PEEKSIGINFO``.
        """
        task = self.process.task
        into = nr if isinstance(nr, Pointer) else None
        most = nr.size() // SIGINFO_T_SIZE if isinstance(nr, Pointer) else nr
        fit("number of signals", most, 0, MOST_SIGNALS)
        wanted = PtracePeeksiginfoArgs(off, int(shared), most).pack()
        with (
            task.transient(wanted) as args,
            room(task, SIGINFO_TS, into, most * SIGINFO_T_SIZE) as there,
        ):
            place = there.address.value
            count = await self.request(PTRACE.PEEKSIGINFO, args.address.value, place)
            return there.result(count * SIGINFO_T_SIZE)

    @overload
    async def getsigmask(self) -> frozenset[int]: ...

    @overload
    async def getsigmask(self, *, into: Pointer[frozenset[int]]) -> Pointer[frozenset[int]]: ...

    async def getsigmask(
        self, *, into: Pointer[frozenset[int]] | None = None
    ) -> frozenset[int] | Pointer[frozenset[int]]:
        """Return the signals that it blocks. ``PTRACE_GETSIGMASK``."""
        with room(self.process.task, SIGSET, into) as there:
            await self.request(PTRACE.GETSIGMASK, SIGSET_SIZE, there.address.value)
            return there.result()

    async def setsigmask(self, signals: SignalSet) -> None:
        """Set the signals that it blocks. ``PTRACE_SETSIGMASK``."""
        with set_given(self.process.task, signals) as mask:
            assert mask.address is not None, "it is never None"
            await self.request(PTRACE.SETSIGMASK, SIGSET_SIZE, mask.address.value)

    # system calls

    @overload
    async def get_syscall_info(self) -> AnySyscallInfo: ...

    @overload
    async def get_syscall_info(
        self, *, into: Pointer[AnySyscallInfo]
    ) -> Pointer[AnySyscallInfo]: ...

    async def get_syscall_info(
        self, *, into: Pointer[AnySyscallInfo] | None = None
    ) -> AnySyscallInfo | Pointer[AnySyscallInfo]:
        """Return at which system call it has stopped, and where of it.

        ``PTRACE_GET_SYSCALL_INFO``, Linux 5.3, ``ptrace(2)``.
        """
        with room(self.process.task, SYSCALL_INFO, into) as there:
            place = there.address.value
            await self.request(PTRACE.GET_SYSCALL_INFO, there.size, place)
            return there.result()

    async def set_syscall_info(self, info: AnySyscallInfo | Pointer[AnySyscallInfo]) -> None:
        """Change the system call at which it has stopped, or its result.

        ``info``: what ``get_syscall_info`` returned, with another number, argument or result.
        ``PTRACE_SET_SYSCALL_INFO``, Linux 6.16, ``ptrace(2)``.
        """
        with given(self.process.task, info) as there:
            assert there.address is not None, "it is never None"
            await self.request(PTRACE.SET_SYSCALL_INFO, there.size, there.address.value)
