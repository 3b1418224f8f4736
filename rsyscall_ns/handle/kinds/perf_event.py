"""PerfEventFD: a counter of what a process, a processor or the kernel does."""

from __future__ import annotations

import os
from typing import ClassVar, final

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.fds.links import check_link
from rsyscall_ns.handle.perf_ring import PerfRing, check_pages
from rsyscall_ns.near.abi.perf_event_h import (
    PERF_ATTR,
    PERF_FORMAT,
    PERF_IOC,
    PerfCounts,
    PerfEventAttr,
)
from rsyscall_ns.near.abi.perf_records import PERF_SAMPLE, PerfForm, check_form
from rsyscall_ns.near.ids import fit

__all__ = ["PerfEventFD"]

WORD = 8
ROOM = 65536
ONLY_THE_COUNT = PERF_FORMAT(0)


@final
class PerfEventFD(FileDescriptor):
    """Counts events. Its samples, and other records, are those of its ``ring``."""

    __slots__ = ()
    kind: ClassVar[str] = "perf_event"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a perf event."""
        await check_link(fd, cls.__name__, "anon_inode:[perf_event]")

    async def read_counts(self, form: PERF_FORMAT = ONLY_THE_COUNT) -> PerfCounts:
        """Return what was counted. ``form``: the ``read_format`` that it was opened with.

        ``perf_event_open(2)``.
        """
        return PerfCounts.unpack(await self.read(ROOM), form)

    @trio.lowlevel.enable_ki_protection
    async def ring(self, attr: PerfEventAttr, pages: int = 8) -> PerfRing:
        """Map the records of the event into this interpreter, also where the task is a child.

        ``async with`` it. ``attr``: what the event was opened with; ``pages``: room for records, a
        power of 2. Samples that hold what is not read here (``PERF_SAMPLE``) are refused.
        ``perf_event_open(2)``, "MMAP layout".
        """
        form = PerfForm(
            PERF_SAMPLE(attr.sample_type),
            attr.read_format,
            sample_id_all=bool(attr.flags & PERF_ATTR.SAMPLE_ID_ALL),
        )
        check_form(form)
        check_pages(pages)
        with self.borrow() as near_id:
            here = await self.task.sysif.export_fd(near_id.number)
        try:
            return PerfRing(here, form, pages)
        except BaseException:
            os.close(here)
            raise

    async def enable(self, *, group: bool = False) -> None:
        """Count from now on, or all of the group do. ``perf_event_open(2)``, IOC_ENABLE."""
        await self.ioctl(PERF_IOC.ENABLE, int(group))

    async def disable(self, *, group: bool = False) -> None:
        """Count no more, or none of the group does. ``perf_event_open(2)``, IOC_DISABLE."""
        await self.ioctl(PERF_IOC.DISABLE, int(group))

    async def reset(self, *, group: bool = False) -> None:
        """Set the count to 0, or those of the group; times stay. IOC_RESET."""
        await self.ioctl(PERF_IOC.RESET, int(group))

    async def refresh(self, overflows: int) -> None:
        """Count until it has overflown so often. ``perf_event_open(2)``, IOC_REFRESH."""
        await self.ioctl(PERF_IOC.REFRESH, fit("overflows", overflows, 1, 2**31 - 1))

    async def set_period(self, period: int) -> None:
        """Set after how many events it overflows. ``perf_event_open(2)``, IOC_PERIOD."""
        word = fit("period", period, 1, 2**63 - 1).to_bytes(WORD, "little")
        await self.ioctl_bytes(PERF_IOC.PERIOD, word)

    async def event_id(self) -> int:
        """Return its number, as ``PerfCount.id`` has it. ``perf_event_open(2)``, IOC_ID."""
        return int.from_bytes(await self.ioctl_bytes(PERF_IOC.ID, bytes(WORD)), "little")
