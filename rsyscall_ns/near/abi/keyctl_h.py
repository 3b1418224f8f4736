"""``<linux/keyctl.h>``: keys and keyrings."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar, Final, Self

from rsyscall_ns.near.errors import SerializerError
from rsyscall_ns.near.values import value

from .layout import CStruct, c_struct, i32, u16, u32, u64

__all__ = ["KEYCTL", "KEYCTL_CAPS", "KEYCTL_MOVE", "KEYCTL_SUPPORTS", "KEY_PERM"]
__all__ += ["KEY_REQKEY_DEFL", "KEY_SPEC", "KeyDescription", "KeyctlDhParams", "KeyctlKdfParams"]
__all__ += ["KeyctlPkeyParams", "KeyctlPkeyQuery"]

_FIELDS: Final = 5


class KEYCTL(IntEnum):
    """``KEYCTL_*``: the operations of ``keyctl(2)``."""

    GET_KEYRING_ID = 0
    JOIN_SESSION_KEYRING = 1
    UPDATE = 2
    REVOKE = 3
    CHOWN = 4
    SETPERM = 5
    DESCRIBE = 6
    CLEAR = 7
    LINK = 8
    UNLINK = 9
    SEARCH = 10
    READ = 11
    INSTANTIATE = 12
    NEGATE = 13
    SET_REQKEY_KEYRING = 14
    SET_TIMEOUT = 15
    ASSUME_AUTHORITY = 16
    GET_SECURITY = 17
    SESSION_TO_PARENT = 18
    REJECT = 19
    INSTANTIATE_IOV = 20
    INVALIDATE = 21
    GET_PERSISTENT = 22
    DH_COMPUTE = 23
    PKEY_QUERY = 24
    PKEY_ENCRYPT = 25
    PKEY_DECRYPT = 26
    PKEY_SIGN = 27
    PKEY_VERIFY = 28
    RESTRICT_KEYRING = 29
    MOVE = 30
    CAPABILITIES = 31
    WATCH_KEY = 32


class KEY_SPEC(IntEnum):  # noqa: N801 - the header's own prefix
    """``KEY_SPEC_*``: the keyrings of whoever makes the call."""

    THREAD_KEYRING = -1
    PROCESS_KEYRING = -2
    SESSION_KEYRING = -3
    USER_KEYRING = -4
    USER_SESSION_KEYRING = -5
    GROUP_KEYRING = -6
    REQKEY_AUTH_KEY = -7
    REQUESTOR_KEYRING = -8


class KEY_REQKEY_DEFL(IntEnum):  # noqa: N801 - the header's own prefix
    """``KEY_REQKEY_DEFL_*``: where keys go that ``request_key(2)`` makes."""

    NO_CHANGE = -1
    DEFAULT = 0
    THREAD_KEYRING = 1
    PROCESS_KEYRING = 2
    SESSION_KEYRING = 3
    USER_KEYRING = 4
    USER_SESSION_KEYRING = 5
    GROUP_KEYRING = 6
    REQUESTOR_KEYRING = 7


class KEY_PERM(IntFlag):  # noqa: N801 - the manual page's own prefix, with what it leaves out
    """``KEY_POS_*``, ``KEY_USR_*``, ``KEY_GRP_*``, ``KEY_OTH_*``: what who may do with a key.

    ``POS``: who possesses it, by a keyring of theirs.
    """

    NONE = 0
    POS_VIEW = 0x01000000
    POS_READ = 0x02000000
    POS_WRITE = 0x04000000
    POS_SEARCH = 0x08000000
    POS_LINK = 0x10000000
    POS_SETATTR = 0x20000000
    POS_ALL = 0x3F000000
    USR_VIEW = 0x00010000
    USR_READ = 0x00020000
    USR_WRITE = 0x00040000
    USR_SEARCH = 0x00080000
    USR_LINK = 0x00100000
    USR_SETATTR = 0x00200000
    USR_ALL = 0x003F0000
    GRP_VIEW = 0x00000100
    GRP_READ = 0x00000200
    GRP_WRITE = 0x00000400
    GRP_SEARCH = 0x00000800
    GRP_LINK = 0x00001000
    GRP_SETATTR = 0x00002000
    GRP_ALL = 0x00003F00
    OTH_VIEW = 0x00000001
    OTH_READ = 0x00000002
    OTH_WRITE = 0x00000004
    OTH_SEARCH = 0x00000008
    OTH_LINK = 0x00000010
    OTH_SETATTR = 0x00000020
    OTH_ALL = 0x0000003F


class KEYCTL_SUPPORTS(IntFlag):  # noqa: N801 - the header's own prefix
    """``KEYCTL_SUPPORTS_*``: what can be done with an asymmetric key."""

    ENCRYPT = 1
    DECRYPT = 2
    SIGN = 4
    VERIFY = 8


class KEYCTL_MOVE(IntFlag):  # noqa: N801 - the header's own prefix
    """``KEYCTL_MOVE_*``. ``EXCL``: another key of that description is not displaced."""

    NONE = 0
    EXCL = 1


class KEYCTL_CAPS(IntFlag):  # noqa: N801 - the header's own prefix
    """``KEYCTL_CAPS0_*``, and above them ``KEYCTL_CAPS1_*``: what the kernel has of keys."""

    CAPABILITIES = 1
    PERSISTENT_KEYRINGS = 2
    DIFFIE_HELLMAN = 4
    PUBLIC_KEY = 8
    BIG_KEY = 0x10
    INVALIDATE = 0x20
    RESTRICT_KEYRING = 0x40
    MOVE = 0x80
    NS_KEYRING_NAME = 0x100
    NS_KEY_TAG = 0x200
    NOTIFICATIONS = 0x400


@value
class KeyDescription:
    """What ``KEYCTL_DESCRIBE`` says: ``type;uid;gid;perm;description``."""

    type: str
    uid: int
    gid: int
    perm: KEY_PERM
    description: str

    def pack(self) -> bytes:
        """Return the text that the kernel gives, with the NUL at its end."""
        head = f"{self.type};{self.uid};{self.gid};{int(self.perm):08x};"
        return head.encode() + self.description.encode("utf-8", "surrogateescape") + b"\0"

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return what a text says; one of another form raises SerializerError."""
        what = "the description of a key"
        text, mark, rest = data.partition(b"\0")
        if not mark or rest:
            raise SerializerError.malformed(what, "does not end with its only NUL")
        parts = text.split(b";", _FIELDS - 1)
        if len(parts) != _FIELDS:
            raise SerializerError.malformed(what, f"has {len(parts)} fields, not {_FIELDS}")
        kind, uid, gid, perm, description = (
            part.decode("utf-8", "surrogateescape") for part in parts
        )
        try:
            numbers = _number(uid, 10), _number(gid, 10), _number(perm, 16)
        except ValueError as error:
            raise SerializerError.malformed(what, "has an id that is no number") from error
        return cls(kind, numbers[0], numbers[1], KEY_PERM(numbers[2]), description)


