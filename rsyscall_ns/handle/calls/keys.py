"""``task.keys``: making and finding keys of the kernel."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Final, final, overload

from rsyscall_ns.handle.confining import gave_up, in_child
from rsyscall_ns.handle.objects.key_calls import filled, key_words
from rsyscall_ns.handle.objects.keys import (
    Key,
    KeyHandle,
    Keyring,
    KeyringLike,
    Payload,
    ring_number,
)
from rsyscall_ns.handle.pointers.context import LARGEST, MemoryTask
from rsyscall_ns.handle.pointers.passing import Text, given, room, text_given
from rsyscall_ns.handle.pointers.pointer import Pointer
from rsyscall_ns.handle.waiting import BlocksLoopError
from rsyscall_ns.memory.serializers import BYTES
from rsyscall_ns.near.abi.keyctl_h import (
    KEY_REQKEY_DEFL,
    KEY_SPEC,
    KEYCTL,
    KEYCTL_CAPS,
    KeyctlDhParams,
    KeyctlKdfParams,
)
from rsyscall_ns.near.calls import cred as near_cred
from rsyscall_ns.near.ids import Address, KeySerial, fit

__all__ = ["Keys"]

OWN_UID: Final = -1
CAPABILITIES: Final = 8  # bytes, of which the kernel fills those that it knows


@final
class Keys:
    """System calls on keys: tokens and secrets that the kernel keeps for processes.

    ``keyring`` is a ``Keyring``, or one of those that each process has: ``KEY_SPEC``.
    """

    __slots__ = ("_task",)

    def __init__(self, task: MemoryTask) -> None:
        self._task = task

    async def _keyctl(self, op: KEYCTL, *args: int | Address | None) -> int:
        return await near_cred.keyctl(self._task.sysif, op, *key_words(*args))

    async def add_key(
        self,
        type: Text,  # noqa: A002 - the page's own name
        description: Text,
        payload: Payload,
        keyring: KeyringLike,
    ) -> Key:
        """Add a key to a keyring, or put the payload into the one that it has. ``add_key(2)``.

        ``type``: "user", "logon", "big_key", "asymmetric" ...; keyrings are ``add_keyring``'s.
        """
        task = self._task
        with (
            text_given(task, type) as kind,
            text_given(task, description) as name,
            given(task, payload) as content,
        ):
            made = await near_cred.add_key(
                task.sysif,
                kind.address,
                name.address,
                content.address if content.size else None,
                content.size,
                ring_number(keyring),
            )
        return Key(task, KeySerial(made))

    async def add_keyring(self, description: Text, keyring: KeyringLike) -> Keyring:
        """Add an empty keyring to a keyring; it replaces one of that description there.

        ``add_key(2)``.
        """
        made = await self.add_key("keyring", description, b"", keyring)
        return Keyring(self._task, made.near)

    async def request_key(
        self,
        type: Text,  # noqa: A002 - the page's own name
        description: Text,
        callout_info: Text | None = None,
        keyring: KeyringLike | None = None,
    ) -> Key:
        """Find a key in the keyrings of the task, and link it into one if given.

        ``callout_info``: has a program make one that is not there, and waits for it, which only
        a child may; a cancel waits for the program. ``request_key(2)``.
        """
        task = self._task
        if callout_info is not None and task.sysif.same_thread:
            raise BlocksLoopError("request_key with callout_info")
        with ExitStack() as stack:
            kind, name, callout = (
                None if text is None else stack.enter_context(text_given(task, text)).address
                for text in (type, description, callout_info)
            )
            found = await near_cred.request_key(
                task.sysif, kind, name, callout, ring_number(keyring)
            )
        return Key(task, KeySerial(found))

    async def get_keyring_id(self, keyring: KEY_SPEC, *, create: bool = False) -> Keyring:
        """Return a keyring of the task's own, by its number; makes it with ``create``.

        KEYCTL_GET_KEYRING_ID, ``keyctl(2)``.
        """
        found = await self._keyctl(KEYCTL.GET_KEYRING_ID, keyring, create)
        return Keyring(self._task, KeySerial(found))

    async def join_session_keyring(
        self, name: Text | None = None, *, for_good: bool = False
    ) -> Keyring:
        """Change to the session keyring of a name, or to a new one without a name.

        In the interpreter's own task only if ``for_good`` says so: the old one can't be joined
        again. KEYCTL_JOIN_SESSION_KEYRING, ``keyctl(2)``.
        """
        task = self._task
        in_child(task, "join_session_keyring", for_good=for_good)
        with ExitStack() as stack:
            at = None if name is None else stack.enter_context(text_given(task, name)).address
            made = await self._keyctl(KEYCTL.JOIN_SESSION_KEYRING, at)
        gave_up(task)
        return Keyring(task, KeySerial(made))

    async def session_to_parent(self, *, for_good: bool = False) -> None:
        """Give the parent process the task's session keyring, in place of its own.

        The parent must have the same ids and one thread. In the interpreter's own task only if
        ``for_good`` says so. KEYCTL_SESSION_TO_PARENT, ``keyctl(2)``.
        """
        in_child(self._task, "session_to_parent", for_good=for_good)
        await self._keyctl(KEYCTL.SESSION_TO_PARENT)

    async def set_reqkey_keyring(self, target: KEY_REQKEY_DEFL) -> KEY_REQKEY_DEFL:
        """Set where keys go that are made on request; returns where they went.

        ``NO_CHANGE`` only tells. KEYCTL_SET_REQKEY_KEYRING, ``keyctl(2)``.
        """
        return KEY_REQKEY_DEFL(await self._keyctl(KEYCTL.SET_REQKEY_KEYRING, target))

    async def assume_authority(self, key: KeyHandle | None) -> None:
        """Act for whoever asks for this key, while it is made; None ends that.

        KEYCTL_ASSUME_AUTHORITY, ``keyctl(2)``.
        """
        number = 0 if key is None else key.near.number
        await self._keyctl(KEYCTL.ASSUME_AUTHORITY, number)

    async def get_persistent(self, keyring: KeyringLike, uid: int | None = None) -> Keyring:
        """Link the keyring of a user that outlives logins into a keyring; None: one's own.

        KEYCTL_GET_PERSISTENT, ``keyctl(2)``, Linux 3.13.
        """
        user = OWN_UID if uid is None else fit("uid", uid, 0, 2**32 - 2)
        found = await self._keyctl(KEYCTL.GET_PERSISTENT, user, ring_number(keyring))
        return Keyring(self._task, KeySerial(found))

    @overload
    async def capabilities(self) -> KEYCTL_CAPS: ...

    @overload
    async def capabilities(self, *, into: Pointer[bytes]) -> Pointer[bytes]: ...

    async def capabilities(
        self, *, into: Pointer[bytes] | None = None
    ) -> KEYCTL_CAPS | Pointer[bytes]:
        """Return what the kernel has of keys. KEYCTL_CAPABILITIES, ``keyctl(2)``, Linux 5.3.

        ``into`` is consumed: the part that was filled is returned.
        """
        with room(self._task, BYTES, into, CAPABILITIES) as there:
            got = await self._keyctl(KEYCTL.CAPABILITIES, there.address, there.size)
            found = there.result(min(got, there.size))
        return found if isinstance(found, Pointer) else KEYCTL_CAPS(int.from_bytes(found, "little"))

    @overload
    async def dh_compute(
        self,
        private: KeyHandle,
        prime: KeyHandle,
        base: KeyHandle,
        *,
        hashname: Text | None = ...,
        otherinfo: Payload = ...,
        size: int | None = ...,
    ) -> bytes: ...

    @overload
    async def dh_compute(
        self,
        private: KeyHandle,
        prime: KeyHandle,
        base: KeyHandle,
        *,
        hashname: Text | None = ...,
        otherinfo: Payload = ...,
        size: Pointer[bytes],
    ) -> Pointer[bytes]: ...

    async def dh_compute(
        self,
        private: KeyHandle,
        prime: KeyHandle,
        base: KeyHandle,
        *,
        hashname: Text | None = None,
        otherinfo: Payload = b"",
        size: int | Pointer[bytes] | None = None,
    ) -> bytes | Pointer[bytes]:
        """Compute a Diffie-Hellman secret of three keys' contents, big-endian.

        ``hashname``: derives ``size`` bytes from it, and from ``otherinfo``. A pointer is filled
        and consumed; the result has what was filled. KEYCTL_DH_COMPUTE, ``keyctl(2)``, Linux
        4.7, with a hash 4.12.
        """
        task = self._task
        numbers = KeyctlDhParams(*(key.near.number for key in (private, prime, base)))
        with ExitStack() as stack:
            params = stack.enter_context(given(task, numbers))
            kdf: Address | None = None
            if hashname is not None:
                name = stack.enter_context(text_given(task, hashname))
                info = stack.enter_context(given(task, otherinfo))
                kdf = stack.enter_context(given(task, derivation(name, info))).address

            async def compute(address: Address, most: int) -> int:
                wanted = fit("size", size, 1, LARGEST) if isinstance(size, int) else most
                if wanted > most:
                    return wanted
                return await self._keyctl(KEYCTL.DH_COMPUTE, params.address, address, wanted, kdf)

            into = size if isinstance(size, Pointer) else None
            return await filled(task, "a Diffie-Hellman secret", compute, into)


def derivation(name: given, info: given) -> KeyctlKdfParams:
    """Return how a key is derived."""
    assert name.address is not None, "a hash has a name"
    place = info.address.value if info.address is not None else 0
    return KeyctlKdfParams(name.address.value, place if info.size else 0, info.size)
