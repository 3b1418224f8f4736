"""``<linux/if_alg.h>``: options of sockets that use the kernel's cryptography."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ALG", "ALG_OP"]


class ALG(IntEnum):
    """``ALG_*``: options and control messages of level ``SOL.ALG``."""

    SET_KEY = 1
    SET_IV = 2
    SET_OP = 3
    SET_AEAD_ASSOCLEN = 4
    SET_AEAD_AUTHSIZE = 5
    SET_DRBG_ENTROPY = 6
    SET_KEY_BY_KEY_SERIAL = 7


class ALG_OP(IntEnum):  # noqa: N801 - the C prefix
    """``ALG_OP_*``: what ``ALG.SET_OP`` says."""

    DECRYPT = 0
    ENCRYPT = 1
