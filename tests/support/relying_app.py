"""A small app that lets people sign in through a provider: sound, with defects to switch on.

It keeps accounts by (issuer, sub), sessions in a cookie, one password account (`ANN`), and the
provider's keys as the careful ones do. Defects are named where they are done.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from shipworthy.contract.manifest import Login, Manifest, OauthClient
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.gauntlet.idp.beside import welcome, with_provider
from shipworthy.gauntlet.idp.stub import Stub
from shipworthy.gauntlet.proxy.proxies import Proxy
from tests.support.ledger import served

ANN = Credential(email="ann@app.test", password="pw-a")
SIGN_IN = OauthClient(
    name="acme",
    start="GET /sign-in",
    callback="/back",
    session="GET /me",
    env={"ISSUER": "{issuer}", "CLIENT_ID": "{client_id}", "CLIENT_SECRET": "{client_secret}"},
    identity="account",
    algorithm="ES256",
)
MANIFEST = Manifest(
    app="Relying",
    oauth=(SIGN_IN,),
    login=Login(route="POST /login", form={"email": "{email}", "password": "{password}"}, ok=(204,)),
)
ANSWER_BYTES_MAX = 1_000_000
SKEW_S = 60


class Refused(Exception):
    """The sign-in is no good. The person is told so, without the reason."""


class Unreachable(Exception):
    """The provider did not answer as a provider does."""


@dataclass
class Relying:
    """The app. `cooldown_s` is the pause between two readings of the keys for an unknown kid."""

    env: dict[str, str]
    defects: set[str] = field(default_factory=set)
    cooldown_s: float = 30.0
    timeout_s: float = 0.5
    sessions: dict[str, str] = field(default_factory=dict)  # cookie -> account
    begun: dict[str, dict[str, str]] = field(default_factory=dict)  # state -> what was kept
    keys: dict[str, Any] = field(default_factory=dict)
    read_for_kid_at: float = float("-inf")
    facts: dict[str, Any] = field(default_factory=dict)
    base_url: str = ""
    client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(trust_env=False))

    def asgi(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", lambda _: PlainTextResponse("ok")),
                Route("/login", self.login, methods=["POST"]),
                Route("/sign-in", self.sign_in),
                Route("/back", self.back),
                Route("/me", self.me),
            ]
        )

    async def me(self, request: Request) -> Response:
        account = self.sessions.get(request.cookies.get("sid", ""))
        if account is None and "always_in" not in self.defects:
            return JSONResponse({"detail": "sign in"}, 401)
        if "shows_address" in self.defects and account == "ann":
            return PlainTextResponse(f"Signed in as {ANN.email}")
        return JSONResponse({"account": account})

    async def login(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if (form.get("email"), form.get("password")) != (ANN.email, ANN.password):
            return Response(status_code=401)
        return self._let_in("ann", Response(status_code=204))

    async def sign_in(self, request: Request) -> Response:
        try:
            discovery = await self._discovery()
        except Unreachable:
            return PlainTextResponse("the provider cannot be reached", 502)
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        if "guessable_state" in self.defects:
            kept["state"] = "1"
        self.begun[kept["state"]] = kept
        digest = hashlib.sha256(kept["verifier"].encode()).digest()
        asked = {
            "client_id": self.env["CLIENT_ID"],
            "redirect_uri": f"{self.base_url}/back",
            "response_type": "code",
            "scope": "openid email",
            "state": kept["state"],
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "plain" if "plain_pkce" in self.defects else "S256",
        }
        if "sends_no_nonce" not in self.defects:
            asked["nonce"] = kept["nonce"]
        answer = RedirectResponse(f"{discovery['authorization_endpoint']}?{urlencode(asked)}", 303)
        answer.set_cookie("begun", kept["state"], httponly=True, samesite="lax")
        return answer

    async def back(self, request: Request) -> Response:
        try:
            account = await self._account(request)
        except Refused:
            if "crashes_on_refusal" in self.defects:
                return PlainTextResponse("Internal Server Error", 500)
            return PlainTextResponse("the sign-in did not work; begin again", 400)
        except Unreachable as why:
            if "crashes" in self.defects:
                return PlainTextResponse(f"Traceback (most recent call last)\n{why}", 500)
            return PlainTextResponse("the provider cannot be reached", 502)
        return self._let_in(account, RedirectResponse("/me", 303))

    def _let_in(self, account: str, answer: Response) -> Response:
        sid = secrets.token_urlsafe(16)
        self.sessions[sid] = account
        answer.set_cookie("sid", sid, httponly=True, samesite="lax")
        return answer

    async def _account(self, request: Request) -> str:
        told = request.query_params
        kept = self._kept(request)
        if told.get("iss") != self.env["ISSUER"] and "no_iss_param_check" not in self.defects:
            raise Refused
        if "code" not in told:
            raise Refused
        tokens = await self._tokens(told["code"], kept["verifier"])
        claims = await self._verified(tokens, kept)
        if "asks_userinfo" in self.defects or "believes_userinfo" in self.defects:
            claims = await self._userinfo(tokens, claims)
        return self._linked(claims)

    def _kept(self, request: Request) -> dict[str, str]:
        """State must be one this app gave out, to this very browser, and is used up."""
        state, cookie = request.query_params.get("state", ""), request.cookies.get("begun", "")
        if "no_state" in self.defects:  # takes whatever sign-in was begun last
            return list(self.begun.values())[-1]
        if "any_state" not in self.defects and not hmac.compare_digest(state, cookie):
            raise Refused
        kept = self.begun.pop(state, None)
        if kept is None:
            raise Refused
        return kept

    def _linked(self, claims: dict[str, Any]) -> str:
        email, verified = claims.get("email"), claims.get("email_verified")
        if email == ANN.email:
            if "links_by_address" in self.defects:
                return "ann"
            if "links_verified_address" in self.defects and verified is True:
                return "ann"
            if "links_unless_denied" in self.defects and verified is not False:
                return "ann"
            raise Refused  # her password would be asked for here
        return f"{claims['iss']} {claims['sub']}"

    # Asking the provider

    async def _discovery(self) -> dict[str, Any]:
        if not self.facts or "forgets_discovery" in self.defects:
            self.facts = await self._ask("GET", f"{self.env['ISSUER']}/.well-known/openid-configuration")
        return self.facts

    async def _tokens(self, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{self.base_url}/back",
            "code_verifier": verifier,
            "client_id": self.env["CLIENT_ID"],
            "client_secret": self.env["CLIENT_SECRET"],
        }
        return await self._ask("POST", (await self._discovery())["token_endpoint"], data=form)

    async def _userinfo(self, tokens: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
        endpoint = (await self._discovery())["userinfo_endpoint"]
        told = await self._ask("GET", endpoint, headers={"authorization": f"Bearer {tokens['access_token']}"})
        if told["sub"] != claims["sub"] and "believes_userinfo" not in self.defects:
            raise Refused
        return {**claims, **told}

    async def _ask(self, method: str, url: str, **sent: Any) -> dict[str, Any]:
        """One request to the provider: no redirects, a bound on time and size, JSON or nothing."""
        timeout_s = 60.0 if "waits_forever" in self.defects else self.timeout_s
        try:
            async with (
                asyncio.timeout(timeout_s),
                self.client.stream(method, url, timeout=timeout_s, **sent) as answer,
            ):
                body = b""
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        raise Unreachable("too long")
        except (httpx.HTTPError, TimeoutError) as broken:
            raise Unreachable(repr(broken)) from broken
        if answer.status_code >= 500 or answer.status_code in (301, 302, 303, 307, 308):
            raise Unreachable(f"status {answer.status_code}")
        if answer.status_code >= 400:
            raise Refused
        try:
            document: dict[str, Any] = json.loads(body)
        except ValueError as broken:
            raise Unreachable("not JSON") from broken
        return document

    # Verifying

    async def _verified(self, tokens: dict[str, Any], kept: dict[str, str]) -> dict[str, Any]:
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise Refused
        header, claims = (json.loads(_unb64(part)) for part in token.split(".")[:2])
        await self._check_signature(token, header)
        now = time.time()
        nonce = "" if "sends_no_nonce" in self.defects else kept["nonce"]
        skew_s = 0 if "no_leeway" in self.defects else 3600 if "hour_of_leeway" in self.defects else SKEW_S
        wrong = {
            "iss": claims.get("iss") != self.env["ISSUER"],
            "aud": claims.get("aud") != self.env["CLIENT_ID"],
            "nonce": bool(nonce) and claims.get("nonce") != nonce,
            "exp": claims.get("exp", 0) < now - skew_s,
            "nbf": max(claims.get("nbf", 0), claims.get("iat", 0)) > now + skew_s,
        }
        if any(is_wrong and f"no_{name}_check" not in self.defects for name, is_wrong in wrong.items()):
            raise Refused
        verified: dict[str, Any] = claims
        return verified

    async def _check_signature(self, token: str, header: dict[str, Any]) -> None:
        if "no_signature_check" in self.defects:
            return None
        if header.get("alg") == "none" and "accepts_alg_none" in self.defects:
            return None
        if "follows_jku" in self.defects and "jku" in header:
            return self._decoded(token, KeySet.import_key_set(await self._ask("GET", header["jku"])))
        if "follows_x5u" in self.defects and "x5u" in header:
            return self._decoded(token, import_key((await self.client.get(header["x5u"])).content, "EC"))
        if "fetches_jku" in self.defects and "jku" in header:
            await self._ask("GET", header["jku"])
        if "takes_embedded_jwk" in self.defects and "jwk" in header:
            return self._decoded(token, import_key(header["jwk"]))
        key = await self._key(header.get("kid", ""))
        if header.get("alg") == "HS256" and "believes_alg" in self.defects:
            signed, _, signature = token.rpartition(".")
            made = hmac.new(key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
            if not hmac.compare_digest(made, _unb64(signature)):
                raise Refused
            return None
        if "tries_every_key" in self.defects:
            for published in self.keys.values():
                try:
                    return self._decoded(
                        token, import_key({**published.as_dict(private=False), "kid": header["kid"]})
                    )
                except Refused:
                    continue
        return self._decoded(token, key)

    def _decoded(self, token: str, key: Any) -> None:
        try:
            jwt.decode(token, key, algorithms=["ES256", "RS256"])
        except (JoseError, ValueError) as broken:
            raise Refused from broken

    async def _key(self, kid: str) -> Any:
        """A known key never waits; an unknown one may cause one reading in `cooldown_s`."""
        if kid not in self.keys and self._may_read():
            published = await self._ask("GET", (await self._discovery())["jwks_uri"])
            self.keys = {key["kid"]: import_key(key) for key in published["keys"]}
        if kid not in self.keys:
            raise Refused
        return self.keys[kid]

    def _may_read(self) -> bool:
        if not self.keys:
            return True
        if "never_reads_again" in self.defects:
            return False
        if "reads_for_every_kid" in self.defects:
            return True
        if time.monotonic() - self.read_for_kid_at < self.cooldown_s:
            return False
        self.read_for_kid_at = time.monotonic()
        return True


class RunningRelying:
    """The app as an instance of the examiner, with its defects, which a test may switch."""

    def __init__(self, app: Relying, target: Target, stub: Stub) -> None:
        self.app, self.target, self.stub = app, target, stub
        self.handle = Handle(base_url=app.base_url, tenants=(ANN,), started_in_s=0.0)

    def died(self) -> str:
        return ""


@asynccontextmanager
async def relying_running(
    *defects: str, front: Proxy | None = None, **facts: Any
) -> AsyncIterator[RunningRelying]:
    """Serve the app in this event loop, the stub beside it, behind `front`, as the examiner puts it there."""
    declared = Target(name="Relying", kind="command", manifest=MANIFEST, start=("in this process",))
    async with with_provider(declared, front) as (target, stub):
        assert stub is not None
        app = Relying(target.env, set(defects), **facts)
        async with served(app.asgi()) as app.base_url:
            running = RunningRelying(app, target, stub)
            welcome(target, stub, running.handle)
            yield running
        await app.client.aclose()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
