"""XattrCalls: extended attributes, by path. With ``dir_fd`` or flags they need Linux 6.13."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.passing import (
    PathLike,
    Text,
    borrowed,
    given,
    path_given,
    room,
    text_given,
)
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.fcntl_h import AT
from rsyscall_ns.near.abi.xattr_h import (
    XATTR,
    XATTR_LIST_MAX,
    XATTR_SIZE_MAX,
    XattrArgs,
    xattr_names,
)
from rsyscall_ns.near.calls import xattr as near_xattr
from rsyscall_ns.near.ids import Address
from rsyscall_ns.near.interface import SyscallInterface

from .fs_attributes import AttributeCalls

__all__ = ["XattrCalls"]

Place = Address | None
GetCall = Callable[[SyscallInterface, Place, Place, Place, int], Awaitable[int]]
SetCall = Callable[[SyscallInterface, Place, Place, Place, int, int], Awaitable[None]]
ListCall = Callable[[SyscallInterface, Place, Place, int], Awaitable[int]]


class XattrCalls(AttributeCalls):
    """Attributes with names of one's own (``xattr(7)``); ``l...``: a symbolic link's own.

    What can be relative to a directory has ``at`` in its name.
    """

    __slots__ = ()

    @overload
    async def getxattr(self, path: PathLike, name: Text) -> bytes: ...

    @overload
    async def getxattr(
        self, path: PathLike, name: Text, *, into: Pointer[bytes]
    ) -> Pointer[bytes]: ...

    async def getxattr(
        self, path: PathLike, name: Text, *, into: Pointer[bytes] | None = None
    ) -> bytes | Pointer[bytes]:
        """Return the value of an attribute. Consumes ``into``. ``getxattr(2)``."""
        return await self._get(near_xattr.getxattr, path, name, into)

    @overload
    async def lgetxattr(self, path: PathLike, name: Text) -> bytes: ...

    @overload
    async def lgetxattr(
        self, path: PathLike, name: Text, *, into: Pointer[bytes]
    ) -> Pointer[bytes]: ...

    async def lgetxattr(
        self, path: PathLike, name: Text, *, into: Pointer[bytes] | None = None
    ) -> bytes | Pointer[bytes]:
        """Return the value of an attribute. Consumes ``into``. ``lgetxattr(2)``."""
        return await self._get(near_xattr.lgetxattr, path, name, into)

    async def setxattr(
        self,
        path: PathLike,
        name: Text,
        value: bytes | Pointer[bytes],
        flags: XATTR = XATTR.NONE,
    ) -> None:
        """Set the value of an attribute. ``setxattr(2)``."""
        await self._set(near_xattr.setxattr, path, name, value, flags)

    async def lsetxattr(
        self,
        path: PathLike,
        name: Text,
        value: bytes | Pointer[bytes],
        flags: XATTR = XATTR.NONE,
    ) -> None:
        """Set the value of an attribute. ``lsetxattr(2)``."""
        await self._set(near_xattr.lsetxattr, path, name, value, flags)

    @overload
    async def listxattr(self, path: PathLike) -> list[str]: ...

    @overload
    async def listxattr(self, path: PathLike, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def listxattr(
        self, path: PathLike, *, into: Pointer[bytes] | None = None
    ) -> list[str] | Pointer[bytes]:
        """Return the names of the attributes. Consumes ``into``. ``listxattr(2)``."""
        return await self._list(near_xattr.listxattr, path, into)

    @overload
    async def llistxattr(self, path: PathLike) -> list[str]: ...

    @overload
    async def llistxattr(self, path: PathLike, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def llistxattr(
        self, path: PathLike, *, into: Pointer[bytes] | None = None
    ) -> list[str] | Pointer[bytes]:
        """Return the names of the attributes. Consumes ``into``. ``llistxattr(2)``."""
        return await self._list(near_xattr.llistxattr, path, into)

    async def removexattr(self, path: PathLike, name: Text) -> None:
        """Remove an attribute. ``removexattr(2)``."""
        task = self._task
        with path_given(task, path) as there, text_given(task, name) as called:
            await near_xattr.removexattr(task.sysif, there.address, called.address)

    async def lremovexattr(self, path: PathLike, name: Text) -> None:
        """Remove an attribute. ``lremovexattr(2)``."""
        task = self._task
        with path_given(task, path) as there, text_given(task, name) as called:
            await near_xattr.lremovexattr(task.sysif, there.address, called.address)

    @overload
    async def getxattrat(
        self, path: PathLike, name: Text, *, dir_fd: FileDescriptor | None = ..., flags: AT = ...
    ) -> bytes: ...

    @overload
    async def getxattrat(
        self,
        path: PathLike,
        name: Text,
        *,
        dir_fd: FileDescriptor | None = ...,
        flags: AT = ...,
        into: Pointer[bytes],
    ) -> Pointer[bytes]: ...

    async def getxattrat(
        self,
        path: PathLike,
        name: Text,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
        into: Pointer[bytes] | None = None,
    ) -> bytes | Pointer[bytes]:
        """Return the value of an attribute. Consumes ``into``. ``getxattrat(2)``."""
        task = self._task
        with (
            path_given(task, path) as there,
            text_given(task, name) as called,
            room(task, BYTES, into, XATTR_SIZE_MAX) as value,
            given(task, XattrArgs(value.address.value, value.size)) as args,
            borrowed(task, dir_fd) as directory,
        ):
            got = await near_xattr.getxattrat(
                task.sysif,
                directory,
                there.address,
                flags,
                called.address,
                args.address,
                args.size,
            )
            return value.result(got)

    async def setxattrat(
        self,
        path: PathLike,
        name: Text,
        value: bytes | Pointer[bytes],
        how: XATTR = XATTR.NONE,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
    ) -> None:
        """Set the value of an attribute. ``setxattrat(2)``."""
        task = self._task
        with (
            path_given(task, path) as there,
            text_given(task, name) as called,
            given(task, value) as content,
            borrowed(task, dir_fd) as directory,
        ):
            assert content.address is not None, "a value is never None"
            place = XattrArgs(content.address.value, content.size, how)
            with given(task, place) as args:
                await near_xattr.setxattrat(
                    task.sysif,
                    directory,
                    there.address,
                    flags,
                    called.address,
                    args.address,
                    args.size,
                )

    @overload
    async def listxattrat(
        self, path: PathLike, *, dir_fd: FileDescriptor | None = ..., flags: AT = ...
    ) -> list[str]: ...

    @overload
    async def listxattrat(
        self,
        path: PathLike,
        *,
        dir_fd: FileDescriptor | None = ...,
        flags: AT = ...,
        into: Pointer[bytes],
    ) -> Pointer[bytes]: ...

    async def listxattrat(
        self,
        path: PathLike,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
        into: Pointer[bytes] | None = None,
    ) -> list[str] | Pointer[bytes]:
        """Return the names of the attributes. Consumes ``into``. ``listxattrat(2)``."""
        task = self._task
        with (
            path_given(task, path) as there,
            room(task, BYTES, into, XATTR_LIST_MAX) as names,
            borrowed(task, dir_fd) as directory,
        ):
            got = await near_xattr.listxattrat(
                task.sysif, directory, there.address, flags, names.address, names.size
            )
            found = names.result(got)
        return found if isinstance(found, Pointer) else xattr_names(found)

    async def removexattrat(
        self,
        path: PathLike,
        name: Text,
        *,
        dir_fd: FileDescriptor | None = None,
        flags: AT = AT.NONE,
    ) -> None:
        """Remove an attribute. ``removexattrat(2)``."""
        task = self._task
        with (
            path_given(task, path) as there,
            text_given(task, name) as called,
            borrowed(task, dir_fd) as directory,
        ):
            await near_xattr.removexattrat(
                task.sysif, directory, there.address, flags, called.address
            )

    async def _get(
        self, call: GetCall, path: PathLike, name: Text, into: Pointer[bytes] | None
    ) -> bytes | Pointer[bytes]:
        task = self._task
        with (
            path_given(task, path) as there,
            text_given(task, name) as called,
            room(task, BYTES, into, XATTR_SIZE_MAX) as value,
        ):
            got = await call(task.sysif, there.address, called.address, value.address, value.size)
            return value.result(got)

    async def _set(
        self,
        call: SetCall,
        path: PathLike,
        name: Text,
        value: bytes | Pointer[bytes],
        flags: XATTR,
    ) -> None:
        task = self._task
        with (
            path_given(task, path) as there,
            text_given(task, name) as called,
            given(task, value) as content,
        ):
            await call(
                task.sysif, there.address, called.address, content.address, content.size, flags
            )

    async def _list(
        self, call: ListCall, path: PathLike, into: Pointer[bytes] | None
    ) -> list[str] | Pointer[bytes]:
        task = self._task
        with path_given(task, path) as there, room(task, BYTES, into, XATTR_LIST_MAX) as names:
            got = await call(task.sysif, there.address, names.address, names.size)
            found = names.result(got)
        return found if isinstance(found, Pointer) else xattr_names(found)
