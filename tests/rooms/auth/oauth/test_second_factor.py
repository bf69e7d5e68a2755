"""A second factor is asked for whatever opened the first step, and before an identity is linked."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.rooms.auth.conftest import PASSWORD
from tests.rooms.auth.factors.conftest import is_signed_in, with_app
from tests.rooms.auth.oauth.conftest import Browsing, rename_person


async def test_a_provider_opens_the_first_step_only_unless_it_is_trusted_with_both(
    browsing: Browsing,
) -> None:
    client = browsing.auth.client()
    await browsing.sign_in(client)
    phone = await with_app(browsing.auth, client)
    elsewhere = browsing.auth.client()
    answer = await browsing.sign_in(elsewhere)
    assert answer.header("location") == "/login/second?next=%2Faccount"
    assert not await is_signed_in(elsewhere)
    assert (await elsewhere.post("/login/second", form={"code": phone.code()})).status == 303
    principal = await browsing.auth.running.runtime.sessions.lookup(elsewhere.cookies["sid"])
    assert principal and principal.amr == ("fed", "otp", "mfa")

    runtime = browsing.auth.running.runtime
    providers = runtime.settings.auth.providers
    trusted = {**providers, "stub": replace(providers["stub"], second_factor_trusted=True)}
    runtime.settings = replace(runtime.settings, auth=replace(runtime.settings.auth, providers=trusted))
    assert (await browsing.sign_in(browsing.auth.client())).header("location") == "/account"


async def test_no_identity_is_linked_with_a_password_alone(browsing: Browsing) -> None:
    """Whoever has the password, or the mailbox, and an account at the provider has not the phone."""
    owner = browsing.auth.owner
    phone = await with_app(browsing.auth, await browsing.auth.signed_in())
    await rename_person(browsing.stub, email=owner.email)
    for proof in ("password", "code"):
        client = browsing.auth.client()
        assert (await browsing.sign_in(client)).header("location") == "/login/proof"
        given = {"password": PASSWORD} if proof == "password" else {"code": await _code(browsing)}
        answer = await client.post("/login/proof", form=given)
        assert answer.header("location") == "/login/second?next=%2Faccount"
        assert await browsing.counted("identity") == 0
        assert (await client.post("/login/second", form={"code": phone.next_code()})).status == 303
        assert await browsing.counted("identity") == 0


async def _code(browsing: Browsing) -> str:
    await browsing.auth.work()
    found = re.search(r"^(\d{4} \d{4})\s*$", browsing.auth.mails[-1].text, re.MULTILINE)
    assert found, browsing.auth.mails[-1].text
    return found.group(1)
