"""Key: a key of the kernel, by its serial number.

A key is the kernel's: it lasts while a keyring has it, and a handle owns nothing of it. What may
be done with it depends on the task, by whose keyrings it is found or not (``keyrings(7)``). A
serial number means the same to all tasks: ``for_task`` needs no check.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, Self, final, overload

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.pointers.context import MemoryTask
from rsyscall_ns.handle.pointers.passing import Text, given, room, text_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.memory.serializers import BYTES, struct_of
from rsyscall_ns.near.abi.keyctl_h import (
    KEY_PERM,
    KEY_SPEC,
    KEYCTL,
    KEYCTL_MOVE,
    KeyctlPkeyParams,
    KeyctlPkeyQuery,
    KeyDescription,
)
from rsyscall_ns.near.calls import cred as near_cred
from rsyscall_ns.near.errors import RsyscallError
from rsyscall_ns.near.ids import Address, KeySerial, fit

from .key_calls import FIRST_ROOM, filled, key_words

__all__ = ["Key", "KeyHandle", "KeyKindError", "Keyring", "KeyringLike", "Payload", "ring_number"]

Payload = bytes | Pointer[bytes]
NOBODY: Final = -1  # an id that is left as it is
NO_WATCH: Final = -1
SERIAL: Final = struct.Struct("<i")
IOVEC: Final = struct.Struct("<QQ")


class KeyKindError(RsyscallError):
    """A key that is no keyring was to be used as one."""

    def __init__(self, key: object, kind: str) -> None:
        super().__init__(f"{key} is no keyring: its type is {kind!r}")


class KeyHandle:
    """What can be done with keys and keyrings; its two subclasses are final."""

    __slots__ = ("__weakref__", "_near", "task")

    def __init__(self, task: MemoryTask, near_id: KeySerial) -> None:
        """Refer to a key, as the task uses it."""
        self.task = task
        self._near = near_id

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._near.number:#x}, {self.task!r})"

    @property
    def near(self) -> KeySerial:
        """The serial number."""
        return self._near

    def for_task(self, task: MemoryTask) -> Self:
        """Return a handle of the same key, as another task uses it."""
        return type(self)(task, self._near)

    async def _do(self, op: KEYCTL, *args: int | Address | None) -> int:
        return await self._keyctl(op, self._near.number, *args)

    async def _keyctl(self, op: KEYCTL, *args: int | Address | None) -> int:
        return await near_cred.keyctl(self.task.sysif, op, *key_words(*args))

    async def revoke(self) -> None:
        """Make the key useless for all, with EKEYREVOKED. KEYCTL_REVOKE, ``keyctl(2)``."""
        await self._do(KEYCTL.REVOKE)

    async def invalidate(self) -> None:
        """Make the key useless at once, and have it collected. KEYCTL_INVALIDATE, ``keyctl(2)``."""
        await self._do(KEYCTL.INVALIDATE)

    async def chown(self, uid: int | None = None, gid: int | None = None) -> None:
        """Give the key to another user or group; None: as it is. KEYCTL_CHOWN, ``keyctl(2)``."""
        ids = [NOBODY if one is None else fit("id", one, 0, 2**32 - 2) for one in (uid, gid)]
        await self._do(KEYCTL.CHOWN, *ids)

    async def setperm(self, perm: KEY_PERM) -> None:
        """Set what who may do with the key. KEYCTL_SETPERM, ``keyctl(2)``."""
        await self._do(KEYCTL.SETPERM, perm)

    async def set_timeout(self, seconds: int) -> None:
        """Have the key expire after a time; 0: never. KEYCTL_SET_TIMEOUT, ``keyctl(2)``."""
        await self._do(KEYCTL.SET_TIMEOUT, fit("seconds", seconds, 0, 2**32 - 1))

    @overload
    async def describe(self) -> KeyDescription: ...

    @overload
    async def describe(self, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def describe(self, into: Pointer[bytes] | None = None) -> KeyDescription | Pointer[bytes]:
        """Return type, owner, permissions and description. KEYCTL_DESCRIBE, ``keyctl(2)``.

        ``into``: is filled with the text that the kernel makes of them, and consumed; the result
        has it.
        """
        told = await self._filled(KEYCTL.DESCRIBE, "the description of a key", into)
        return told if isinstance(told, Pointer) else KeyDescription.unpack(told)

    @overload
    async def get_security(self) -> bytes: ...

    @overload
    async def get_security(self, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def get_security(self, into: Pointer[bytes] | None = None) -> bytes | Pointer[bytes]:
        """Return the key's security label, without the NUL at its end; empty where there is none.

        ``into`` is as with ``read``, with the NUL. KEYCTL_GET_SECURITY, ``keyctl(2)``.
        """
        told = await self._filled(KEYCTL.GET_SECURITY, "the label of a key", into)
        return told if isinstance(told, Pointer) else told.removesuffix(b"\0")

    @overload
    async def read(self) -> bytes: ...

    @overload
    async def read(self, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def read(self, into: Pointer[bytes] | None = None) -> bytes | Pointer[bytes]:
        """Return what is in the key; of a keyring the serial numbers. KEYCTL_READ, ``keyctl(2)``.

        ``into``: is filled and consumed; the result has what was filled, the rest is freed.
        """
        return await self._filled(KEYCTL.READ, "the content of a key", into)

    async def _filled(
        self, op: KEYCTL, what: str, into: Pointer[bytes] | None
    ) -> bytes | Pointer[bytes]:
        async def call(address: Address, size: int) -> int:
            return await self._do(op, address, size)

        return await filled(self.task, what, call, into)

    async def link(self, keyring: KeyringLike) -> None:
        """Put the key into a keyring, in place of one of its type and description there.

        KEYCTL_LINK, ``keyctl(2)``.
        """
        await self._do(KEYCTL.LINK, ring_number(keyring))

    async def unlink(self, keyring: KeyringLike) -> None:
        """Take the key out of a keyring; without any it is gone. KEYCTL_UNLINK, ``keyctl(2)``."""
        await self._do(KEYCTL.UNLINK, ring_number(keyring))

    async def move(
        self, source: KeyringLike, target: KeyringLike, flags: KEYCTL_MOVE = KEYCTL_MOVE.NONE
    ) -> None:
        """Move the key from one keyring to another. KEYCTL_MOVE, ``keyctl(2)``, Linux 5.3."""
        await self._do(KEYCTL.MOVE, ring_number(source), ring_number(target), flags)

    async def watch_key(self, pipe: FileDescriptor, watch_id: int | None) -> None:
        """Have changes told through a notification pipe, marked 0 to 255; None ends that.

        KEYCTL_WATCH_KEY, ``keyctl(2)``, Linux 5.8.
        """
        mark = NO_WATCH if watch_id is None else fit("watch_id", watch_id, 0, 255)
        with pipe.borrow(self.task) as near_pipe:
            await self._do(KEYCTL.WATCH_KEY, near_pipe.number, mark)


@final
class Key(KeyHandle):
    """A key; ``task.keys.add_key`` and ``request_key`` give one."""

    __slots__ = ()

    async def as_keyring(self) -> Keyring:
        """Return the key as a keyring, checked; another one raises KeyKindError."""
        kind = (await self.describe()).type
        if kind != "keyring":
            raise KeyKindError(self, kind)
        return Keyring(self.task, self._near)

    async def update(self, payload: Payload) -> None:
        """Put something else into the key. KEYCTL_UPDATE, ``keyctl(2)``."""
        with given(self.task, payload) as there:
            await self._do(KEYCTL.UPDATE, there.address, there.size)

    # for the program that the kernel has started to make a key (``request-key(8)``)

    async def instantiate(self, payload: Payload, keyring: KeyringLike | None = None) -> None:
        """Give a key that is asked for its content. KEYCTL_INSTANTIATE, ``keyctl(2)``."""
        with given(self.task, payload) as there:
            await self._do(KEYCTL.INSTANTIATE, there.address, there.size, ring_number(keyring))

    async def instantiate_iov(
        self, payload: Sequence[Payload], keyring: KeyringLike | None = None
    ) -> None:
        """As ``instantiate``, with content in pieces. KEYCTL_INSTANTIATE_IOV, ``keyctl(2)``."""
        with ExitStack() as stack:
            pieces = [stack.enter_context(given(self.task, one)) for one in payload]
            places = [
                IOVEC.pack(one.address.value if one.address else 0, one.size) for one in pieces
            ]
            vector = stack.enter_context(given(self.task, b"".join(places)))
            await self._do(
                KEYCTL.INSTANTIATE_IOV, vector.address, len(pieces), ring_number(keyring)
            )

    async def negate(self, seconds: int, keyring: KeyringLike | None = None) -> None:
        """Say that there is no such key, for a time: ENOKEY. KEYCTL_NEGATE, ``keyctl(2)``."""
        await self._do(KEYCTL.NEGATE, fit("seconds", seconds, 0, 2**32 - 1), ring_number(keyring))

    async def reject(self, seconds: int, error: int, keyring: KeyringLike | None = None) -> None:
        """Have who asks for the key get this errno, for a time. KEYCTL_REJECT, ``keyctl(2)``."""
        await self._do(
            KEYCTL.REJECT,
            fit("seconds", seconds, 0, 2**32 - 1),
            fit("error", error, 1, 4095),
            ring_number(keyring),
        )

    # asymmetric keys; ``info``: such as "enc=pkcs1 hash=sha256"

    @overload
    async def pkey_query(self, info: Text = ...) -> KeyctlPkeyQuery: ...

    @overload
    async def pkey_query(
        self, info: Text, into: Pointer[KeyctlPkeyQuery]
    ) -> Pointer[KeyctlPkeyQuery]: ...

    async def pkey_query(
        self, info: Text = "", into: Pointer[KeyctlPkeyQuery] | None = None
    ) -> KeyctlPkeyQuery | Pointer[KeyctlPkeyQuery]:
        """Return what an asymmetric key can do. KEYCTL_PKEY_QUERY, ``keyctl(2)``, Linux 4.20."""
        task = self.task
        with text_given(task, info) as how, room(task, struct_of(KeyctlPkeyQuery), into) as there:
            await self._do(KEYCTL.PKEY_QUERY, 0, how.address, there.address)
            return there.result()

    @overload
    async def pkey_encrypt(self, data: Payload, info: Text = ...) -> bytes: ...

    @overload
    async def pkey_encrypt(
        self, data: Payload, info: Text, into: Pointer[bytes]
    ) -> Pointer[bytes]: ...

    async def pkey_encrypt(
        self, data: Payload, info: Text = "", into: Pointer[bytes] | None = None
    ) -> bytes | Pointer[bytes]:
        """Return data as encrypted by the public key. KEYCTL_PKEY_ENCRYPT, ``keyctl(2)``.

        ``into``: is filled and consumed; the result has what was filled.
        """
        return await self._pkey(KEYCTL.PKEY_ENCRYPT, data, info, into)

    @overload
    async def pkey_decrypt(self, data: Payload, info: Text = ...) -> bytes: ...

    @overload
    async def pkey_decrypt(
        self, data: Payload, info: Text, into: Pointer[bytes]
    ) -> Pointer[bytes]: ...

    async def pkey_decrypt(
        self, data: Payload, info: Text = "", into: Pointer[bytes] | None = None
    ) -> bytes | Pointer[bytes]:
        """Return what was encrypted; of a private key. KEYCTL_PKEY_DECRYPT, ``keyctl(2)``."""
        return await self._pkey(KEYCTL.PKEY_DECRYPT, data, info, into)

    @overload
    async def pkey_sign(self, data: Payload, info: Text = ...) -> bytes: ...

    @overload
    async def pkey_sign(
        self, data: Payload, info: Text, into: Pointer[bytes]
    ) -> Pointer[bytes]: ...

    async def pkey_sign(
        self, data: Payload, info: Text = "", into: Pointer[bytes] | None = None
    ) -> bytes | Pointer[bytes]:
        """Return a signature of a hash; of a private key. KEYCTL_PKEY_SIGN, ``keyctl(2)``."""
        return await self._pkey(KEYCTL.PKEY_SIGN, data, info, into)

    async def pkey_verify(self, data: Payload, signature: Payload, info: Text = "") -> None:
        """Check a signature of a hash; EKEYREJECTED if it is wrong.

        KEYCTL_PKEY_VERIFY, ``keyctl(2)``.
        """
        task = self.task
        with (
            given(task, data) as what,
            given(task, signature) as mark,
            text_given(task, info) as how,
            given(task, KeyctlPkeyParams(self._near.number, what.size, mark.size)) as params,
        ):
            await self._keyctl(
                KEYCTL.PKEY_VERIFY, params.address, how.address, what.address, mark.address
            )

    async def _pkey(
        self, op: KEYCTL, data: Payload, info: Text, into: Pointer[bytes] | None
    ) -> bytes | Pointer[bytes]:
        task = self.task
        most = FIRST_ROOM if into is not None else await self._room_for(info)
        with (
            given(task, data) as what,
            text_given(task, info) as how,
            room(task, BYTES, into, most) as there,
            given(task, KeyctlPkeyParams(self._near.number, what.size, there.size)) as params,
        ):
            got = await self._keyctl(op, params.address, how.address, what.address, there.address)
            return there.result(got)

    async def _room_for(self, info: Text) -> int:
        told = await self.pkey_query(info)
        return max(told.max_data_size, told.max_sig_size, told.max_enc_size, told.max_dec_size)


@final
class Keyring(KeyHandle):
    """A key that has others in it; ``task.keys.get_keyring_id`` and ``add_keyring`` give one."""

    __slots__ = ()

    async def keys(self) -> list[Key]:
        """Return what is in the keyring; of keyrings too (``Key.as_keyring``) only the first level.

        KEYCTL_READ, ``keyctl(2)``.
        """
        return [
            Key(self.task, KeySerial(number)) for (number,) in SERIAL.iter_unpack(await self.read())
        ]

    async def clear(self) -> None:
        """Take all keys out of the keyring. KEYCTL_CLEAR, ``keyctl(2)``."""
        await self._do(KEYCTL.CLEAR)

    async def search(
        self,
        type: Text,  # noqa: A002 - the page's own name
        description: Text,
        into: KeyringLike | None = None,
    ) -> Key:
        """Find a key here and in the keyrings below, and link it into another if one is given.

        KEYCTL_SEARCH, ``keyctl(2)``.
        """
        task = self.task
        with text_given(task, type) as kind, text_given(task, description) as name:
            found = await self._do(KEYCTL.SEARCH, kind.address, name.address, ring_number(into))
        return Key(task, KeySerial(found))

    async def restrict_keyring(
        self,
        type: Text | None = None,  # noqa: A002 - as above
        restriction: Text | None = None,
    ) -> None:
        """Forbid for good what the restriction says to link; without a type, all.

        KEYCTL_RESTRICT_KEYRING, ``keyctl(2)``, Linux 4.12.
        """
        task = self.task
        with ExitStack() as stack:
            places = [
                None if text is None else stack.enter_context(text_given(task, text)).address
                for text in (type, restriction)
            ]
            await self._do(KEYCTL.RESTRICT_KEYRING, *places)


KeyringLike = Keyring | KEY_SPEC


def ring_number(keyring: KeyringLike | None) -> int:
    """Return a keyring as the kernel takes it; None is none."""
    if keyring is None:
        return 0
    return int(keyring) if isinstance(keyring, KEY_SPEC) else keyring.near.number
