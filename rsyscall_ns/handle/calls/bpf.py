"""``task.bpf``: maps, programs and links of BPF."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from errno import ENOENT
from typing import Final, TypeVar, final

import attrs
import trio

from rsyscall_ns.handle.bpf_call import BpfNotAllowedError, bpf, bpf_filled
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.kinds.bpf_map import BpfMapFD
from rsyscall_ns.handle.kinds.bpf_prog import BpfLinkFD, BpfProgFD
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import PathLike, given, path_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi.bpf_attr import BpfGetId, BpfMapCreate, BpfObj, BpfProgLoad
from rsyscall_ns.near.abi.bpf_h import (
    BPF_ATTACH_TYPE,
    BPF_CMD,
    BPF_F_MAP,
    BPF_F_PROG,
    BPF_MAP_TYPE,
    BPF_PROG_TYPE,
)
from rsyscall_ns.near.abi.bpf_insn import BpfProgram
from rsyscall_ns.near.errors import PathError, RsyscallError
from rsyscall_ns.near.strings import c_string

__all__ = ["Bpf", "BpfVerifierError"]

Kind = TypeVar("Kind", BpfMapFD, BpfProgFD, BpfLinkFD)
NAME: Final = re.compile(r"[A-Za-z0-9_.]{0,15}")
LOG_SIZE: Final = 1 << 16
NO_MAP_FLAG: Final = BPF_F_MAP.NONE
NO_PROG_FLAG: Final = BPF_F_PROG.NONE
FIRST_PLACE: Final = BPF_ATTACH_TYPE.CGROUP_INET_INGRESS
NEXT_ID: Final = {
    BpfMapFD: BPF_CMD.MAP_GET_NEXT_ID,
    BpfProgFD: BPF_CMD.PROG_GET_NEXT_ID,
    BpfLinkFD: BPF_CMD.LINK_GET_NEXT_ID,
}
BY_ID: Final = {
    BpfMapFD: BPF_CMD.MAP_GET_FD_BY_ID,
    BpfProgFD: BPF_CMD.PROG_GET_FD_BY_ID,
    BpfLinkFD: BPF_CMD.LINK_GET_FD_BY_ID,
}


class BpfVerifierError(RsyscallError, OSError):
    """The kernel's verifier refused a program; what it says is in the notes and in ``log``."""

    def __init__(self, error: OSError, log: str) -> None:
        OSError.__init__(self, error.errno, f"{error.strerror}: the verifier refused the program")
        self.log = log
        self.add_note(log)


@final
class Bpf:
    """System calls that make and find objects of BPF."""

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    @trio.lowlevel.enable_ki_protection
    async def map_create(
        self,
        map_type: BPF_MAP_TYPE | Pointer[BpfMapCreate],
        key_size: int = 0,
        value_size: int = 0,
        max_entries: int = 0,
        flags: BPF_F_MAP = NO_MAP_FLAG,
        name: str = "",
    ) -> BpfMapFD:
        """Make a map; sizes in bytes. BPF_MAP_CREATE, ``bpf(2)``.

        In place of all that a pointer to the struct with more in it may be given.
        """
        task = self._task
        await task.sweep()
        if isinstance(map_type, Pointer):
            attr = map_type.peek()
        else:
            check_name(name)
            attr = BpfMapCreate(map_type, key_size, value_size, max_entries, flags, map_name=name)
        made = await bpf(task, BPF_CMD.MAP_CREATE, attr)
        return BpfMapFD(task, ids.FileDescriptor(made))

    @trio.lowlevel.enable_ki_protection
    async def prog_load(
        self,
        prog_type: BPF_PROG_TYPE,
        program: BpfProgram | Pointer[bytes],
        *,
        license: str = "",  # noqa: A002 - the field's name
        name: str = "",
        maps: Sequence[BpfMapFD] = (),
        attach_type: BPF_ATTACH_TYPE = FIRST_PLACE,
        flags: BPF_F_PROG = NO_PROG_FLAG,
    ) -> BpfProgFD:
        """Load a program. BPF_PROG_LOAD, ``bpf(2)``.

        ``maps``: what ``BpfInsn.load_map`` names by their places. One that is refused is loaded
        once more to hear why: BpfVerifierError.
        """
        task = self._task
        check_name(name)
        await task.sweep()
        with ExitStack() as stack:
            content = program.pack() if isinstance(program, BpfProgram) else program
            steps = stack.enter_context(given(task, content))
            terms = stack.enter_context(task.transient(c_string(license)))
            numbers = b"".join(
                stack.enter_context(one.borrow(task)).number.to_bytes(4, "little") for one in maps
            )
            places = stack.enter_context(task.transient(numbers))
            assert steps.address is not None, "a program is never None"
            attr = BpfProgLoad(
                prog_type,
                steps.size // 8,
                steps.address.value,
                terms.address.value,
                prog_flags=flags,
                prog_name=name,
                expected_attach_type=attach_type,
                fd_array=places.address.value if maps else 0,
            )
            try:
                made = await bpf(task, BPF_CMD.PROG_LOAD, attr)
            except BpfNotAllowedError:
                raise
            except OSError as error:
                raise await self._why(attr, error) from error
            return BpfProgFD(task, ids.FileDescriptor(made))

    async def _why(self, attr: BpfProgLoad, error: OSError) -> OSError:
        """Return the error with what the verifier says, or the error itself if it says nothing."""
        with self._task.transient(LOG_SIZE) as log:
            asking = attrs.evolve(attr, log_level=1, log_size=LOG_SIZE, log_buf=log.address.value)
            try:
                made = await bpf(self._task, BPF_CMD.PROG_LOAD, asking)
            except OSError:
                text = log.read().split(b"\0", 1)[0].decode(errors="replace")
                return BpfVerifierError(error, text) if text else error
        await BpfProgFD(self._task, ids.FileDescriptor(made)).close()
        return error

    @trio.lowlevel.enable_ki_protection
    async def obj_get(self, path: PathLike, kind: type[Kind]) -> Kind:
        """Open what was pinned in a BPF file system, checked. BPF_OBJ_GET, ``bpf(2)``."""
        task = self._task
        await task.sweep()
        with path_given(task, path) as name:
            made = await bpf(task, BPF_CMD.OBJ_GET, BpfObj(name.address.value))
        plain = FileDescriptor(task, ids.FileDescriptor(made))
        try:
            return await plain.as_kind(kind)
        except BaseException:
            await plain.close()
            raise

    async def get_next_id(
        self, kind: type[BpfMapFD | BpfProgFD | BpfLinkFD], after: int = 0
    ) -> int | None:
        """Return the id of the next object of a kind, None after the last; for root.

        BPF_MAP_GET_NEXT_ID and so on, ``bpf(2)``.
        """
        try:
            _, told = await bpf_filled(self._task, NEXT_ID[kind], BpfGetId(after))
        except OSError as error:
            if error.errno != ENOENT:
                raise
            return None
        return told.next_id

    @trio.lowlevel.enable_ki_protection
    async def get_fd_by_id(self, kind: type[Kind], number: int) -> Kind:
        """Open an object by its id; for root. BPF_MAP_GET_FD_BY_ID and so on, ``bpf(2)``."""
        await self._task.sweep()
        made = await bpf(self._task, BY_ID[kind], BpfGetId(number))
        return kind(self._task, ids.FileDescriptor(made))


def check_name(name: str) -> None:
    """Refuse what no object of BPF can be called."""
    if not NAME.fullmatch(name):
        raise PathError(name, "can be no name in BPF: up to 15 ASCII letters, digits, '_' and '.'")
