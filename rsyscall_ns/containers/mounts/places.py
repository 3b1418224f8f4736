"""Places: the base of both ways to mount, and how places below the root are reached.

A mount is made first, then put onto a target that is reached by fd: below the root, no symbolic
link may lead out of it, and none is looked up twice. Knows no descriptions.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from stat import S_IFREG
from typing import Final

from attrs import define

from rsyscall_ns.containers.errors import ContainerSetupError, MountError
from rsyscall_ns.handle.program import Program
from rsyscall_ns.near.abi.fcntl_h import AT_FDCWD, O
from rsyscall_ns.near.abi.mount_h import MOUNT_ATTR, MS, UMOUNT
from rsyscall_ns.near.abi.openat2_h import RESOLVE, OpenHow
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.program import Ref, Region

__all__ = ["DIRECTORY_MODE", "FILE_MODE", "Made", "Options", "Places"]

DIRECTORY_MODE: Final = 0o755
FILE_MODE: Final = S_IFREG | 0o644
INSIDE: Final = RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS
FAKED: Final = {"dev", "proc", "sys"}  # what programs trust: no symbolic link at all leads there
Options = Sequence[tuple[str, str | None]]


def how(flags: O, resolve: RESOLVE) -> bytes:
    """Return the struct for openat2."""
    return OpenHow(flags | O.CLOEXEC, 0, resolve).pack()


@define
class Made:
    """A mount on its way. ``ref``: its fd, as soon as there is one.

    The rest is for ``mount(2)``, which makes it where it is put.
    """

    ref: Ref | None = None
    kind: str = ""
    options: str = ""
    flags: MS = MS.NONE
    source: Ref | None = None  # an fd of what is bound
    changes: MS = MS.NONE  # for when it is bound

    @property
    def fd(self) -> Ref:
        """Its fd."""
        assert self.ref is not None, "it is mounted nowhere"
        return self.ref


class Places:
    """Appends steps to a program. ``root``: the fd below which the targets are.

    ``given``: mounts that were made beforehand, by their descriptions.
    """

    __slots__ = (
        "_made",
        "_regions",
        "current",
        "given",
        "in_user_namespace",
        "makes_targets",
        "program",
        "root",
    )

    def __init__(
        self, program: Program, given: Mapping[object, Ref], *, in_user_namespace: bool
    ) -> None:
        self.program = program
        self.given = given
        self.current: object = None  # the description that steps are appended for
        self.in_user_namespace = in_user_namespace
        self.root: Ref | None = None
        self.makes_targets = False  # else they must be there
        self._made: set[str] = set()  # places that are there for sure, or were made
        self._regions: dict[bytes, Region] = {}

    def text(self, value: str | bytes) -> Region:
        """Have a string, or a struct, in memory: once, however often it is used."""
        data = os.fsencode(value)
        if data not in self._regions:
            self._regions[data] = self.program.room(data)  # a NUL is behind it
        return self._regions[data]

    @contextmanager
    def blamed(self, mount: object, path: str) -> Generator[None]:
        """Name a description, and a path, in the errors of the steps that are appended."""

        def blame(number: int, text: str) -> MountError:
            return MountError(mount, number, text, path)

        self.current = mount
        self.program.blame(blame)
        yield
        self.program.blame(unexpected)

    # what is mounted: in two ways

    def tree(self, path: str, *, recursive: bool) -> Made:
        """Make a copy of the mount of a file or directory, as the host has it."""
        raise NotImplementedError

    def filesystem(
        self, kind: str, options: Options = (), attributes: MOUNT_ATTR = MOUNT_ATTR.RELATIME
    ) -> Made:
        """Make a new file system; an option without a value is a flag."""
        raise NotImplementedError

    def set_attributes(self, mount: Made, change: MOUNT_ATTR, *, recursive: bool) -> None:
        """Add attributes to a mount, and to those below it."""
        raise NotImplementedError

    def put(self, mount: Made, target: Ref) -> None:
        """Put a mount onto an fd."""
        raise NotImplementedError

    def cover(self, mount: Made) -> None:
        """Put the new root over the old one, which still is what paths begin at."""
        raise NotImplementedError

    def look_again(self, mount: Made, path: str, *, directory: bool) -> None:
        """See to what can be done only when it is mounted."""

    # where

    def put_at(self, mount: Made, path: str, *, directory: bool) -> None:
        """Put a mount onto a place below the root, which is made if it may be."""
        target = self.place(path, directory=directory)
        self.put(mount, target)
        self.program.call(SYS.close, target)
        self.look_again(mount, path, directory=directory)
        # what was below is covered now
        self._made = {made for made in self._made if not made.startswith(path + "/")} | {path}

    def place(self, path: str, *, directory: bool, make: bool = True) -> Ref:
        """Return an fd of a place below the root."""
        assert self.root is not None
        inner = path.strip("/")
        resolve = INSIDE
        if inner.split("/", 1)[0] in FAKED:
            resolve |= RESOLVE.NO_SYMLINKS
        if self.makes_targets and make:
            self._make(inner, resolve, directory=directory)
        flags = O.PATH | O.DIRECTORY if directory else O.PATH
        given = how(flags, resolve)
        return self.program.call(
            SYS.openat2, self.root, self.text(inner), self.text(given), len(given)
        )

    def _make(self, inner: str, resolve: RESOLVE, *, directory: bool) -> None:
        """Make a place and all above it, where they are not; it is seen later if that fails."""
        assert self.root is not None
        parts = inner.split("/")
        call = self.program.call
        for count in range(1, len(parts) + 1):
            path = "/" + "/".join(parts[:count])
            if path in self._made:
                continue
            self._made.add(path)
            above = self.root
            if count > 1:
                given = how(O.PATH | O.DIRECTORY, resolve)
                parent = self.text("/".join(parts[: count - 1]))
                above = call(SYS.openat2, self.root, parent, self.text(given), len(given))
            name = self.text(parts[count - 1])
            if directory or count < len(parts):
                call(SYS.mkdirat, above, name, DIRECTORY_MODE, must_succeed=False)
            else:
                call(SYS.mknodat, above, name, FILE_MODE, 0, must_succeed=False)
            if count > 1:
                call(SYS.close, above)

    # the root

    def stay(self) -> None:
        """MountDescription onto the files that are there; nothing is made among them."""
        flags = O.PATH | O.DIRECTORY | O.CLOEXEC
        self.root = self.program.call(SYS.openat, AT_FDCWD, self.text("/"), flags, 0)

    def enter(self) -> None:
        """Make the new root the root, and leave the old one: nothing of it can be reached."""
        assert self.root is not None
        here, call = self.text("."), self.program.call
        self.program.blame(unexpected)
        call(SYS.fchdir, self.root)
        call(SYS.pivot_root, here, here)
        call(SYS.umount2, here, UMOUNT.DETACH)
        call(SYS.chdir, self.text("/"))


def unexpected(number: int, text: str) -> ContainerSetupError:
    """Name what no description is to blame for."""
    return ContainerSetupError("the root of a container", number, text)
