"""``task.keys``: making and finding keys, and the keyrings that each process has."""

from __future__ import annotations

import os
from errno import EINVAL, ENODEV, ENOENT, ENOKEY, EOPNOTSUPP, EPERM

import pytest

from rsyscall_ns import (
    BYTES,
    CLONE,
    KEY_PERM,
    KEY_REQKEY_DEFL,
    KEY_SPEC,
    KEYCTL_CAPS,
    ArgumentRangeError,
    BlocksLoopError,
    ForGoodError,
    Key,
    PathError,
    Task,
)
from tests.support.keyrings import OWN, error_of, need_keys

NONE = {ENOENT, ENOKEY}  # without the program that makes keys, and by it


@pytest.fixture(autouse=True)
async def _keys(local: Task) -> None:
    await need_keys(local)


async def test_a_key_is_added_found_and_read(task: Task) -> None:
    key = await task.keys.add_key("user", "a:key", b"secret", OWN)
    assert await key.read() == b"secret"
    found = await task.keys.request_key("user", "a:key")
    assert found.near == key.near
    again = await task.keys.add_key("user", "a:key", b"other", OWN)
    assert again.near == key.near
    assert await key.read() == b"other"
    await key.unlink(OWN)
    with pytest.raises(OSError, match="request_key") as caught:
        await task.keys.request_key("user", "a:key")
    assert caught.value.errno == ENOKEY


async def test_names_and_payloads_can_lie_in_memory(task: Task) -> None:
    kind, name = await task.ptr(b"user\0"), await task.ptr(b"there\0")
    payload = await task.ptr(b"from memory")
    key = await task.keys.add_key(kind, name, payload, OWN)
    assert (await task.keys.request_key(kind, name)).near == key.near
    assert await key.read() == b"from memory"
    await key.unlink(OWN)
    for pointer in (kind, name, payload):
        pointer.free()


async def test_a_keyring_of_the_process_is_made_when_asked_for(task: Task) -> None:
    async with task.spawn() as fresh:
        with pytest.raises(OSError, match="keyctl") as caught:
            await fresh.keys.get_keyring_id(OWN)
        assert caught.value.errno == ENOKEY
        ring = await fresh.keys.get_keyring_id(OWN, create=True)
        assert (await ring.describe()).type == "keyring"
        assert (await fresh.keys.get_keyring_id(OWN)).near == ring.near


async def test_a_session_is_joined(task: Task) -> None:
    async with task.spawn() as one, one.spawn() as other:
        ring = await one.keys.join_session_keyring()
        assert (await one.keys.get_keyring_id(KEY_SPEC.SESSION_KEYRING)).near == ring.near
        name = f"rsyscall_ns.{ring.near.number}"
        named = await one.keys.join_session_keyring(name)
        assert (await named.describe()).description == name
        await named.setperm(KEY_PERM.POS_ALL | KEY_PERM.USR_ALL)
        assert (await other.keys.join_session_keyring(name)).near == named.near


async def test_a_session_is_given_to_the_parent(task: Task) -> None:
    async with task.spawn() as parent, parent.spawn() as child:
        given = await child.keys.join_session_keyring()
        await parent.keys.join_session_keyring()
        await child.keys.session_to_parent()
        ring = await parent.keys.get_keyring_id(KEY_SPEC.SESSION_KEYRING)
        assert ring.near == given.near


async def test_the_interpreters_own_session_is_not_changed_unawares(local: Task) -> None:
    with pytest.raises(ForGoodError, match="join_session_keyring"):
        await local.keys.join_session_keyring()
    with pytest.raises(ForGoodError, match="session_to_parent"):
        await local.keys.session_to_parent()


async def test_nobody_waits_for_a_key_in_the_event_loop(local: Task) -> None:
    with pytest.raises(BlocksLoopError, match="callout_info"):
        await local.keys.request_key("user", "none", "make it")


