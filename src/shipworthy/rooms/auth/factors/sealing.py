"""Secrets that must be read again, sealed at rest: a stolen copy of the database opens no second factor.

The key follows from the installation's signing key, so there is no second secret to lose; a seal fits one
person only. Another signing key opens none of them: people then use a recovery code and set up anew.
"""

from __future__ import annotations

import os
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_USE = b"shipworthy/auth/factor-seal/1"  # keeps other uses of the key apart from this one
_NONCE_BYTES = 12


def seal(signing_key: bytes, plain: bytes, *, realm_id: uuid.UUID, user_id: uuid.UUID) -> bytes:
    """Return `plain` for this person only: a fresh nonce, then AES-256-GCM."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(signing_key).encrypt(nonce, plain, realm_id.bytes + user_id.bytes)


def unseal(signing_key: bytes, sealed: bytes, *, realm_id: uuid.UUID, user_id: uuid.UUID) -> bytes | None:
    """Return what was sealed; None where it was changed, is another person's, or the key is another one."""
    nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return _cipher(signing_key).decrypt(nonce, text, realm_id.bytes + user_id.bytes)
    except (InvalidTag, ValueError):
        return None


def _cipher(signing_key: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_USE).derive(signing_key))
