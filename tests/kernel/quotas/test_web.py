"""The page of usage: for owners, in their language, about their own organisation.

Covers: web.
"""

from __future__ import annotations

import csv
import io
from html import unescape

from tests.kernel.conftest import signed_in
from tests.kernel.quotas.conftest import Clock, use
from tests.support.app import RunningApp


async def test_an_owner_sees_what_is_left_and_nobody_else_does(app: RunningApp, clock: Clock) -> None:
    clock.move(days=4)
    owner, other = await signed_in(app), await signed_in(app, tenant="Beta")
    guest = await signed_in(app, tenant="Guest", role="guest")
    (acme,) = await app.admin("select tenant_id from tenant where name = 'Acme'")
    clock.move(days=-4)  # nobody is signed in for so long
    for _ in range(4):
        await use(app, acme["tenant_id"], "mails", 12)
        clock.move(days=1)
    page = await owner.get("/usage")
    assert page.status == 200
    for words in (
        "48 mails",
        "of 100 mails",
        "it is used up in 4 days, on 10 Nov 2026",
        "There is no limit.",
        'href="/usage.csv"',
    ):
        assert words in unescape(page.text), words
    assert page.text.count('<svg viewBox="0 0 600 160"') == 4
    assert "style=" not in page.text
    german = await owner.get("/usage", headers={"accept-language": "de"})
    assert "von 100 E-Mails" in german.text and "Wenn es so weitergeht" in german.text
    assert "48 mails" not in (await other.get("/usage")).text
    assert (await guest.get("/usage")).status == 403
    table = list(csv.reader(io.StringIO((await owner.get("/usage.csv")).text)))
    assert table[0] == ["day", "meter", "amount"] and table[1:] == [
        [f"2026-11-0{day}", "mails", "12"] for day in (2, 3, 4, 5)
    ]
    assert (await guest.get("/usage.csv")).status == 403
