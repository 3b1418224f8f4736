"""TunFD: one queue of a network device whose packets are read and written here."""

from __future__ import annotations

from errno import EBADF, EINVAL, ENOTTY
from typing import ClassVar, final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi import if_tun_h as tun
from rsyscall_ns.near.abi.if_tun_h import TUN_F, TUN_IFF, TunIfreq
from rsyscall_ns.near.calls import fd as near_fd
from rsyscall_ns.near.ids import fit
from rsyscall_ns.near.strings import c_string

from .file import FileFD
from .ioctls import ioctl_fill, ioctl_give, ioctl_int, ioctl_number
from .namespace import NamespaceFD

__all__ = ["TunFD"]

NAME_LIMIT = 15
INT_MAX = 2**31 - 1
ID_LIMIT = 2**32 - 1


@final
class TunFD(FileFD):
    """A queue of a tun or tap device; ``read`` and ``write`` are one packet each."""

    __slots__ = ()
    kind: ClassVar[str] = "tun"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is of ``/dev/net/tun``."""
        try:
            await ioctl_int(fd, tun.TUNGETFEATURES)
        except OSError as error:
            if error.errno not in {ENOTTY, EBADF, EINVAL}:  # EBADF: opened with O_PATH
                raise
            raise FDKindError(fd, cls.__name__, "it is no queue of a tun device") from error

    @overload
    async def set_iff(self, name: str = "", flags: int = ...) -> TunIfreq: ...

    @overload
    async def set_iff(self, name: Pointer[TunIfreq]) -> Pointer[TunIfreq]: ...

    async def set_iff(
        self,
        name: str | Pointer[TunIfreq] = "",
        flags: int = TUN_IFF.TUN | TUN_IFF.NO_PI,
    ) -> TunIfreq | Pointer[TunIfreq]:
        """Make a device in the task's network namespace, or join one that is there. TUNSETIFF.

        ``name``: up to 15 bytes, and may have one ``%d``, for a number that is free. Returns what
        it has become. It is gone with its last queue.
        """
        if isinstance(name, Pointer):
            await ioctl_give(self, tun.TUNSETIFF, name)
            return name
        fit("length of the device's name", len(c_string(name)) - 1, 0, NAME_LIMIT)
        with (
            self.borrow() as near_id,
            self.task.transient(TunIfreq(name, TUN_IFF(flags)).pack()) as there,
        ):
            await near_fd.ioctl(self.task.sysif, near_id, tun.TUNSETIFF, there.address.value)
            return TunIfreq.unpack(there.read())

    @overload
    async def get_iff(self) -> TunIfreq: ...

    @overload
    async def get_iff(self, *, into: Pointer[TunIfreq]) -> Pointer[TunIfreq]: ...

    async def get_iff(
        self, *, into: Pointer[TunIfreq] | None = None
    ) -> TunIfreq | Pointer[TunIfreq]:
        """Return the device's name and flags. TUNGETIFF."""
        return await ioctl_fill(self, tun.TUNGETIFF, struct_of(TunIfreq), into)

    async def features(self) -> TUN_IFF:
        """Return which flags this kernel knows. TUNGETFEATURES."""
        return TUN_IFF(await ioctl_int(self, tun.TUNGETFEATURES))

    async def set_persist(self, *, on: bool = True) -> None:
        """Keep the device when its last queue is closed, or not. TUNSETPERSIST."""
        await ioctl_number(self, tun.TUNSETPERSIST, int(on))

    async def set_owner(self, uid: int) -> None:
        """Let a user join the device without CAP_NET_ADMIN. TUNSETOWNER."""
        await ioctl_number(self, tun.TUNSETOWNER, fit("uid", uid, 0, ID_LIMIT))

    async def set_group(self, gid: int) -> None:
        """Let a group join the device. TUNSETGROUP."""
        await ioctl_number(self, tun.TUNSETGROUP, fit("gid", gid, 0, ID_LIMIT))

    async def set_link(self, link: int) -> None:
        """Set the hardware type (ARPHRD), while the device is down. TUNSETLINK."""
        await ioctl_number(self, tun.TUNSETLINK, fit("link type", link, 0, INT_MAX))

    async def set_offload(self, what: TUN_F) -> None:
        """Say what of the work on packets the reader does. TUNSETOFFLOAD."""
        await ioctl_number(self, tun.TUNSETOFFLOAD, what)

    async def set_queue(self, *, attach: bool) -> None:
        """Take part in a device of several queues, or pause. TUNSETQUEUE."""
        how = TUN_IFF.ATTACH_QUEUE if attach else TUN_IFF.DETACH_QUEUE
        await ioctl_give(self, tun.TUNSETQUEUE, TunIfreq("", how))

    async def set_ifindex(self, index: int) -> None:
        """Say which number a device that is made next gets. TUNSETIFINDEX."""
        await self._set(tun.TUNSETIFINDEX, "interface index", index, 1)

    async def set_carrier(self, *, on: bool) -> None:
        """Plug the cable in, or out. TUNSETCARRIER."""
        await self._set(tun.TUNSETCARRIER, "carrier", int(on), 0)

    async def get_sndbuf(self) -> int:
        """Return how many bytes that were written may be on their way. TUNGETSNDBUF."""
        return await ioctl_int(self, tun.TUNGETSNDBUF)

    async def set_sndbuf(self, size: int) -> None:
        """Set how many bytes that were written may be on their way. TUNSETSNDBUF."""
        await self._set(tun.TUNSETSNDBUF, "size", size, 1)

    async def get_vnet_hdr_sz(self) -> int:
        """Return how long the header is that VNET_HDR asks for. TUNGETVNETHDRSZ."""
        return await ioctl_int(self, tun.TUNGETVNETHDRSZ)

    async def set_vnet_hdr_sz(self, size: int) -> None:
        """Set how long that header is. TUNSETVNETHDRSZ."""
        await self._set(tun.TUNSETVNETHDRSZ, "size", size, 0)

    @trio.lowlevel.enable_ki_protection
    async def dev_netns(self) -> NamespaceFD:
        """Return the network namespace that the device is in. TUNGETDEVNETNS."""
        await self.task.sweep()
        made = await ioctl_number(self, tun.TUNGETDEVNETNS)
        return NamespaceFD(self.task, ids.FileDescriptor(made))

    async def _set(self, op: int, what: str, value: int, low: int) -> None:
        await ioctl_give(self, op, fit(what, value, low, INT_MAX).to_bytes(4, "little"))
