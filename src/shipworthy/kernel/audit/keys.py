"""The keys that sign anchors: Ed25519, so that whoever proves a trail needs no secret of ours.

Rotation: two keys may live at once (SHIPWORTHY_AUDIT_KEYS), the first signs, both prove. The public half of a key
that is gone stays in SHIPWORTHY_AUDIT_TRUSTED, so that old anchors can be proven as long as they are kept.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEYS_MAX = 2
KEY_CHARS_MIN = 32
_USE = b"shipworthy audit anchor 1"
_KEY_BYTES = 32
_KEY_ID_CHARS = 16


class AuditKeys:
    """Signs with the first of `secrets`, proves by all of them and by the public keys in `trusted`."""

    def __init__(self, secrets: Sequence[bytes], *, trusted: Sequence[bytes] = ()) -> None:
        self._private = [Ed25519PrivateKey.from_private_bytes(_seed(secret)) for secret in secrets]
        self.own = [key.public_key().public_bytes_raw() for key in self._private]
        self._public = {key_id(public): public for public in (*trusted, *self.own)}

    def sign(self, said: bytes) -> tuple[str, bytes]:
        """Return the signing key's id and the signature."""
        return key_id(self.own[0]), self._private[0].sign(said)

    def public(self, kid: str) -> bytes | None:
        """Return the public key of this id, None where it is none that we know."""
        return self._public.get(kid)

    def proves(self, kid: str, said: bytes, signature: bytes) -> bool:
        """Tell whether a key that we know signed this."""
        public = self.public(kid)
        return public is not None and is_signed(public, said, signature)


def is_signed(public: bytes, said: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, said)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:_KEY_ID_CHARS]


def key_text(public: bytes) -> str:
    """Return a public key as people pass it on."""
    return urlsafe_b64encode(public).rstrip(b"=").decode()


def key_from(text: str) -> bytes:
    """Return the public key that a text is. Errors: ValueError."""
    public = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(public) != _KEY_BYTES:
        raise ValueError(f"a public key has {_KEY_BYTES} bytes, not {len(public)}")
    return public


def _seed(secret: bytes) -> bytes:
    return hmac.digest(secret, _USE, "sha256")
