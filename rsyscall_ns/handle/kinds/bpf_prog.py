"""BpfProgFD and BpfLinkFD: a program of BPF, and what keeps one attached."""

from __future__ import annotations

from typing import ClassVar, Final, Generic, TypeVar, final, overload

import trio

from rsyscall_ns.handle.bpf_call import bpf, bpf_filled, object_info
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.pointers.passing import PathLike, borrowed, given, room
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.bpf_attr import (
    BpfAttach,
    BpfLinkCreate,
    BpfLinkDetach,
    BpfLinkInfo,
    BpfLinkUpdate,
    BpfProgInfo,
    BpfTest,
)
from rsyscall_ns.near.abi.bpf_h import BPF_ATTACH_TYPE, BPF_CMD, BPF_F_ATTACH
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.values import value

from .bpf_object import pin

__all__ = ["BpfLinkFD", "BpfProgFD", "BpfTestRun"]

Data = TypeVar("Data", bytes, Pointer[bytes])
NO_FLAG: Final = BPF_F_ATTACH.NONE
BPF_F_REPLACE: Final = BPF_F_ATTACH.REPLACE
ROOM: Final = 256  # bytes by which a program may make its data longer, in a test


@value
class BpfTestRun(Generic[Data]):
    """What a test of a program gave. ``duration``: nanoseconds, of one of the runs."""

    retval: int
    data: Data
    duration: int


@final
class BpfLinkFD(FileDescriptor):
    """Keeps a program attached while it, or a pinned name of it, is there."""

    __slots__ = ()
    kind: ClassVar[str] = "BPF link"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a link, as ``/proc`` shows it."""
        await check_link(fd, cls.__name__, "anon_inode:bpf_link")

    @overload
    async def info(self) -> BpfLinkInfo: ...

    @overload
    async def info(self, *, into: Pointer[BpfLinkInfo]) -> Pointer[BpfLinkInfo]: ...

    async def info(
        self, *, into: Pointer[BpfLinkInfo] | None = None
    ) -> BpfLinkInfo | Pointer[BpfLinkInfo]:
        """Return what the link is. BPF_OBJ_GET_INFO_BY_FD."""
        return await object_info(self, BpfLinkInfo, into)

    async def update(self, program: BpfProgFD, replaced: BpfProgFD | None = None) -> None:
        """Put another program in place of the link's, at once. BPF_LINK_UPDATE.

        ``replaced``: the one that must be there now, else it is an OSError of EPERM.
        """
        task = self.task
        with (
            self.borrow() as near_id,
            program.borrow(task) as new,
            borrowed(task, replaced) as old,
        ):
            number, flags = (0, 0) if old is None else (old.number, BPF_F_REPLACE)
            attr = BpfLinkUpdate(near_id.number, new.number, flags, number)
            await bpf(task, BPF_CMD.LINK_UPDATE, attr)

    async def detach(self) -> None:
        """Detach the program, and leave the link. BPF_LINK_DETACH."""
        with self.borrow() as near_id:
            await bpf(self.task, BPF_CMD.LINK_DETACH, BpfLinkDetach(near_id.number))

    async def pin(self, path: PathLike) -> None:
        """Give the link a name in a BPF file system, which keeps it. BPF_OBJ_PIN."""
        await pin(self, path)


@final
class BpfProgFD(FileDescriptor):
    """What ``task.bpf.prog_load`` gives."""

    __slots__ = ()
    kind: ClassVar[str] = "BPF program"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a program, as ``/proc`` shows it."""
        await check_link(fd, cls.__name__, "anon_inode:bpf-prog")

    @overload
    async def info(self) -> BpfProgInfo: ...

    @overload
    async def info(self, *, into: Pointer[BpfProgInfo]) -> Pointer[BpfProgInfo]: ...

    async def info(
        self, *, into: Pointer[BpfProgInfo] | None = None
    ) -> BpfProgInfo | Pointer[BpfProgInfo]:
        """Return what the program is. BPF_OBJ_GET_INFO_BY_FD."""
        return await object_info(self, BpfProgInfo, into)

    @overload
    async def test_run(
        self, data: bytes | Pointer[bytes], repeat: int = ...
    ) -> BpfTestRun[bytes]: ...

    @overload
    async def test_run(
        self, data: bytes | Pointer[bytes], repeat: int = ..., *, into: Pointer[bytes]
    ) -> BpfTestRun[Pointer[bytes]]: ...

    async def test_run(
        self,
        data: bytes | Pointer[bytes],
        repeat: int = 1,
        *,
        into: Pointer[bytes] | None = None,
    ) -> BpfTestRun[bytes] | BpfTestRun[Pointer[bytes]]:
        """Run the program on data, such as a packet. BPF_PROG_TEST_RUN.

        ``into``: is consumed; the part that was filled is the ``data`` of the result. The
        interpreter stands still meanwhile, so its own task should not ask for many runs.
        """
        fit("repeat", repeat, 0, 2**32 - 1)
        with self.borrow() as near_id, given(self.task, data) as there:
            assert there.address is not None, "data are never None"
            with room(self.task, BYTES, into, there.size + ROOM) as out:
                attr = BpfTest(
                    near_id.number,
                    data_size_in=there.size,
                    data_size_out=out.size,
                    data_in=there.address.value,
                    data_out=out.address.value,
                    repeat=repeat,
                )
                _, told = await bpf_filled(self.task, BPF_CMD.PROG_TEST_RUN, attr)
                found = out.result(told.data_size_out)
        if isinstance(found, Pointer):
            return BpfTestRun(told.retval, found, told.duration)
        return BpfTestRun(told.retval, found, told.duration)

    async def attach(
        self,
        target: FileDescriptor | None,
        attach_type: BPF_ATTACH_TYPE,
        flags: BPF_F_ATTACH = NO_FLAG,
    ) -> None:
        """Attach to a target, such as a cgroup's directory, until it is detached.

        None: the task's own network namespace, for the types that are of one. BPF_PROG_ATTACH.
        """
        with self.borrow() as near_id, borrowed(self.task, target) as there:
            number = 0 if there is None else there.number
            attr = BpfAttach(number, near_id.number, attach_type, flags)
            await bpf(self.task, BPF_CMD.PROG_ATTACH, attr)

    async def detach(self, target: FileDescriptor | None, attach_type: BPF_ATTACH_TYPE) -> None:
        """Take ``attach`` back. BPF_PROG_DETACH."""
        with self.borrow() as near_id, borrowed(self.task, target) as there:
            number = 0 if there is None else there.number
            attr = BpfAttach(number, near_id.number, attach_type)
            await bpf(self.task, BPF_CMD.PROG_DETACH, attr)

    @trio.lowlevel.enable_ki_protection
    async def link_create(
        self, target: FileDescriptor, attach_type: BPF_ATTACH_TYPE, flags: int = 0
    ) -> BpfLinkFD:
        """Attach to a cgroup or network namespace while the link is there. BPF_LINK_CREATE."""
        await self.task.sweep()
        with self.borrow() as near_id, target.borrow(self.task) as there:
            attr = BpfLinkCreate(near_id.number, there.number, attach_type, flags)
            made = await bpf(self.task, BPF_CMD.LINK_CREATE, attr)
        return BpfLinkFD(self.task, ids.FileDescriptor(made))

    async def pin(self, path: PathLike) -> None:
        """Give the program a name in a BPF file system, which keeps it. BPF_OBJ_PIN."""
        await pin(self, path)
