"""GitHub: OAuth 2 without OpenID Connect. Who somebody is, its API says.

Source:  GitHub's documentation of OAuth apps and of the REST API (users, e-mail addresses).
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

from shipworthy.kernel.egress import Answered, Egress, ProviderFailed
from shipworthy.kernel.settings import ProviderSection
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

ISSUER = "https://github.com"
API = "https://api.github.com"
_SCOPES = ("read:user", "user:email")
_MEDIA = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}


class GitHub:
    """The one GitHub. `site` and `api` are other addresses only in tests."""

    def __init__(
        self,
        section: ProviderSection,
        *,
        name: str,
        label: str,
        secrets: Secrets,
        egress: Egress,
        site: str = ISSUER,
        api: str = API,
    ) -> None:
        self.name, self.label, self.secrets = name, label, secrets
        self.kind: str = section.kind
        self._client_id = section.client_id
        self._scope = " ".join(section.scopes or _SCOPES)
        self._egress, self._site, self._api = egress, site, api

    async def address(self, attempt: Attempt, *, state: str, challenge: str) -> str:
        return authorization(
            f"{self._site}/login/oauth/authorize",
            client_id=self._client_id,
            redirect_uri=attempt.redirect_uri,
            scope=self._scope,
            state=state,
            code_challenge=challenge,
            code_challenge_method="S256",
        )

    async def identify(self, attempt: Attempt, code: str, *, iss: str | None, now: datetime) -> Identity:
        if iss is not None and iss not in (ISSUER, f"{ISSUER}/login/oauth"):
            raise SignInRefused("the answer names another issuer")
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._identity(attempt, code, now)
        except TimeoutError as late:
            raise ProviderFailed(f"not done within {DEADLINE_S:g} s") from late

    async def close(self) -> None:
        """Nothing is kept and nothing is under way."""

    async def _identity(self, attempt: Attempt, code: str, now: datetime) -> Identity:
        tokens = await exchange(
            self._egress,
            f"{self._site}/login/oauth/access_token",
            client_id=self._client_id,
            secrets=self.secrets,
            attempt=attempt,
            code=code,
            by_basic=False,
            now=now,
        )
        token = tokens.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise ProviderFailed("no access token came")
        headers = {**_MEDIA, "authorization": f"Bearer {token}"}
        person, emails = await asyncio.gather(
            self._egress.get(f"{self._api}/user", headers=headers),
            self._egress.get(f"{self._api}/user/emails", headers=headers),
        )
        return _read(_ok(person), _ok(emails))


def _ok(answer: Answered) -> Answered:
    if answer.status != 200:
        raise ProviderFailed(f"the API answers {answer.status}")
    return answer


def _read(person: Answered, emails: Answered) -> Identity:
    user = read_json(person)
    number = user.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        raise ProviderFailed("the API names nobody")  # the login may change hands, the number never
    primary = _primary(emails)
    return Identity(
        issuer=ISSUER,
        subject=str(number),
        directory="",
        email=text_of(primary.get("email")),
        is_email_verified=primary.get("verified") is True,
        name=text_of(user.get("name"), chars_max=100) or text_of(user.get("login"), chars_max=100),
    )


def _primary(emails: Answered) -> dict[str, Any]:
    try:
        listed = json.loads(emails.body)
    except (ValueError, RecursionError) as broken:
        raise ProviderFailed("not JSON") from broken
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return next((entry for entry in entries if entry.get("primary") is True), {})
