"""The kinds of providers: GitHub by its API, Entra by its directories, secrets that are replaced.

Covers: github, oidc, installed.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from shipworthy.gauntlet.idp.web import Listener, Request, Response
from shipworthy.kernel.breaker import Breaker
from shipworthy.kernel.egress import Egress, ProviderFailed
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.settings import AuthSection, ProviderSection
from shipworthy.rooms.auth.oauth.github import ISSUER, GitHub
from shipworthy.rooms.auth.oauth.installed import open_providers, variable_of
from shipworthy.rooms.auth.oauth.oidc import OpenId, is_issuer, read_metadata
from shipworthy.rooms.auth.oauth.providers import Attempt, Secrets, SignInRefused
from tests.rooms.auth.conftest import auth_settings
from tests.rooms.auth.oauth.conftest import APP, Browsing

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ATTEMPT = Attempt(redirect_uri="http://localhost/cb", verifier="v" * 64, nonce="n")
EMAILS = [
    {"email": "old@x.example", "verified": True},
    {"email": "ada@x.example", "primary": True, "verified": True},
]


@dataclass
class FakeGitHub:
    """What GitHub answers, as its documentation shows it."""

    user: Any = field(default_factory=lambda: {"id": 7, "login": "ada", "name": "Ada Berg"})
    emails: Any = field(default_factory=lambda: EMAILS)
    secret: str = "s"
    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        if request.path == "/login/oauth/access_token":
            sent = dict(parse_qsl(request.body.decode()))
            good = sent["client_secret"] == self.secret
            said = {"access_token": "t"} if good else {"error": "incorrect_client_credentials"}
            return _json(said if sent["code"] == "c" else {"error": "bad_verification_code"})
        if request.headers.get("authorization") != "Bearer t":
            return _json({}, status=401)
        return _json(self.user if request.path == "/user" else self.emails)


@asynccontextmanager
async def github(fake: FakeGitHub, **secrets: str) -> AsyncIterator[GitHub]:
    listener = Listener(fake.answer)
    await listener.open(0)
    egress = Egress(loopback_allowed=True, breaker=Breaker(clock=lambda: 0.0))
    yield GitHub(
        ProviderSection(client_id="ours", kind="github"),
        name="github",
        label="GitHub",
        secrets=Secrets(secrets or {"A": "s"}),
        egress=egress,
        site=listener.url,
        api=listener.url,
    )
    listener.close()


async def test_github_says_who_somebody_is_by_number_and_primary_address() -> None:
    fake = FakeGitHub()
    async with github(fake) as provider:
        address = await provider.address(ATTEMPT, state="s", challenge="c")
        identity = await provider.identify(ATTEMPT, "c", iss=None, now=NOW)
    asked = dict(parse_qsl(urlsplit(address).query))
    assert (asked["code_challenge_method"], asked["scope"]) == ("S256", "read:user user:email")
    assert (identity.issuer, identity.subject, identity.email) == (ISSUER, "7", "ada@x.example")
    assert (identity.is_email_verified, identity.name) == (True, "Ada Berg")
    assert dict(parse_qsl(fake.asked[0].body.decode()))["code_verifier"] == ATTEMPT.verifier


@pytest.mark.parametrize("emails", [[], {}, [{"email": "a@x.example", "primary": True}], "x", [1]])
async def test_github_vouches_for_no_address_it_does_not_call_verified(emails: Any) -> None:
    async with github(FakeGitHub(emails=emails)) as provider:
        assert not (await provider.identify(ATTEMPT, "c", iss=None, now=NOW)).is_email_verified


@pytest.mark.parametrize("user", [[], {}, {"id": "7"}, {"id": True}, {"id": 0}])
async def test_github_that_names_nobody_has_failed(user: Any) -> None:
    async with github(FakeGitHub(user=user)) as provider:
        with pytest.raises(ProviderFailed):
            await provider.identify(ATTEMPT, "c", iss=None, now=NOW)


async def test_github_that_refuses_the_code_or_names_another_issuer_signs_nobody_in() -> None:
    async with github(FakeGitHub()) as provider:
        for code, iss in (("used", None), ("c", "https://evil.example")):
            with pytest.raises(SignInRefused):
                await provider.identify(ATTEMPT, code, iss=iss, now=NOW)


async def test_of_two_live_secrets_the_one_that_works_is_found_and_kept() -> None:
    fake = FakeGitHub(secret="new")
    async with github(fake, OLD="old", OLD_NEXT="new") as provider:
        await provider.identify(ATTEMPT, "c", iss=None, now=NOW)
        assert provider.secrets.used_at == {"OLD_NEXT": NOW}
        before = len(fake.asked)
        await provider.identify(ATTEMPT, "c", iss=None, now=NOW)
        assert [r.path for r in fake.asked[before:]].count("/login/oauth/access_token") == 1


async def test_secrets_none_of_which_works_are_our_failure_and_not_the_persons() -> None:
    async with github(FakeGitHub(), OLD="old", OLD_NEXT="older") as provider:
        with pytest.raises(ProviderFailed, match="credentials"):
            await provider.identify(ATTEMPT, "c", iss=None, now=NOW)


async def test_a_secret_is_replaced_at_the_stub_without_a_failed_sign_in(browsing: Browsing) -> None:
    assert (await browsing.sign_in()).status == 303
    browsing.stub.register(replace(APP, secrets=("another",)))
    assert (await browsing.sign_in()).status == 503  # with one secret of ours, and that one gone
    browsing.stub.register(replace(APP, secrets=(APP.secrets[0], "another")))
    assert (await browsing.sign_in()).status == 303
    text = (await browsing.auth.client().get("/-/metrics")).text
    assert 'auth_oauth_secrets_total{variable="SHIPWORTHY_OAUTH_STUB_SECRET"} 2.0' in text


def test_an_entra_issuer_is_the_one_of_the_directory_its_token_names() -> None:
    issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
    directory = "9188040d-6c67-4c5b-b112-36a304b66dad"
    mine = issuer.replace("{tenantid}", directory)
    assert is_issuer(issuer, {"iss": mine, "tid": directory})
    for claims in (
        {"iss": mine, "tid": "0" * 36},
        {"iss": mine},
        {"iss": issuer, "tid": "{tenantid}"},
        {"iss": "https://login.microsoftonline.com/../v2.0", "tid": ".."},
    ):
        assert not is_issuer(issuer, claims)


@pytest.mark.parametrize(
    ("claims", "verified"),
    [({}, False), ({"email_verified": True}, False), ({"xms_edov": True}, True), ({"xms_edov": "1"}, False)],
)
def test_entra_vouches_for_an_address_by_its_own_claim_only(claims: dict[str, Any], verified: bool) -> None:
    provider = _entra()
    said = {
        "iss": "i",
        "sub": "s",
        "email": "a@x.example",
        "tid": "9188040d-6c67-4c5b-b112-36a304b66dad",
        **claims,
    }
    identity = provider._identity(said)
    assert (identity.is_email_verified, identity.directory) == (verified, said["tid"])
    with pytest.raises(SignInRefused):
        provider._identity({**said, "tid": ""})


@pytest.mark.parametrize("change", [{"issuer": 1}, {"jwks_uri": ""}, {"authorization_endpoint": "javascript:alert(1)"},
                                    {"authorization_endpoint": "http://accounts.example/"}])  # fmt: skip
def test_a_description_that_is_not_in_order_is_a_failure(change: dict[str, Any]) -> None:
    good = dict.fromkeys(
        ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"), "https://x.example/"
    )
    assert read_metadata(good).takes_basic
    with pytest.raises(ProviderFailed):
        read_metadata({**good, **change})


def test_providers_are_opened_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPWORTHY_OAUTH_MY_IDP_SECRET_NEXT", "s")
    sections = {
        "google": ProviderSection(client_id="a", kind="google"),
        "github": ProviderSection(client_id="a", kind="github"),
        "my-idp": ProviderSection(client_id="a", issuer="https://idp.example", label="Our own"),
    }
    opened = open_providers(
        auth_settings(auth=AuthSection(providers=sections)),
        count_discovery=_ignore,
        count_keys=_ignore,
        count_secrets=_ignore,
    )
    assert [(p.name, p.label, len(p.secrets)) for p in opened.values()] == [
        ("google", "Google", 0),
        ("github", "GitHub", 0),
        ("my-idp", "Our own", 1),
    ]
    assert variable_of("my-idp") == "SHIPWORTHY_OAUTH_MY_IDP_SECRET"


def test_missing_is_what_an_unknown_provider_is(browsing: Browsing) -> None:
    from shipworthy.rooms.auth.oauth.installed import provider_of

    with pytest.raises(Missing):
        provider_of(browsing.auth.running.runtime, "nobody")


def _ignore(_: str) -> None:
    """Nothing is counted here."""


def _entra() -> OpenId:
    return OpenId(
        ProviderSection(client_id="a", kind="microsoft"),
        name="microsoft",
        label="Microsoft",
        secrets=Secrets({}),
        egress=Egress(loopback_allowed=False, breaker=Breaker(clock=lambda: 0.0)),
        clock=lambda: 0.0,
    )


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(
        status=status, body=json.dumps(value).encode(), headers={"content-type": "application/json"}
    )
