"""What maps, programs and links of BPF have in common."""

from __future__ import annotations

from rsyscall_ns.handle.bpf_call import bpf
from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.passing import PathLike, path_given
from rsyscall_ns.near.abi.bpf_attr import BpfObj
from rsyscall_ns.near.abi.bpf_h import BPF_CMD

__all__ = ["pin"]


async def pin(fd: FileDescriptor, path: PathLike) -> None:
    """Give an object a name in a BPF file system, which keeps it. BPF_OBJ_PIN."""
    with fd.borrow() as near_id, path_given(fd.task, path) as name:
        attr = BpfObj(name.address.value, near_id.number)
        await bpf(fd.task, BPF_CMD.OBJ_PIN, attr)
