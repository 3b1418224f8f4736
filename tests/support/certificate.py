"""A certificate of X.509 whose private key nobody has any more, and what that key has signed.

Made by ``openssl req -x509 -newkey rsa:1024`` and ``openssl dgst -sha256 -sign``.
"""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256
from typing import Final

__all__ = ["CERTIFICATE", "DIGEST", "KEY_BITS", "SIGNATURE"]

KEY_BITS: Final = 1024
DIGEST: Final = sha256(b"hello").digest()
CERTIFICATE: Final = b64decode(
    """
MIIB9jCCAV+gAwIBAgIUKV6n8IlympJCZ37eItbAFT6tI10wDQYJKoZIhvcNAQELBQAwDDEKMAgG
A1UEAwwBYTAgFw0yNjExMjMxNDQzNDJaGA8yMTI2MTAzMDE0NDM0MlowDDEKMAgGA1UEAwwBYTCB
nzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAwC2dfikZPhsCw+JLjrICdhvBmKYCERtyWOZji9Ra
nAW1EAsq2Dwe72FvAqPI0CPLDxeG/oaZTmrxvObAlI1/6pSaWPkOo4WyTZf3UBRF+1hCCPjzF2TK
N3g6GTGv1S5dQ3u4iFjS0gJYtVRgEkL9wXft9R/nEFlIwmCC5QvUBA0CAwEAAaNTMFEwHQYDVR0O
BBYEFNvBMsclVeUxb4zMbkn61JsGCkDLMB8GA1UdIwQYMBaAFNvBMsclVeUxb4zMbkn61JsGCkDL
MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADgYEAgkBsSSjEvZqHzpLLBfubYVFySvjz
I9MSLZnLtqMCfiZgdyc5Mudy7FwC4cbOc6LPM7l+3SSwM+h66GCVm7gWGEvUce1lsMLRpAK0akzS
uZcV0wRnLlXKQjjcf07QZKEoS5LyZ8KgamVmAnvEKNEOp0ZbhtJM/M9apL7RuuXvnow=
"""
)
SIGNATURE: Final = b64decode(
    """
p/dwYYl23HCU0gJwBo9mb67JPISpruVW+0x/X51ji1Br+3ckUxZ5gPENndwKUPD9sMBOUwo3dGQJ
927sEkj1zb8sM0B7G6k2iFCmMOi5bulYBNkRcC3tOUTf93TAXin+bQ/bD6qFATarqug707/r07Cg
Y36+8ABAbOD+wqTvefw=
"""
)
