"""``<asm/termbits.h>``, ``<asm/ioctls.h>``: terminals; the same on both machines."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final

from .ioctl_h import io_none, io_read, io_write
from .layout import CStruct, c_struct, chars, u8, u16, u32

__all__ = ["FIONREAD", "TCFLSH", "TCGETS2", "TCSBRK", "TCSETS2", "TCSETSF2", "TCSETSW2", "TCXONC"]
__all__ += ["TIOCEXCL", "TIOCGDEV", "TIOCGEXCL", "TIOCGPGRP", "TIOCGPKT", "TIOCGPTLCK", "TIOCGPTN"]
__all__ += ["TIOCGPTPEER", "TIOCGSID", "TIOCGWINSZ", "TIOCNOTTY", "TIOCNXCL", "TIOCOUTQ", "TIOCPKT"]
__all__ += ["TIOCSCTTY", "TIOCSPGRP", "TIOCSPTLCK", "TIOCSTI", "TIOCSWINSZ", "TIOCVHANGUP"]
__all__ += ["CFLAG", "IFLAG", "LFLAG", "OFLAG", "TCFLOW", "TCFLUSH", "TCSA", "TTY_CC"]
__all__ += ["Termios2", "Winsize"]

KIND: Final = ord("T")
INT, TERMIOS2 = 4, 44
NCCS: Final = 19

TCSBRK: Final = 0x5409
TCXONC: Final = 0x540A
TCFLSH: Final = 0x540B
TIOCEXCL: Final = 0x540C
TIOCNXCL: Final = 0x540D
TIOCSCTTY: Final = 0x540E
TIOCGPGRP: Final = 0x540F
TIOCSPGRP: Final = 0x5410
TIOCOUTQ: Final = 0x5411
TIOCSTI: Final = 0x5412
TIOCGWINSZ: Final = 0x5413
TIOCSWINSZ: Final = 0x5414
FIONREAD: Final = 0x541B
TIOCPKT: Final = 0x5420
TIOCNOTTY: Final = 0x5422
TIOCGSID: Final = 0x5429
TCGETS2: Final = io_read(KIND, 0x2A, TERMIOS2)
TCSETS2: Final = io_write(KIND, 0x2B, TERMIOS2)
TCSETSW2: Final = io_write(KIND, 0x2C, TERMIOS2)
TCSETSF2: Final = io_write(KIND, 0x2D, TERMIOS2)
TIOCGPTN: Final = io_read(KIND, 0x30, INT)
TIOCSPTLCK: Final = io_write(KIND, 0x31, INT)
TIOCGDEV: Final = io_read(KIND, 0x32, INT)
TIOCVHANGUP: Final = 0x5437
TIOCGPKT: Final = io_read(KIND, 0x38, INT)
TIOCGPTLCK: Final = io_read(KIND, 0x39, INT)
TIOCGEXCL: Final = io_read(KIND, 0x40, INT)
TIOCGPTPEER: Final = io_none(KIND, 0x41)


class IFLAG(IntFlag):
    """``c_iflag``: what is done with input (``termios(3)``)."""

    IGNBRK = 1
    BRKINT = 2
    IGNPAR = 4
    PARMRK = 8
    INPCK = 0x10
    ISTRIP = 0x20
    INLCR = 0x40
    IGNCR = 0x80
    ICRNL = 0x100
    IUCLC = 0x200
    IXON = 0x400
    IXANY = 0x800
    IXOFF = 0x1000
    IMAXBEL = 0x2000
    IUTF8 = 0x4000


class OFLAG(IntFlag):
    """``c_oflag``: what is done with output (``termios(3)``); the delays are not listed."""

    OPOST = 1
    OLCUC = 2
    ONLCR = 4
    OCRNL = 8
    ONOCR = 0x10
    ONLRET = 0x20
    OFILL = 0x40
    OFDEL = 0x80


class CFLAG(IntFlag):
    """``c_cflag``: how a line works (``termios(3)``). ``CSIZE`` is the mask of CS5 to CS8.

    ``CBAUD`` is the mask of speeds; with ``BOTHER`` they are in the struct, as plain numbers.
    """

    CS5 = 0
    CS6 = 0x10
    CS7 = 0x20
    CS8 = 0x30
    CSIZE = 0x30
    CSTOPB = 0x40
    CREAD = 0x80
    PARENB = 0x100
    PARODD = 0x200
    HUPCL = 0x400
    CLOCAL = 0x800
    BOTHER = 0x1000
    CBAUD = 0x100F
    CIBAUD = 0x100F0000
    ADDRB = 0x20000000
    CMSPAR = 0x40000000
    CRTSCTS = 0x80000000


class LFLAG(IntFlag):
    """``c_lflag``: how a terminal talks with who uses it (``termios(3)``)."""

    ISIG = 1
    ICANON = 2
    XCASE = 4
    ECHO = 8
    ECHOE = 0x10
    ECHOK = 0x20
    ECHONL = 0x40
    NOFLSH = 0x80
    TOSTOP = 0x100
    ECHOCTL = 0x200
    ECHOPRT = 0x400
    ECHOKE = 0x800
    FLUSHO = 0x1000
    PENDIN = 0x4000
    IEXTEN = 0x8000
    EXTPROC = 0x10000


class TTY_CC(IntEnum):  # noqa: N801 - it is no name of C, but the names of its members are
    """Where each special character stands in ``Termios2.cc`` (``termios(3)``)."""

    VINTR = 0
    VQUIT = 1
    VERASE = 2
    VKILL = 3
    VEOF = 4
    VTIME = 5
    VMIN = 6
    VSWTC = 7
    VSTART = 8
    VSTOP = 9
    VSUSP = 10
    VEOL = 11
    VREPRINT = 12
    VDISCARD = 13
    VWERASE = 14
    VLNEXT = 15
    VEOL2 = 16


class TCSA(IntEnum):
    """``TCSA*``: when new attributes hold (``tcsetattr(3)``)."""

    NOW = 0
    DRAIN = 1
    FLUSH = 2


class TCFLUSH(IntEnum):
    """``TC*FLUSH``: what is thrown away (``tcflush(3)``)."""

    TCIFLUSH = 0
    TCOFLUSH = 1
    TCIOFLUSH = 2


class TCFLOW(IntEnum):
    """``TCO*``, ``TCI*``: what is stopped or goes on (``tcflow(3)``)."""

    TCOOFF = 0
    TCOON = 1
    TCIOFF = 2
    TCION = 3


@c_struct
class Termios2(CStruct):
    """``struct termios2``: the attributes of a terminal."""

    C_NAME: ClassVar = "struct termios2"
    C_HEADER: ClassVar = "asm/termbits.h"
    iflag: IFLAG = u32(IFLAG, c_name="c_iflag")
    oflag: OFLAG = u32(OFLAG, c_name="c_oflag")
    cflag: CFLAG = u32(CFLAG, c_name="c_cflag")
    lflag: LFLAG = u32(LFLAG, c_name="c_lflag")
    line: int = u8(c_name="c_line")
    cc: bytes = chars(NCCS, c_name="c_cc")
    ispeed: int = u32(c_name="c_ispeed")
    ospeed: int = u32(c_name="c_ospeed")


@c_struct
class Winsize(CStruct):
    """``struct winsize``: characters, and pixels."""

    C_NAME: ClassVar = "struct winsize"
    C_HEADER: ClassVar = "asm/termios.h"
    rows: int = u16(c_name="ws_row")
    columns: int = u16(c_name="ws_col")
    xpixel: int = u16(c_name="ws_xpixel")
    ypixel: int = u16(c_name="ws_ypixel")