async def test_a_key_that_nobody_can_make_is_not_there(task: Task) -> None:
    async with task.spawn(CLONE.NEWUSER) as child:
        assert await error_of(child.keys.request_key("user", "none", "make it")) in NONE


async def test_where_requested_keys_go_is_set(task: Task) -> None:
    async with task.spawn() as child:
        change = child.keys.set_reqkey_keyring
        assert await change(KEY_REQKEY_DEFL.NO_CHANGE) == KEY_REQKEY_DEFL.DEFAULT
        assert await change(KEY_REQKEY_DEFL.PROCESS_KEYRING) == KEY_REQKEY_DEFL.DEFAULT
        assert await change(KEY_REQKEY_DEFL.NO_CHANGE) == KEY_REQKEY_DEFL.PROCESS_KEYRING
        assert await error_of(change(KEY_REQKEY_DEFL.GROUP_KEYRING)) == EINVAL


async def test_authority_is_only_for_who_was_asked(task: Task) -> None:
    key = await task.keys.add_key("user", "made", b"a", OWN)
    assert await error_of(task.keys.assume_authority(key)) == ENOKEY
    await task.keys.assume_authority(None)
    await key.unlink(OWN)


async def test_a_persistent_keyring_is_linked(task: Task) -> None:
    if KEYCTL_CAPS.PERSISTENT_KEYRINGS not in await task.keys.capabilities():
        pytest.skip("the kernel has no persistent keyrings (CONFIG_PERSISTENT_KEYRINGS)")
    async with task.spawn(CLONE.NEWUSER) as child:
        ring = await child.keys.get_persistent(OWN)
        assert (await ring.describe()).description.startswith("_persistent.")
        own = await child.keys.get_keyring_id(OWN)
        assert [key.near for key in await own.keys()] == [ring.near]
        assert await error_of(child.keys.get_persistent(OWN, os.getuid() + 1)) in {EINVAL, EPERM}


async def test_what_the_kernel_has_is_told(task: Task) -> None:
    found = await task.keys.capabilities()
    assert KEYCTL_CAPS.CAPABILITIES | KEYCTL_CAPS.MOVE in found


async def test_a_diffie_hellman_secret_is_computed(task: Task) -> None:
    add = task.keys.add_key
    keys: list[Key] = [
        await add("user", name, bytes([number]), OWN)
        for name, number in (("private", 6), ("prime", 23), ("base", 5))
    ]
    compute = task.keys.dh_compute
    if KEYCTL_CAPS.DIFFIE_HELLMAN in await task.keys.capabilities():
        assert (await compute(*keys))[-1:] == bytes([pow(5, 6, 23)])
    else:
        room = await task.malloc(BYTES, 64)
        assert await error_of(compute(*keys)) == EOPNOTSUPP
        assert await error_of(compute(*keys, hashname="sha256", size=32)) == EOPNOTSUPP
        assert await error_of(compute(*keys, otherinfo=b"a", size=room)) == EOPNOTSUPP
        room.free()
    for key in keys:
        await key.unlink(OWN)


async def test_errors_are_the_manual_pages(task: Task) -> None:
    add = task.keys.add_key
    assert await error_of(add("user", "", b"a", OWN)) == EINVAL
    assert await error_of(add("user", "empty", b"", OWN)) == EINVAL
    assert await error_of(add("no such type", "a", b"a", OWN)) in {EINVAL, ENODEV}
    assert await error_of(add(".hidden", "a", b"a", OWN)) == EPERM
    assert await error_of(add("user", "a", bytes(1 << 20), OWN)) == EINVAL
    assert await error_of(add("user", "a", b"a", KEY_SPEC.GROUP_KEYRING)) == EINVAL
    with pytest.raises(PathError):
        await add("user", "a\0b", b"a", OWN)
    with pytest.raises(ArgumentRangeError, match="uid"):
        await task.keys.get_persistent(OWN, -1)
