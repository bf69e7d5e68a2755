"""What every provider promises, and the exchange of a code, which all make alike."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote_plus, urlencode

from shipworthy.kernel.egress import Answered, Egress, ProviderFailed

# Everything a callback may wait for at a provider, together: documents, keys, and the code's exchange.
DEADLINE_S = 2.5


class SignInRefused(Exception):
    """The provider said no, or what it said is not to be believed. The message is for the log."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Somebody at a provider. The first three name them for ever; the others are what they say today."""

    issuer: str
    subject: str
    directory: str  # the tenant of an Entra account; empty elsewhere
    email: str
    is_email_verified: bool
    name: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What ties an answer to the question it belongs to."""

    redirect_uri: str
    verifier: str
    nonce: str


class Provider(Protocol):
    """One provider. Every method raises ProviderFailed when it is away or answers with garbage."""

    name: str
    label: str
    kind: str
    secrets: Secrets

    async def address(self, attempt: Attempt, *, state: str, challenge: str) -> str:
        """Return where the browser goes to be asked."""

    async def identify(self, attempt: Attempt, code: str, *, iss: str | None, now: datetime) -> Identity:
        """Return who the code stands for. Errors: SignInRefused."""

    async def close(self) -> None:
        """Give up what is under way."""


class Secrets:
    """The live secrets of one client: the one that worked last is tried first.

    Two may live at once, so that one can be replaced without a moment in which neither works.
    """

    def __init__(self, secrets: Mapping[str, str], *, count: Callable[[str], None] = lambda _: None) -> None:
        self._secrets, self._count = dict(secrets), count
        self.used_at: dict[str, datetime] = {}

    def __len__(self) -> int:
        return len(self._secrets)

    def in_order(self) -> list[tuple[str, str]]:
        return list(self._secrets.items())

    def worked(self, variable: str, *, at: datetime) -> None:
        self.used_at[variable] = at
        self._count(variable)
        self._secrets = {variable: self._secrets.pop(variable), **self._secrets}


def authorization(endpoint: str, **asked: str) -> str:
    """Return the address with the question in it, after whatever query it has."""
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def read_json(answer: Answered) -> dict[str, Any]:
    """Return the JSON object an answer holds. Errors: ProviderFailed."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError) as broken:
        raise ProviderFailed("not JSON") from broken
    if not isinstance(value, dict):
        raise ProviderFailed("not a JSON object")
    return value


async def exchange(
    egress: Egress,
    endpoint: str,
    *,
    client_id: str,
    secrets: Secrets,
    attempt: Attempt,
    code: str,
    by_basic: bool,
    now: datetime,
) -> dict[str, Any]:
    """Return the tokens a code stands for. A secret the provider does not know makes room for the other.

    Errors:  ProviderFailed, SignInRefused.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": attempt.redirect_uri,
        "code_verifier": attempt.verifier,
    }
    refused: dict[str, Any] = {}
    for variable, secret in secrets.in_order() or [("", "")]:
        sent, headers = _credentials(client_id, secret, form, by_basic=by_basic)
        answer = await egress.post(endpoint, sent, headers=headers)
        said = read_json(answer)
        if answer.status == 200 and "error" not in said:
            if variable:
                secrets.worked(variable, at=now)
            return said
        refused = said
        if said.get("error") not in ("invalid_client", "incorrect_client_credentials"):
            break
    # Our own credentials are wrong: nothing the person could do about it.
    if refused.get("error") in ("invalid_client", "incorrect_client_credentials", "unauthorized_client"):
        raise ProviderFailed(f"our credentials are refused: {str(refused.get('error'))[:80]}")
    raise SignInRefused(f"the code is refused: {str(refused.get('error'))[:80]}")


def _credentials(
    client_id: str, secret: str, form: dict[str, str], *, by_basic: bool
) -> tuple[dict[str, str], dict[str, str]]:
    if secret and by_basic:
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"  # RFC 6749 2.3.1
        return form, {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    secret_field = {"client_secret": secret} if secret else {}
    return {**form, "client_id": client_id, **secret_field}, {}


def text_of(value: object, *, chars_max: int = 255) -> str:
    """Return a text a provider said, as one line that may be kept and shown; empty when it is none."""
    if not isinstance(value, str):
        return ""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", value).strip()[:chars_max]
