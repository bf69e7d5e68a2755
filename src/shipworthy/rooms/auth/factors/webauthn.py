"""Passkeys as the standard has them: the questions to a browser, and which answers are to be believed.

Every passkey is discoverable and verifies its person (a finger, a face, a PIN), so each is a first factor and
a second one. Attestation is not asked for: what made the key is its owner's affair.
Source:  W3C Web Authentication Level 3, sections 7.1 and 7.2.
"""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fido2 import cbor
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    RegistrationResponse,
    UserVerificationRequirement,
)

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.origin import origin_of

TIMEOUT_MS = 300_000
ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, RS256
# What the library raises for bytes that are no answer at all.
_MALFORMED = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, OverflowError, RecursionError,
    struct.error,
)  # fmt: skip
_VERIFIED = UserVerificationRequirement.REQUIRED


class AnswerRefused(Exception):
    """What the browser sent is not to be believed. The message is for the log."""


@dataclass(frozen=True, kw_only=True)
class Party:
    """Whom a passkey is for: the host it belongs to, and the one origin its answers may come from."""

    rp_id: str
    origin: str
    name: str


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A passkey that was just made."""

    credential_id: bytes
    public_key: bytes  # COSE
    sign_count: int


def party_of(ctx: Ctx) -> Party:
    origin = origin_of(ctx)
    host = origin.partition("://")[2]
    return Party(rp_id=host.partition(":")[0], origin=origin, name=ctx.runtime.settings.app.name)


def questions_to_register(
    party: Party, challenge: bytes, *, user_id: uuid.UUID, email: str, name: str, known: Sequence[bytes]
) -> dict[str, Any]:
    """Return what `navigator.credentials.create` is asked."""
    return {
        "challenge": websafe_encode(challenge),
        "rp": {"id": party.rp_id, "name": party.name},
        "user": {"id": websafe_encode(user_id.bytes), "name": email, "displayName": name or email},
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
        "excludeCredentials": _descriptors(known),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
        "timeout": TIMEOUT_MS,
    }


def questions_to_prove(party: Party, challenge: bytes, *, allowed: Sequence[bytes]) -> dict[str, Any]:
    """Return what `navigator.credentials.get` is asked; none allowed by name: any that is for this host."""
    return {
        "challenge": websafe_encode(challenge),
        "rpId": party.rp_id,
        "allowCredentials": _descriptors(allowed),
        "userVerification": "required",
        "timeout": TIMEOUT_MS,
    }


def read_answer(text: str) -> tuple[dict[str, Any], bytes]:
    """Return a browser's answer and the challenge it says it is for. Errors: AnswerRefused."""
    try:
        answer = json.loads(text)
        client = CollectedClientData(websafe_decode(answer["response"]["clientDataJSON"]))
        if client.cross_origin is not False:
            raise AnswerRefused("made inside a page of another site")
        return answer, client.challenge
    except _MALFORMED as broken:
        raise AnswerRefused(f"unreadable: {type(broken).__name__}") from None


def read_registration(party: Party, challenge: bytes, answer: dict[str, Any]) -> NewKey:
    """Return the key that was made. Errors: AnswerRefused."""
    try:
        made: AuthenticatorData = _server(party).register_complete(
            _state(challenge), RegistrationResponse.from_dict(answer)
        )
        key = made.credential_data
        assert key is not None, "no key"
        if key.public_key.get(3) not in ALGORITHMS:
            raise AnswerRefused(f"algorithm {key.public_key.get(3)}")
        return NewKey(
            credential_id=bytes(key.credential_id),
            public_key=cbor.encode(dict(key.public_key)),
            sign_count=made.counter,
        )
    except _MALFORMED as broken:
        raise AnswerRefused(str(broken) or type(broken).__name__) from None


def credential_id_of(answer: dict[str, Any]) -> bytes:
    """Return which passkey answers. Errors: AnswerRefused."""
    try:
        return bytes(websafe_decode(answer["rawId"]))
    except _MALFORMED:
        raise AnswerRefused("no id") from None


def user_id_of(answer: dict[str, Any]) -> bytes | None:
    """Return whose the authenticator says it is, where it says so. Errors: AnswerRefused."""
    try:
        handle = answer["response"].get("userHandle")
        return bytes(websafe_decode(handle)) if handle else None
    except _MALFORMED:
        raise AnswerRefused("unreadable user handle") from None


def read_proof(party: Party, challenge: bytes, answer: dict[str, Any], *, public_key: bytes) -> int:
    """Return the counter of a passkey whose signature is right. Errors: AnswerRefused."""
    try:
        response = AuthenticationResponse.from_dict(answer)
        key: Any = cbor.decode(public_key)
        known = AttestedCredentialData.create(Aaguid.NONE, credential_id_of(answer), CoseKey.parse(key))
        _server(party).authenticate_complete(_state(challenge), [known], response)
        return int(response.response.authenticator_data.counter)
    except _MALFORMED as broken:
        raise AnswerRefused(str(broken) or type(broken).__name__) from None


def _server(party: Party) -> Fido2Server:
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=party.rp_id, name=party.name),
        verify_origin=lambda origin: origin == party.origin,
    )


def _state(challenge: bytes) -> dict[str, Any]:
    return {"challenge": websafe_encode(challenge), "user_verification": _VERIFIED}


def _descriptors(ids: Sequence[bytes]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": websafe_encode(credential_id)} for credential_id in ids]
