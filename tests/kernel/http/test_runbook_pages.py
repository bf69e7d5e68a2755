"""The runbook in the console: as it lies in the app's folder, markup as text, for operators and nobody else. Covers: runbook_pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from shipworthy.local.postgres import PostgresAddress
from tests.kernel.conftest import signed_in
from tests.kernel.objectives.test_web import operator_of
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running

RESTORE = """---
title: Restore: everything, or <b>one</b> tenant
kind: procedure
subject:
incident: data
blast: only the swap touches people
escalate: at once to on-call secondary
drilled: date=2026-11-28T08:15:00Z commit=1a2b3c result=failed page=aa evidence=bb
---

First look at [the card](README.md), then [the queues](diagrams/queues.md#jobs) and [elsewhere](https://example.test/a.md).

<script>alert(1)</script>

Customers say what nobody wrote.

```sql check expect=1..
select 1 where '<tenant>' = 'x'
```

| a | b |
|---|---|
| 1 | 2 |
"""
ALERT = "---\ntitle: Sign-ins are slow\nkind: alert\n---\n\nLook at the line.\n"


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with app_running(cluster, (ROOM,), tmp_path) as running:
        running.runtime.runbook_folder = tmp_path / "runbook"
        yield running


def built(app: RunningApp) -> Path:
    folder = app.runtime.runbook_folder
    (folder / "diagrams").mkdir(parents=True)
    (folder / "README.md").write_text("# Acme\n\nThe service card.\n")
    (folder / "restore.md").write_text(RESTORE)
    (folder / "slo-login.md").write_text(ALERT)
    (folder / "diagrams" / "queues.md").write_text("# Queues\n\n```mermaid\ngraph TD\n```\n")
    (folder / "evidence").mkdir()
    (folder / "oncall.ics").write_text("BEGIN:VCALENDAR")
    return folder


async def test_an_operator_sees_all_pages_alerts_first_with_their_drills(app: RunningApp) -> None:
    client = await operator_of(app)
    empty = await client.get("/operator/runbook")
    assert (empty.status, "shipworthy runbook build" in empty.text) == (200, True)
    built(app)
    page = (await client.get("/operator/runbook")).text
    assert "<b>one</b>" not in page
    titles = ["Sign-ins are slow", "Restore: everything, or <b>one</b> tenant", "Queues"]
    assert sorted(titles, key=unescape(page).index) == titles
    assert "2026-11-28" in page and "Failed" in page and "The service card." in page


async def test_a_page_is_shown_with_markup_as_text_and_links_among_pages(app: RunningApp) -> None:
    client = await operator_of(app)
    built(app)
    page = (await client.get("/operator/runbook/restore")).text
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<b>one</b>" not in page
    assert "sql check expect=1.." in page and "&#x27;&lt;tenant&gt;&#x27;" in page
    assert '<a href="/operator/runbook">the card</a>' in page
    assert '<a href="/operator/runbook/queues#jobs">the queues</a>' in page
    assert 'href="https://example.test/a.md"' in page
    assert "<table>" in page and "only the swap touches people" in page and "2026-11-28" in page
    assert "graph TD" in (await client.get("/operator/runbook/queues")).text


@pytest.mark.parametrize("name", ["nothing", "oncall.ics", "..%2Fsecrets", "%2e%2e", "evidence", "README.md"])
async def test_no_name_leads_to_another_file(app: RunningApp, name: str, tmp_path: Path) -> None:
    client = await operator_of(app)
    built(app)
    (tmp_path / "secrets.md").write_text("# Secret\n")
    assert (await client.get(f"/operator/runbook/{name}")).status == 404


async def test_nobody_else_sees_it(app: RunningApp) -> None:
    built(app)
    client = await signed_in(app, tenant="Acme")
    for path in ("/operator/runbook", "/operator/runbook/restore"):
        assert (await client.get(path)).status in (403, 404), path
