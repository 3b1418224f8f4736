"""TtyFD: a terminal, or the master of a pseudoterminal."""

from __future__ import annotations

from errno import EBADF, EIO, ENOTTY
from typing import ClassVar, final, overload

import trio

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.fd_errors import FDKindError
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import struct_of
from rsyscall_ns.near import ids
from rsyscall_ns.near.abi import termbits_h as t
from rsyscall_ns.near.abi.fcntl_h import O
from rsyscall_ns.near.abi.termbits_h import TCFLOW, TCFLUSH, TCSA, Termios2, Winsize

from .file import FileFD
from .ioctls import ioctl_fill, ioctl_give, ioctl_int, ioctl_number

__all__ = ["TtyFD"]

SET = {TCSA.NOW: t.TCSETS2, TCSA.DRAIN: t.TCSETSW2, TCSA.FLUSH: t.TCSETSF2}
A_MOMENT = 0.005  # seconds between looks at whether output was sent
DRAIN = 1  # the argument of TCSBRK that sends no break


@final
class TtyFD(FileFD):
    """A terminal, or the master of a pseudoterminal (``pty(7)``, ``ioctl_tty(2)``)."""

    __slots__ = ()
    kind: ClassVar[str] = "tty"

    @classmethod
    async def check_kind(cls, fd: FileDescriptor) -> None:
        """Raise FDKindError unless ``fd`` is a terminal. ``isatty(3)``."""
        try:
            await ioctl_fill(fd, t.TCGETS2, struct_of(Termios2))
        except OSError as error:
            if error.errno == EIO:
                return  # a terminal that was hung up
            if error.errno not in {ENOTTY, EBADF}:  # EBADF: opened with O_PATH
                raise
            raise FDKindError(fd, cls.__name__, "it is no terminal") from error

    @overload
    async def tcgetattr(self) -> Termios2: ...

    @overload
    async def tcgetattr(self, *, into: Pointer[Termios2]) -> Pointer[Termios2]: ...

    async def tcgetattr(
        self, *, into: Pointer[Termios2] | None = None
    ) -> Termios2 | Pointer[Termios2]:
        """Return the attributes. ``tcgetattr(3)``, TCGETS2."""
        return await ioctl_fill(self, t.TCGETS2, struct_of(Termios2), into)

    async def tcsetattr(
        self, attributes: Termios2 | Pointer[Termios2], when: TCSA = TCSA.NOW
    ) -> None:
        """Set the attributes, at once or when all output was sent. ``tcsetattr(3)``, TCSETS2."""
        if when != TCSA.NOW:
            await self._sent()
        await ioctl_give(self, SET[when], attributes)

    @overload
    async def tcgetwinsize(self) -> Winsize: ...

    @overload
    async def tcgetwinsize(self, *, into: Pointer[Winsize]) -> Pointer[Winsize]: ...

    async def tcgetwinsize(
        self, *, into: Pointer[Winsize] | None = None
    ) -> Winsize | Pointer[Winsize]:
        """Return the size of the window. ``TIOCGWINSZ(2const)``."""
        return await ioctl_fill(self, t.TIOCGWINSZ, struct_of(Winsize), into)

    async def tcsetwinsize(self, size: Winsize | Pointer[Winsize]) -> None:
        """Set the size of the window; another one is told by SIGWINCH. ``TIOCSWINSZ(2const)``."""
        await ioctl_give(self, t.TIOCSWINSZ, size)

    async def sctty(self, *, steal: bool = False) -> None:
        """Make it the controlling terminal of the task, a session leader without one.

        ``steal``: from the session that has it, which only root may. ``TIOCSCTTY(2const)``.
        """
        await ioctl_number(self, t.TIOCSCTTY, int(steal))

    async def notty(self) -> None:
        """Give up the controlling terminal; a leader's session loses it. ``TIOCNOTTY(2const)``."""
        await ioctl_number(self, t.TIOCNOTTY)

    async def tcgetpgrp(self) -> ids.ProcessGroup:
        """Return the process group in the foreground. ``tcgetpgrp(3)``, TIOCGPGRP."""
        return ids.ProcessGroup(await ioctl_int(self, t.TIOCGPGRP))

    async def tcsetpgrp(self, group: ids.ProcessGroup) -> None:
        """Put a process group of the session into the foreground. ``tcsetpgrp(3)``, TIOCSPGRP."""
        await ioctl_int(self, t.TIOCSPGRP, group.id)

    async def tcgetsid(self) -> int:
        """Return the id of the session whose controlling terminal it is. ``tcgetsid(3)``."""
        return await ioctl_int(self, t.TIOCGSID)

    async def tcflush(self, queue: TCFLUSH = TCFLUSH.TCIOFLUSH) -> None:
        """Throw away what was not read, or not sent, yet. ``tcflush(3)``, TCFLSH."""
        await ioctl_number(self, t.TCFLSH, queue)

    async def tcflow(self, action: TCFLOW) -> None:
        """Stop output or input, or let it go on. ``tcflow(3)``, TCXONC."""
        await ioctl_number(self, t.TCXONC, action)

    async def tcdrain(self) -> None:
        """Wait until all output was sent. ``tcdrain(3)``, TCSBRK."""
        await self._sent()
        await ioctl_number(self, t.TCSBRK, DRAIN)

    async def fionread(self) -> int:
        """Return how many bytes can be read now. ``FIONREAD(2const)``."""
        return await ioctl_int(self, t.FIONREAD)

    async def outq(self) -> int:
        """Return how many bytes were not sent yet. ``TIOCOUTQ(2const)``."""
        return await ioctl_int(self, t.TIOCOUTQ)

    async def exclusive(self, *, on: bool = True) -> None:
        """Have all further opens fail, but root's; or not any more. ``TIOCEXCL(2const)``."""
        await ioctl_number(self, t.TIOCEXCL if on else t.TIOCNXCL)

    async def is_exclusive(self) -> bool:
        """Return whether further opens fail. ``TIOCGEXCL(2const)``."""
        return bool(await ioctl_int(self, t.TIOCGEXCL))

    # of masters only

    async def ptn(self) -> int:
        """Return the number of a master's terminal in its devpts. ``TIOCGPTN(2const)``."""
        return await ioctl_int(self, t.TIOCGPTN)

    async def lock_pty(self, *, on: bool = True) -> None:
        """Lock a master's terminal, which nobody can open then, or unlock it. TIOCSPTLCK."""
        await ioctl_int(self, t.TIOCSPTLCK, int(on))

    async def is_locked_pty(self) -> bool:
        """Return whether a master's terminal is locked. ``TIOCGPTLCK(2const)``."""
        return bool(await ioctl_int(self, t.TIOCGPTLCK))

    async def packet_mode(self, *, on: bool = True) -> None:
        """Have a byte of news before what is read from a master, or not. ``TIOCPKT(2const)``."""
        await ioctl_int(self, t.TIOCPKT, int(on))

    @trio.lowlevel.enable_ki_protection
    async def ptpeer(self, flags: int = O.RDWR) -> TtyFD:
        """Open a master's terminal, wherever its devpts is mounted. ``TIOCGPTPEER(2const)``.

        It never becomes the controlling terminal so: ``sctty`` makes it that.
        """
        await self.task.sweep()
        made = await ioctl_number(self, t.TIOCGPTPEER, flags | O.NOCTTY | O.CLOEXEC)
        return TtyFD(self.task, ids.FileDescriptor(made))

    async def _sent(self) -> None:
        """In the interpreter's own task, wait without holding up the event loop."""
        # nobody tells when a device has sent all
        while self.task.sysif.same_thread and await self.outq():  # noqa: ASYNC110 - see above
            await trio.sleep(A_MOMENT)
