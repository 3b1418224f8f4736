"""Whether the kernel has keys, and lets a test have some."""

from __future__ import annotations

from collections.abc import Awaitable
from errno import ENOKEY, EPERM
from typing import Final

import pytest

from rsyscall_ns import KEY_SPEC, MissingCallError, Task

__all__ = ["OWN", "error_of", "need_keys"]

OWN: Final = KEY_SPEC.PROCESS_KEYRING


async def need_keys(task: Task) -> None:
    """Skip the test where keys are denied, as the filters of container engines do."""
    try:
        await task.keys.get_keyring_id(OWN)
    except MissingCallError:
        pytest.skip("the kernel has no keys (CONFIG_KEYS)")
    except OSError as error:
        if error.errno == EPERM:
            pytest.skip("a filter of system calls denies keys")
        assert error.errno == ENOKEY  # noqa: PT017 - there is none yet, which is fine


async def error_of(call: Awaitable[object]) -> int | None:
    """Return the errno of a call on keys that must fail."""
    with pytest.raises(OSError, match=r"key\w*\(2\)") as caught:
        await call
    return caught.value.errno
