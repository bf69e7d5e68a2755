"""A small app that gives tokens to programs, sound or with defects to switch on.

Sound: a refresh token is "family.counter"; each refresh moves the counter by one; who comes again
with the one before, within the grace, gets the current token again; older ones end the family.
Defects: keeps_token, forks, accepts_replay, spares_family, logs_out, breaks, dead_pair, long_life, no_exp.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.manifest import Tokens
from shipworthy.contract.target import Credential

ANN = Credential(email="ann@acme.test", password="pw-a", tenant="Acme")
TTL_S = 300
GRACE_S = 0.8  # long enough for twenty requests at once on a busy machine
TOKENS = Tokens(
    issue="POST /token",
    form={"grant": "password", "email": "{email}", "password": "{password}"},
    refresh="POST /token",
    refresh_form={"grant": "refresh", "refresh_token": "{refresh_token}"},
    opens="GET /me",
    ttl_s=TTL_S,
    grace_s=GRACE_S,
)


@dataclass
class _Family:
    counter: int = 0
    rotated_at: float = 0.0
    is_revoked: bool = False


@dataclass
class TokenApp:
    """The handlers and what they remember."""

    defects: set[str] = field(default_factory=set)
    families: dict[str, _Family] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)  # refresh token -> when first, where it forks

    def asgi(self) -> Starlette:
        return Starlette(routes=[Path("/token", self.token, methods=["POST"]), Path("/me", self.me)])

    async def token(self, request: Request) -> Response:
        body = await request.json()
        if body["grant"] == "password":
            if (body["email"], body["password"]) != (ANN.email, ANN.password):
                return _refused()
            name = uuid.uuid4().hex
            self.families[name] = _Family()
            return self._pair(name, 0)
        name, _, counter = body["refresh_token"].partition(".")
        family = self.families.get(name)
        if family is None or family.is_revoked:
            return _refused()
        await asyncio.sleep(0.01)  # let the others read as well
        if "forks" in self.defects:
            return self._forked(name, family, body["refresh_token"])
        return self._refreshed(name, family, int(counter.split("-")[0]))

    def _forked(self, name: str, family: _Family, token: str) -> Response:
        """Each use within the grace makes another token; the family knows of no successor."""
        first_used_at = self.used.setdefault(token, time.monotonic())
        if time.monotonic() - first_used_at > GRACE_S:
            family.is_revoked = True
            return _refused()
        return self._pair(name, 1, suffix=uuid.uuid4().hex)

    def _refreshed(self, name: str, family: _Family, counter: int) -> Response:
        if "keeps_token" in self.defects:
            return self._pair(name, counter)
        if counter == family.counter:
            family.counter, family.rotated_at = counter + 1, time.monotonic()
            return self._pair(name, family.counter)
        if "breaks" in self.defects:
            return Response(status_code=500)
        if counter == family.counter - 1 and self._in_grace(family) and "logs_out" not in self.defects:
            return self._pair(name, family.counter)
        if "accepts_replay" in self.defects:
            return self._pair(name, family.counter)
        family.is_revoked = "spares_family" not in self.defects
        return _refused()

    def _in_grace(self, family: _Family) -> bool:
        return time.monotonic() - family.rotated_at <= GRACE_S

    def _pair(self, name: str, counter: int, *, suffix: str = "") -> Response:
        life = TTL_S * 12 if "long_life" in self.defects else TTL_S
        claims: dict[str, Any] = {"sub": "ann", "exp": int(time.time()) + life, "n": counter}
        if "no_exp" in self.defects:
            del claims["exp"]
        if "dead_pair" in self.defects and counter == 1:
            claims["dead"] = True
        token = f"{name}.{counter}-{suffix}"
        answer = {"access_token": f"e30.{_base64(claims)}.sig", "refresh_token": token, "expires_in": life}
        if "no_exp" in self.defects:
            del answer["expires_in"]
        return JSONResponse(answer)

    async def me(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token.count(".") != 2:
            return _refused()
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return _refused() if "dead" in claims else JSONResponse({"sub": claims["sub"]})


def _base64(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def _refused() -> Response:
    return JSONResponse({"error": "invalid_grant"}, 401)
