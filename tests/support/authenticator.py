"""A passkey authenticator in software: it makes keys and signs, honestly or as a test tells it to.

Written from the standard (W3C Web Authentication Level 3, 6.1 and 6.5), not from the library that judges it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Key:
    """One passkey."""

    rp_id: str
    user_handle: bytes
    private: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    count: int = 0

    @property
    def cose(self) -> bytes:
        """The public key in CBOR: {1: 2, 3: -7, -1: 1, -2: x, -3: y}."""
        numbers = self.private.public_key().public_numbers()
        x, y = (n.to_bytes(32, "big") for n in (numbers.x, numbers.y))
        return b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y


@dataclass
class Authenticator:
    """A device with keys, in a browser at `origin`."""

    origin: str = "http://localhost"
    keys: list[Key] = field(default_factory=list)
    counts: bool = False  # whether it keeps a counter; synced passkeys keep none
    flags: int = PRESENT | VERIFIED

    def create(self, asked: dict[str, Any], **said: Any) -> str:
        """Make a key, as `navigator.credentials.create`."""
        rp_id = said.pop("rp_id", asked["rp"]["id"])
        key = Key(rp_id, unb64(asked["user"]["id"]))
        self.keys.append(key)
        data = self._data(key, ATTESTED) + bytes(16) + struct.pack(">H", len(key.credential_id))
        data += key.credential_id + key.cose
        # {"fmt": "none", "attStmt": {}, "authData": data}
        attestation = (
            b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59" + struct.pack(">H", len(data)) + data
        )
        client = self._client("webauthn.create", asked, **said)
        return _answer(key, clientDataJSON=client, attestationObject=attestation)

    def get(self, asked: dict[str, Any], *, key: Key | None = None, **said: Any) -> str:
        """Sign, as `navigator.credentials.get`, with the first key that is allowed."""
        allowed = [one["id"] for one in asked["allowCredentials"]]
        usable = [k for k in self.keys if not allowed or b64(k.credential_id) in allowed]
        key = key or usable[0]
        key.count += 1 if self.counts else 0
        if "rp_id" in said:
            key = Key(said.pop("rp_id"), key.user_handle, key.private, key.credential_id, key.count)
        handle = said.pop("handle", key.user_handle)
        tamper = said.pop("tamper", lambda signature: signature)
        data, client = self._data(key, 0), self._client("webauthn.get", asked, **said)
        signature = key.private.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        return _answer(
            key, clientDataJSON=client, authenticatorData=data, signature=tamper(signature), userHandle=handle
        )

    def _data(self, key: Key, more: int) -> bytes:
        count = struct.pack(">I", key.count)
        return hashlib.sha256(key.rp_id.encode()).digest() + bytes([self.flags | more]) + count

    def _client(self, kind: str, asked: dict[str, Any], **said: Any) -> bytes:
        honest = {"type": kind, "challenge": asked["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps({**honest, **said}).encode()


def _answer(key: Key, **parts: bytes) -> str:
    response = {name: b64(value) for name, value in parts.items() if value}
    credential_id = b64(key.credential_id)
    return json.dumps(
        {"id": credential_id, "rawId": credential_id, "type": "public-key", "response": response}
    )
