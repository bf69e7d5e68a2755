"""OpenID Connect: Google, Microsoft Entra and every other issuer that publishes what it is.

Source:  OpenID Connect Core 1.0 and Discovery 1.0; RFC 9207; Microsoft's pages on ID token claims.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shipworthy.kernel.egress import Egress, ProviderFailed, guarded
from shipworthy.kernel.settings import ProviderSection
from shipworthy.rooms.auth.oauth.documents import Cached, fresh_s_of
from shipworthy.rooms.auth.oauth.jose import ALGORITHMS, Expected, TokenRefused, read_id_token
from shipworthy.rooms.auth.oauth.keys import Keys, Published, read_published
from shipworthy.rooms.auth.oauth.providers import (
    DEADLINE_S,
    Attempt,
    Identity,
    Secrets,
    SignInRefused,
    authorization,
    exchange,
    read_json,
    text_of,
)

_ISSUERS = {
    "google": "https://accounts.google.com",
    "microsoft": "https://login.microsoftonline.com/organizations/v2.0",
}
_SCOPES = ("openid", "email", "profile")
_ENTRA_DIRECTORY = "{tenantid}"  # stands in the issuer of an Entra app that is open to many directories
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What an issuer says of itself, as far as we use it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str  # empty: it has none
    says_iss: bool  # whether its answers name it (RFC 9207)
    takes_basic: bool


class OpenId:
    """One issuer."""

    def __init__(
        self,
        section: ProviderSection,
        *,
        name: str,
        label: str,
        secrets: Secrets,
        egress: Egress,
        clock: Callable[[], float],
        count_discovery: Callable[[str], None] = lambda _: None,
        count_keys: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name, self.label, self.secrets = name, label, secrets
        self.kind: str = section.kind
        self._client_id = section.client_id
        self._scope = " ".join(dict.fromkeys(("openid", *(section.scopes or _SCOPES))))
        self._issuer = section.issuer or _ISSUERS[section.kind]
        self._algorithms = ALGORITHMS if section.kind == "oidc" else ("RS256",)
        self._egress = egress
        self._metadata = Cached(self._fetch_metadata, clock=clock, count=count_discovery)
        self._keys = Keys(self._fetch_keys, clock=clock, count=count_keys)

    async def address(self, attempt: Attempt, *, state: str, challenge: str) -> str:
        async with _deadline():
            metadata = await self._metadata.get()
        return authorization(
            metadata.authorization_endpoint,
            response_type="code",
            client_id=self._client_id,
            redirect_uri=attempt.redirect_uri,
            scope=self._scope,
            state=state,
            nonce=attempt.nonce,
            code_challenge=challenge,
            code_challenge_method="S256",
        )

    async def identify(self, attempt: Attempt, code: str, *, iss: str | None, now: datetime) -> Identity:
        try:
            async with _deadline():
                return self._identity(await self._claims(attempt, code, iss, now))
        except TokenRefused as refused:
            raise SignInRefused(str(refused)) from refused

    async def close(self) -> None:
        await asyncio.gather(self._metadata.close(), self._keys.close())

    async def _claims(self, attempt: Attempt, code: str, iss: str | None, now: datetime) -> dict[str, Any]:
        metadata = await self._metadata.get()
        if iss is None and metadata.says_iss:
            raise SignInRefused("the answer does not name its issuer, which this one promises")
        if iss is not None and _ENTRA_DIRECTORY not in metadata.issuer and iss != metadata.issuer:
            raise SignInRefused("the answer names another issuer")
        tokens = await exchange(
            self._egress,
            metadata.token_endpoint,
            client_id=self._client_id,
            secrets=self.secrets,
            attempt=attempt,
            code=code,
            by_basic=metadata.takes_basic,
            now=now,
        )
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise ProviderFailed("no ID token came with the tokens")
        claims = await read_id_token(
            id_token,
            keys=self._keys,
            algorithms=self._algorithms,
            expected=Expected(
                issuer=lambda said: is_issuer(metadata.issuer, said),
                client_id=self._client_id,
                nonce=attempt.nonce,
                now_s=now.timestamp(),
            ),
        )
        if iss is not None and iss != claims["iss"]:
            raise SignInRefused("the answer and its token name two issuers")
        return {**claims, **await self._told(metadata, claims, tokens.get("access_token"))}

    async def _told(self, metadata: Metadata, claims: dict[str, Any], access_token: object) -> dict[str, Any]:
        """Ask for what the ID token need not say (OpenID Connect Core 5.4); a token that says it is enough.

        Errors:  SignInRefused when the answer is about somebody else (5.3.2), ProviderFailed.
        """
        if "email" in claims or not metadata.userinfo_endpoint or not isinstance(access_token, str):
            return {}
        bearer = {"authorization": f"Bearer {access_token}"}
        answer = await self._egress.get(metadata.userinfo_endpoint, headers=bearer)
        if answer.status != 200:
            raise ProviderFailed(f"{metadata.userinfo_endpoint}: status {answer.status}")
        said = read_json(answer)
        if said.get("sub") != claims["sub"]:
            raise SignInRefused("userinfo speaks of somebody else than the ID token")
        return {name: said[name] for name in ("email", "email_verified", "name") if name in said}

    def _identity(self, claims: dict[str, Any]) -> Identity:
        is_entra = self.kind == "microsoft"
        directory = text_of(claims.get("tid")) if is_entra else ""
        if is_entra and not _UUID.fullmatch(directory):
            raise SignInRefused("an Entra token without a directory")
        # An Entra address is whatever the directory's administrator typed (nOAuth, 2023), unless
        # xms_edov says that the owner of the domain has proven it.
        verified = claims.get("xms_edov" if is_entra else "email_verified")
        return Identity(
            issuer=claims["iss"],
            subject=claims["sub"],
            directory=directory,
            email=text_of(claims.get("email")),
            is_email_verified=verified is True,
            name=text_of(claims.get("name"), chars_max=100),
        )

    async def _fetch_metadata(self) -> tuple[Metadata, float]:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        answer = await self._egress.get(url)
        if answer.status != 200:
            raise ProviderFailed(f"{url}: status {answer.status}")
        metadata = read_metadata(read_json(answer))
        several = self.kind == "microsoft" and _ENTRA_DIRECTORY in metadata.issuer
        if metadata.issuer != self._issuer and not several:
            raise ProviderFailed(f"{url} describes another issuer")
        return metadata, fresh_s_of(answer.headers)

    async def _fetch_keys(self) -> tuple[Published, float]:
        metadata = await self._metadata.get()
        answer = await self._egress.get(metadata.jwks_uri)
        if answer.status != 200:
            raise ProviderFailed(f"{metadata.jwks_uri}: status {answer.status}")
        return read_published(read_json(answer)), fresh_s_of(answer.headers)


def read_metadata(said: dict[str, Any]) -> Metadata:
    """Return what we use of a discovery document. Errors: ProviderFailed.

    The browser is sent to the authorization endpoint, so it must be one of the web's.
    """
    names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
    values = {name: said.get(name) for name in names}
    if not all(isinstance(value, str) and value for value in values.values()):
        raise ProviderFailed(f"the description lacks one of {', '.join(names)}")
    guarded(str(values["authorization_endpoint"]), loopback_allowed=True)
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    userinfo = said.get("userinfo_endpoint")
    return Metadata(
        **{name: str(value) for name, value in values.items()},
        userinfo_endpoint=userinfo if isinstance(userinfo, str) else "",
        says_iss=said.get("authorization_response_iss_parameter_supported") is True,
        takes_basic=isinstance(methods, list) and "client_secret_basic" in methods,
    )


def is_issuer(issuer: str, claims: dict[str, Any]) -> bool:
    """Whether the claims were made by this issuer, or by the one of the directory they name."""
    if _ENTRA_DIRECTORY not in issuer:
        return bool(claims["iss"] == issuer)
    directory = claims.get("tid")
    is_named = isinstance(directory, str) and bool(_UUID.fullmatch(directory))
    return is_named and claims["iss"] == issuer.replace(_ENTRA_DIRECTORY, str(directory))


class _deadline:
    """`DEADLINE_S` for all that is inside. Errors: ProviderFailed."""

    async def __aenter__(self) -> None:
        self._timeout = asyncio.timeout(DEADLINE_S)
        await self._timeout.__aenter__()

    async def __aexit__(self, *failure: Any) -> None:
        try:
            await self._timeout.__aexit__(*failure)
        except TimeoutError as late:
            raise ProviderFailed(f"not done within {DEADLINE_S:g} s") from late