def _number(text: str, base: int) -> int:
    """Return what digits alone say: ``int`` would take spaces, signs and underscores as well."""
    digits = "0123456789abcdef"[:base]
    if not text or text.strip(digits):
        raise ValueError(text)
    return int(text, base)


@c_struct
class KeyctlDhParams(CStruct):
    """``struct keyctl_dh_params``: the serial numbers of the keys that are computed with."""

    C_NAME: ClassVar = "struct keyctl_dh_params"
    C_HEADER: ClassVar = "linux/keyctl.h"
    private: int = i32()
    prime: int = i32()
    base: int = i32()


@c_struct
class KeyctlKdfParams(CStruct):
    """``struct keyctl_kdf_params``: how a key is derived; addresses, and a size in bytes."""

    C_NAME: ClassVar = "struct keyctl_kdf_params"
    C_HEADER: ClassVar = "linux/keyctl.h"
    hashname: int = u64()
    otherinfo: int = u64()
    otherinfolen: int = u32(then=32)


@c_struct
class KeyctlPkeyQuery(CStruct):
    """``struct keyctl_pkey_query``: what an asymmetric key can do; bits, and sizes in bytes."""

    C_NAME: ClassVar = "struct keyctl_pkey_query"
    C_HEADER: ClassVar = "linux/keyctl.h"
    supported_ops: KEYCTL_SUPPORTS = u32(KEYCTL_SUPPORTS)
    key_size: int = u32()
    max_data_size: int = u16()
    max_sig_size: int = u16()
    max_enc_size: int = u16()
    max_dec_size: int = u16(then=40)


@c_struct
class KeyctlPkeyParams(CStruct):
    """``struct keyctl_pkey_params``: a key, and sizes in bytes."""

    C_NAME: ClassVar = "struct keyctl_pkey_params"
    C_HEADER: ClassVar = "linux/keyctl.h"
    key_id: int = i32()
    in_len: int = u32()
    out_len: int = u32(then=28)  # in2_len where a signature is verified
