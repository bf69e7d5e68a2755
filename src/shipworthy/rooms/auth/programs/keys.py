"""The keys that sign access tokens: recomputed from the installation's signing key, kept nowhere.

A key signs for one period. It is published a whole period before that and a whole period after, so a
verifier that caches the published set for hours is never behind, and rotation needs nobody. A stolen
database holds no key. To end all of them at once, change the installation's signing key.
"""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

PERIOD_S = 30 * 24 * 3600
ALGORITHM = "ES256"
_USE = b"shipworthy/auth/access-token-key/1\x00"  # keeps other uses of the signing key apart from this one
_ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551  # of P-256


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """One period's key. `kid` is its RFC 7638 thumbprint."""

    kid: str
    key: ECKey

    @property
    def published(self) -> dict[str, Any]:
        return {**self.key.as_dict(private=False), "kid": self.kid, "alg": ALGORITHM, "use": "sig"}


def keys_at(signing_key: bytes, *, realm_id: uuid.UUID, now: datetime) -> tuple[SigningKey, ...]:
    """Return the published keys: the one that signs now first, then the next and the last one."""
    current = int(now.timestamp()) // PERIOD_S
    return tuple(_key_of(signing_key, realm_id, nth) for nth in (current, current + 1, current - 1))


@lru_cache(maxsize=64)
def _key_of(signing_key: bytes, realm_id: uuid.UUID, nth: int) -> SigningKey:
    """Source:  FIPS 186-5, A.2.1: 256 bits more than the order has, so that no key is likelier than another."""
    bits = hmac.digest(signing_key, _USE + realm_id.bytes + nth.to_bytes(8, "big"), "sha512")
    secret = int.from_bytes(bits, "big") % (_ORDER - 1) + 1
    key = ECKey.import_key(_pem(ec.derive_private_key(secret, ec.SECP256R1())))
    return SigningKey(kid=key.thumbprint(), key=key)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
