"""One sign-in at the stub as a browser and an app's server make it, step by step, over real sockets."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from shipworthy.gauntlet.http import Answer, HttpSession
from shipworthy.gauntlet.idp.registry import Client
from shipworthy.gauntlet.idp.stub import Stub

CALLBACK = "http://127.0.0.1:1/callback"
APP = Client(client_id="app", secrets=("old & new", "s2"), redirect_uris=(CALLBACK,))


@dataclass
class Visit:
    """A client of the stub. `asked` overrides what the browser brings to the authorization endpoint."""

    stub: Stub
    client: Client = APP
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def __post_init__(self) -> None:
        self.session = HttpSession(self.stub.issuer)

    async def authorize(self, **asked: str) -> Answer:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        usual = {
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "response_type": "code",
            "scope": "openid email profile",
            "state": "a state",
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return await self.session.get(f"/authorize?{urlencode({**usual, **asked})}")

    async def code(self, **asked: str) -> str:
        return sent_back(await self.authorize(**asked))["code"]

    async def token(self, code: str, **sent: str) -> Answer:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uris[0],
            "code_verifier": self.verifier,
            "client_id": self.client.client_id,
            **({"client_secret": self.client.secrets[0]} if self.client.secrets else {}),
        }
        return await self.session.post("/token", form={**form, **sent})

    async def tokens(self, **asked: str) -> dict[str, Any]:
        """A whole sign-in; the token endpoint's answer."""
        answer = await self.token(await self.code(**asked))
        assert answer.status == 200, answer.text
        tokens: dict[str, Any] = answer.json
        return tokens

    async def verified(self, id_token: str) -> dict[str, Any]:
        """The claims, by the published keys and nothing else. Errors: whatever the library raises."""
        keys = KeySet.import_key_set((await self.session.get("/jwks")).json)
        return dict(jwt.decode(id_token, keys, algorithms=["ES256", "RS256"]).claims)


def sent_back(answer: Answer) -> dict[str, str]:
    """What the browser takes back to the app."""
    assert answer.status == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.header("location")).query))
