"""Keys and keyrings by their handles: what each operation does, and what it refuses."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import suppress
from errno import (
    EACCES,
    EDEADLK,
    EEXIST,
    EINVAL,
    EKEYEXPIRED,
    EKEYREJECTED,
    EKEYREVOKED,
    ENODEV,
    ENOENT,
    ENOKEY,
    ENOPKG,
    EOPNOTSUPP,
    EPERM,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import (
    BYTES,
    KEY_PERM,
    KEYCTL_CAPS,
    KEYCTL_MOVE,
    KEYCTL_SUPPORTS,
    ArgumentRangeError,
    Key,
    KeyctlPkeyQuery,
    KeyDescription,
    KeyKindError,
    Keyring,
    SerializerError,
    Task,
    struct_of,
)
from rsyscall_ns.handle.calls.fds import FDs
from tests.support.certificate import CERTIFICATE, DIGEST, KEY_BITS, SIGNATURE
from tests.support.keyrings import OWN, error_of, need_keys

PKCS1 = "enc=pkcs1 hash=sha256"
ALL = KEY_PERM.POS_ALL | KEY_PERM.USR_ALL


@pytest.fixture
async def ring(task: Task) -> AsyncGenerator[Keyring, None]:
    """Make a keyring that goes, with all that is in it."""
    await need_keys(task)
    made = await task.keys.add_keyring("rsyscall_ns", OWN)
    yield made
    with suppress(OSError):  # a test has taken it away
        await made.unlink(OWN)


@pytest.fixture
async def key(task: Task, ring: Keyring) -> Key:
    return await task.keys.add_key("user", "a:key", b"secret", ring)


@pytest.fixture
async def public(task: Task, ring: Keyring) -> Key:
    """Add a public key."""
    if KEYCTL_CAPS.PUBLIC_KEY not in await task.keys.capabilities():
        pytest.skip("the kernel has no asymmetric keys (CONFIG_ASYMMETRIC_KEY_TYPE)")
    try:
        return await task.keys.add_key("asymmetric", "", CERTIFICATE, ring)
    except OSError as error:
        if error.errno in {ENODEV, ENOPKG}:
            pytest.skip("the kernel knows no X.509 certificates with RSA keys")
        raise


async def test_a_key_tells_what_it_is(key: Key) -> None:
    told = await key.describe()
    assert (told.type, told.uid, told.description) == ("user", os.geteuid(), "a:key")
    assert KEY_PERM.POS_ALL in told.perm
    await key.setperm(ALL)
    assert (await key.describe()).perm == ALL
    await key.chown(os.geteuid())
    await key.chown(gid=os.getegid())
    assert (await key.describe()).gid == os.getegid()


async def test_what_is_read_can_be_filled_in_memory(task: Task, key: Key) -> None:
    filled = await key.read(await task.malloc(BYTES, 100))
    assert await filled.read() == b"secret"
    filled.free()
    text = await key.describe(await task.malloc(BYTES, 100))
    assert KeyDescription.unpack(await text.read()) == await key.describe()
    text.free()
    label = await key.get_security(await task.malloc(BYTES, 100))
    assert (await label.read()).removesuffix(b"\0") == await key.get_security()
    label.free()
    small = await task.malloc(BYTES, 3)
    for call in (key.read, key.describe):
        with pytest.raises(SerializerError, match="there are 3"):
            await call(small)
    small.free()


async def test_a_long_key_is_read_whole(task: Task, ring: Keyring) -> None:
    content = bytes(range(256)) * 20
    key = await task.keys.add_key("user", "long", content, ring)
    assert await key.read() == content


async def test_a_key_is_updated(task: Task, key: Key) -> None:
    await key.update(b"changed")
    assert await key.read() == b"changed"
    payload = await task.ptr(b"from memory")
    await key.update(payload)
    assert await key.read() == b"from memory"
    payload.free()
    assert await error_of(key.update(b"")) == EINVAL


async def test_a_revoked_key_is_of_no_use(key: Key, ring: Keyring) -> None:
    await key.revoke()
    assert await error_of(key.read()) == EKEYREVOKED
    assert await error_of(ring.search("user", "a:key")) == EKEYREVOKED


async def test_an_invalidated_key_is_not_found(key: Key, ring: Keyring) -> None:
    await key.setperm(ALL)
    await key.invalidate()
    assert await error_of(key.describe()) == ENOKEY
    assert await error_of(ring.search("user", "a:key")) in {ENOKEY, EACCES, EKEYREVOKED}


async def test_a_key_expires(key: Key) -> None:
    await key.set_timeout(1000)
    await key.set_timeout(0)
    assert await key.read() == b"secret"
    await key.set_timeout(1)
    while True:  # the clock that counts is the kernel's
        try:
            await key.read()
        except OSError as error:
            assert error.errno == EKEYEXPIRED  # noqa: PT017 - what ends the loop is the answer
            break


async def test_keys_are_linked_and_unlinked(task: Task, key: Key, ring: Keyring) -> None:
    inner = await task.keys.add_keyring("inner", ring)
    await key.link(inner)
    assert [one.near for one in await inner.keys()] == [key.near]
    await key.unlink(inner)
    assert await inner.keys() == []
    assert await error_of(key.unlink(inner)) == ENOENT
    assert await error_of(ring.link(inner)) == EDEADLK
    assert {one.near for one in await ring.keys()} == {key.near, inner.near}
    await ring.clear()
    assert await ring.keys() == []


async def test_a_key_is_moved(task: Task, key: Key, ring: Keyring) -> None:
    inner = await task.keys.add_keyring("inner", ring)
    await key.move(ring, inner)
    assert [one.near for one in await inner.keys()] == [key.near]
    await task.keys.add_key("user", "a:key", b"another", ring)
    assert await error_of(key.move(inner, ring, KEYCTL_MOVE.EXCL)) == EEXIST
    await key.move(inner, ring)
    assert await (await ring.search("user", "a:key")).read() == b"secret"


async def test_keys_are_searched_for(task: Task, key: Key, ring: Keyring) -> None:
    assert (await ring.search("user", "a:key")).near == key.near
    inner = await task.keys.add_keyring("inner", ring)
    kind, name = await task.ptr(b"user\0"), await task.ptr(b"a:key\0")
    found = await ring.search(kind, name, inner)
    assert [one.near for one in await inner.keys()] == [found.near]
    kind.free()
    name.free()
    assert await error_of(ring.search("user", "none")) == ENOKEY


async def test_only_a_keyring_becomes_one(task: Task, key: Key, ring: Keyring) -> None:
    outer = await task.keys.get_keyring_id(OWN)
    found = next(one for one in await outer.keys() if one.near == ring.near)
    assert (await found.as_keyring()).near == ring.near
    with pytest.raises(KeyKindError, match="'user'"):
        await key.as_keyring()


async def test_a_key_is_the_same_for_another_task(task: Task, key: Key) -> None:
    await key.setperm(ALL)
    async with task.spawn() as other:
        assert await key.for_task(other).read() == b"secret"
        await key.setperm(KEY_PERM.POS_ALL)
        # it is no key of the other's keyrings
        assert await error_of(key.for_task(other).read()) == EACCES


async def test_a_keyring_is_closed_for_good(task: Task, ring: Keyring) -> None:
    await ring.restrict_keyring()
    assert await error_of(task.keys.add_key("user", "late", b"a", ring)) == EPERM
    assert await error_of(ring.restrict_keyring()) == EEXIST
    inner = await task.keys.add_keyring("other", OWN)
    assert await error_of(inner.restrict_keyring("user", "none")) in {EINVAL, ENOENT, EOPNOTSUPP}
    await inner.unlink(OWN)


async def test_only_who_was_asked_makes_a_key(key: Key, ring: Keyring) -> None:
    assert await error_of(key.instantiate(b"a", ring)) == EPERM
    assert await error_of(key.instantiate_iov([b"a", b"b"])) == EPERM
    assert await error_of(key.negate(10, ring)) == EPERM
    assert await error_of(key.reject(10, EACCES)) == EPERM
    assert await error_of(key.reject(10, 512)) == EINVAL  # ERESTARTSYS is the kernel's own


async def test_changes_of_a_key_are_told_by_a_notification_pipe_only(task: Task, key: Key) -> None:
    fds: FDs = task.fds
    async with await fds.eventfd() as counter:
        assert await error_of(key.watch_key(counter, 1)) in {EINVAL, EOPNOTSUPP}
        assert await error_of(key.watch_key(counter, None)) in {EINVAL, EOPNOTSUPP}
        with pytest.raises(ArgumentRangeError, match="watch_id"):
            await key.watch_key(counter, 256)


async def test_a_public_key_checks_signatures(task: Task, public: Key) -> None:
    told = await public.pkey_query(PKCS1)
    assert told.key_size == KEY_BITS
    assert KEYCTL_SUPPORTS.VERIFY in told.supported_ops
    room = await public.pkey_query(PKCS1, await task.malloc(struct_of(KeyctlPkeyQuery)))
    assert await room.read() == told
    room.free()
    await public.pkey_verify(DIGEST, SIGNATURE, PKCS1)
    assert await error_of(public.pkey_verify(bytes(32), SIGNATURE, PKCS1)) == EKEYREJECTED


async def test_a_public_key_encrypts(task: Task, public: Key) -> None:
    encrypted = await public.pkey_encrypt(b"a secret", "enc=pkcs1")
    assert len(encrypted) * 8 == KEY_BITS
    room = await public.pkey_encrypt(b"a secret", "enc=pkcs1", await task.malloc(BYTES, 128))
    assert len(await room.read()) == 128
    room.free()


async def test_a_public_key_does_not_do_what_takes_a_private_one(public: Key) -> None:
    failures = {EINVAL, EKEYREJECTED, EOPNOTSUPP}
    assert await error_of(public.pkey_decrypt(bytes(128), "enc=pkcs1")) in failures
    assert await error_of(public.pkey_sign(DIGEST, PKCS1)) in failures


async def test_a_key_of_another_type_has_no_public_part(key: Key) -> None:
    assert await error_of(key.pkey_query()) == EOPNOTSUPP
    assert await error_of(key.pkey_encrypt(b"a")) == EOPNOTSUPP
    assert await error_of(key.pkey_verify(b"a", b"b")) == EOPNOTSUPP


async def test_what_does_not_fit_is_refused_before_any_call(key: Key) -> None:
    with pytest.raises(ArgumentRangeError, match="id"):
        await key.chown(-1)
    with pytest.raises(ArgumentRangeError, match="seconds"):
        await key.set_timeout(-1)
    with pytest.raises(ArgumentRangeError, match="error"):
        await key.reject(1, 0)
    assert await error_of(key.setperm(KEY_PERM(1 << 31))) == EINVAL


@given(
    st.text(st.characters(exclude_characters=";\0", exclude_categories=["Cs"])),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
)
def test_a_description_becomes_bytes_and_itself_again(
    kind: str, uid: int, perm: int, description: str
) -> None:
    value = KeyDescription(kind, uid, uid, KEY_PERM(perm), description)
    assert KeyDescription.unpack(value.pack()) == value


@given(st.binary(max_size=40) | st.text("user;0123f\0").map(str.encode))
def test_any_bytes_are_a_description_or_a_named_error(data: bytes) -> None:
    try:
        value = KeyDescription.unpack(data)
    except SerializerError:
        return
    assert KeyDescription.unpack(value.pack()) == value
