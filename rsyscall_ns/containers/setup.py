"""Setup: what a child makes of itself before it becomes the command, as a program.

Two parts, as a hook may come between them: names and ids; then session, mounts and directories.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final, final

from attrs import frozen

from rsyscall_ns.handle.program import Program
from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD, O
from rsyscall_ns.near.abi.if_h import IFF, SIOC, IfreqFlags
from rsyscall_ns.near.abi.openat2_h import RESOLVE, OpenHow
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.signal_h import SIG
from rsyscall_ns.near.abi.socket_h import AF, SOCK
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Ref

from .confinement import NOTHING_TAKEN, Confinement
from .errors import ContainerSetupError, RootMissingError, WorkdirError
from .mounts.compile import Looked, append_mounts

__all__ = ["Ids", "Setup"]

LOOPBACK: Final = IfreqFlags(b"lo", IFF.UP).pack()
WORKDIR: Final = OpenHow(O.PATH | O.DIRECTORY | O.CLOEXEC, 0, RESOLVE.NO_MAGICLINKS).pack()


@frozen
class Ids:
    """Who to become, in a user namespace where nobody is mapped to what we are."""

    uid: int
    gid: int
    setgroups: bool  # whether it is allowed there


def blamed(what: str) -> Callable[[int, str], OSError]:
    """Return what names a step in its error."""

    def blame(number: int, text: str) -> OSError:
        return ContainerSetupError(what, number, text)

    return blame


@final
@frozen
class Setup:
    """All that is to be done, checked. ``program`` makes steps of it."""

    hostname: bytes | None = None
    loopback: bool = False
    ids: Ids | None = None
    session: bool = False
    mounts: tuple[Looked, ...] = ()
    chroot: str | None = None
    workdir: str | None = None
    in_user_namespace: bool = False
    confinement: Confinement = NOTHING_TAKEN

    def append_names(self, program: Program) -> None:
        """Append the first part: host name, loopback, ids."""
        call = program.call
        if self.hostname is not None:
            program.blame(blamed("host name"))
            call(SYS.sethostname, program.room(self.hostname), len(self.hostname))
        if self.loopback:
            program.blame(blamed("loopback interface"))
            socket = call(SYS.socket, AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0)
            call(SYS.ioctl, socket, SIOC.SIFFLAGS, program.room(LOOPBACK))
            call(SYS.close, socket)
        if self.ids is not None:
            program.blame(blamed("ids in the user namespace"))
            uid, gid = self.ids.uid, self.ids.gid
            if self.ids.setgroups:
                call(SYS.setgroups, 0, 0)
            call(SYS.setresgid, gid, gid, gid)
            call(SYS.setresuid, uid, uid, uid)
            # a change of ids has cleared it
            call(SYS.prctl, PR.SET_PDEATHSIG, SIG.KILL)

    def append_places(
        self, program: Program, given: Mapping[object, Ref], *, old: bool = False
    ) -> None:
        """Append the second part: session, mounts, root, working directory, what is taken.

        ``old``: by mount(2).
        """
        call = program.call
        if self.session:
            program.blame(blamed("session"))
            call(SYS.setsid, must_succeed=False)  # fails where this is done once more
            call(SYS.prctl, PR.SET_PDEATHSIG, 0)
        if self.mounts:
            append_mounts(
                program, self.mounts, given, in_user_namespace=self.in_user_namespace, old=old
            )
        if self.chroot is not None:
            self._append_chroot(program, self.chroot)
        if self.workdir is not None:
            path = self.workdir

            def blame(number: int, text: str) -> OSError:
                return WorkdirError(path, number, text)

            program.blame(blame)
            how = program.room(WORKDIR)
            place = call(SYS.openat2, AT_FDCWD, program.room(os.fsencode(path)), how, len(WORKDIR))
            call(SYS.fchdir, place)
        self.confinement.append(program)

    @staticmethod
    def _append_chroot(program: Program, path: str) -> None:
        def blame(number: int, text: str) -> OSError:
            if number in RootMissingError.NUMBERS:
                return RootMissingError(path, number)
            return ContainerSetupError(f"root {path!r}", number, text)

        program.blame(blame)
        flags = O.PATH | O.DIRECTORY | O.CLOEXEC
        place = program.call(SYS.openat, AT_FDCWD, program.room(os.fsencode(path)), flags, 0)
        program.call(SYS.fchdir, place)
        program.call(SYS.chroot, program.room(b"."))
        program.call(SYS.chdir, program.room(b"/"))
