"""People with a second factor."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from shipworthy.rooms.auth.factors.totp import STEP_S, code_at
from tests.rooms.auth.conftest import AuthApp
from tests.support.client import Client

SETUP = "/account/factors/totp"


@dataclass
class Phone:
    """An authenticator app: it knows the secret and the app's clock."""

    auth: AuthApp
    secret: bytes
    codes: list[str] = field(default_factory=list)  # the recovery codes, as they were shown

    def code(self, *, steps: int = 0) -> str:
        return code_at(self.secret, int(self.auth.clock().timestamp()) // STEP_S + steps)

    def next_code(self) -> str:
        """Wait for the next code, as people do."""
        self.auth.clock.move(STEP_S)
        return self.code()


async def with_app(auth: AuthApp, client: Client) -> Phone:
    """Set an authenticator app up for whoever is signed in."""
    assert (await client.post(SETUP)).header("location") == SETUP
    phone = Phone(auth, await shown_secret(client))
    page = await client.post(f"{SETUP}/confirm", form={"code": phone.code()})
    assert page.status == 200, page.text
    phone.codes = re.findall(r"<code>([a-z2-7-]{19})</code>", page.text)
    auth.clock.move(STEP_S)  # the next sign-in is another half minute
    return phone


async def shown_secret(client: Client) -> bytes:
    """Return the secret as somebody would type it off the page."""
    import base64

    page = (await client.get(SETUP)).text
    found = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert found, page
    return base64.b32decode(found.group(1).replace(" ", ""))


async def halfway(auth: AuthApp, client: Client | None = None, **extra: str) -> Client:
    """Give the right password in a browser; the second step waits."""
    client = client or auth.client()
    answer = await auth.sign_in(client, **extra)
    assert answer.status == 303 and (answer.header("location") or "").startswith("/login/second"), (
        answer.headers
    )
    assert "sid" not in client.cookies
    return client


async def is_signed_in(client: Client) -> bool:
    return (await client.get("/account")).status == 200
