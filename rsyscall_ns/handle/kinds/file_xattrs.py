"""XattrFD: the extended attributes of a file."""

from __future__ import annotations

from typing import overload

from rsyscall_ns.handle.pointers.passing import Text, given, room, text_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.xattr_h import XATTR, XATTR_LIST_MAX, XATTR_SIZE_MAX, xattr_names
from rsyscall_ns.near.calls import xattr as near_xattr

from .file_attributes import AttributesFD

__all__ = ["XattrFD"]


class XattrFD(AttributesFD):
    """An fd of a file that has attributes with names of one's own (``xattr(7)``)."""

    __slots__ = ()

    @overload
    async def fgetxattr(self, name: Text) -> bytes: ...

    @overload
    async def fgetxattr(self, name: Text, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def fgetxattr(
        self, name: Text, *, into: Pointer[bytes] | None = None
    ) -> bytes | Pointer[bytes]:
        """Return the value of an attribute. Consumes ``into``. ``fgetxattr(2)``."""
        task = self.task
        with (
            text_given(task, name) as called,
            room(task, BYTES, into, XATTR_SIZE_MAX) as there,
            self.borrow() as near_id,
        ):
            got = await near_xattr.fgetxattr(
                task.sysif, near_id, called.address, there.address, there.size
            )
            return there.result(got)

    async def fsetxattr(
        self, name: Text, value: bytes | Pointer[bytes], flags: XATTR = XATTR.NONE
    ) -> None:
        """Set the value of an attribute. ``fsetxattr(2)``."""
        task = self.task
        with (
            text_given(task, name) as called,
            given(task, value) as there,
            self.borrow() as near_id,
        ):
            await near_xattr.fsetxattr(
                task.sysif, near_id, called.address, there.address, there.size, flags
            )

    @overload
    async def flistxattr(self) -> list[str]: ...

    @overload
    async def flistxattr(self, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def flistxattr(self, *, into: Pointer[bytes] | None = None) -> list[str] | Pointer[bytes]:
        """Return the names of the attributes. Consumes ``into``. ``flistxattr(2)``."""
        task = self.task
        with room(task, BYTES, into, XATTR_LIST_MAX) as there, self.borrow() as near_id:
            got = await near_xattr.flistxattr(task.sysif, near_id, there.address, there.size)
            found = there.result(got)
        return found if isinstance(found, Pointer) else xattr_names(found)

    async def fremovexattr(self, name: Text) -> None:
        """Remove an attribute. ``fremovexattr(2)``."""
        with text_given(self.task, name) as called, self.borrow() as near_id:
            await near_xattr.fremovexattr(self.task.sysif, near_id, called.address)
