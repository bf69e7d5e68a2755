"""One tenant as a file: out, deleted, back in, and the neighbour untouched. Covers: soundness."""

from __future__ import annotations

import json
import uuid
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shipworthy.kernel.db.inventory import table_rows
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.seed import demo_tenants, seed_demo, tenant_id_of
from shipworthy.kernel.soundness import look
from shipworthy.kernel.tenant_copy import export_tenant, import_tenant
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.auth.room import ROOM as AUTH
from shipworthy.rooms.invoicing.room import ROOM as INVOICING
from tests.support.app import RunningApp, app_running, make_settings

ROOMS = (AUTH, INVOICING)


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with app_running(cluster, ROOMS, tmp_path / "state") as running:
        await seed_demo(running.runtime, demo_tenants(running.runtime.realm_id, "a password of tests"))
        yield running


def _ids(app: RunningApp) -> tuple[uuid.UUID, uuid.UUID]:
    acme, globex = (tenant_id_of(app.runtime.realm_id, t) for t in demo_tenants(app.runtime.realm_id, ""))
    return acme, globex


async def _everything(app: RunningApp, tenant_id: uuid.UUID) -> dict[str, list[Any]]:
    tables = (
        "tenant",
        "membership",
        "invoice",
        "invoice_line",
        "invoice_tax",
        "series",
        "customer",
        "audit",
        "audit_head",
    )
    return {
        table: sorted(
            str(dict(row))
            for row in await app.admin(f"select * from {table} where tenant_id = $1", tenant_id)
        )
        for table in tables
    }


async def test_a_tenant_goes_out_and_comes_back_as_it_was(app: RunningApp, tmp_path: Path) -> None:
    acme, globex = _ids(app)
    files, url = app.runtime.files, app.url("admin")
    await files.put(f"{acme}/pdf/one", b"%PDF acme")
    await files.put(f"{globex}/pdf/one", b"%PDF globex")
    before, neighbour = await _everything(app, acme), await _everything(app, globex)
    assert before["invoice"]
    assert before["membership"]
    out = await export_tenant(url, files, acme, tmp_path / "acme.zip", delete=True)
    assert out.files == 1
    assert not any((await _everything(app, acme)).values())
    assert await files.keys(f"{acme}/") == []
    assert await _everything(app, globex) == neighbour
    assert await files.get(f"{globex}/pdf/one") == b"%PDF globex"
    with zipfile.ZipFile(tmp_path / "acme.zip") as archive:
        assert str(globex) not in archive.read("rows/invoice.jsonl").decode()

    assert not await seed_demo(app.runtime, demo_tenants(app.runtime.realm_id, "a password of tests")), (
        "it stays away"
    )

    back = await import_tenant(url, files, tmp_path / "acme.zip")
    assert back.rows == out.rows
    assert await _everything(app, acme) == before
    assert await files.get(f"{acme}/pdf/one") == b"%PDF acme"
    with pytest.raises(Conflict, match="in this database already"):
        await import_tenant(url, files, tmp_path / "acme.zip")
    with pytest.raises(Conflict, match="there already"):
        await export_tenant(url, files, acme, tmp_path / "acme.zip")
    with pytest.raises(Missing):
        await export_tenant(url, files, uuid.uuid4(), tmp_path / "nobody.zip")
    assert not (tmp_path / "nobody.zip").exists()


async def test_a_file_that_is_not_one_or_does_not_fit_is_refused_and_nothing_is_imported(
    app: RunningApp, tmp_path: Path
) -> None:
    acme, _ = _ids(app)
    files, url = app.runtime.files, app.url("admin")
    await export_tenant(url, files, acme, tmp_path / "acme.zip", delete=True)
    rows = await table_rows(url)
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(Invalid, match="not a tenant's file"):
        await import_tenant(url, files, tmp_path / "text.zip")
    _rewritten(tmp_path / "acme.zip", tmp_path / "other.zip", schema=["auth/other"])
    with pytest.raises(Conflict, match="another schema"):
        await import_tenant(url, files, tmp_path / "other.zip")
    _rewritten(tmp_path / "acme.zip", tmp_path / "table.zip", rows={"realm": 1})
    with pytest.raises(Invalid, match="'realm'"):
        await import_tenant(url, files, tmp_path / "table.zip")
    assert await table_rows(url) == rows
    await app.admin("truncate app_user cascade")
    rows = await table_rows(url)
    with pytest.raises(Conflict, match="membership"):
        await import_tenant(url, files, tmp_path / "acme.zip")
    assert await table_rows(url) == rows


async def test_what_does_not_hold_in_a_tenants_data_is_named(app: RunningApp) -> None:
    settings, url = make_settings(ROOMS), app.url("admin")
    acme, _ = _ids(app)
    sound = await look(settings, ROOMS, app.installation, admin_url=url)
    assert (sound.tenants, sound.wrong) == (2, ())
    gone = "select invoice_id from invoice where tenant_id = $1 and seq is not null order by seq limit 1"
    await app.admin(
        "with recursive gone as (" + gone + ") update invoice set seq = seq + 100000, number = number || '9' "
        "where invoice_id in (select invoice_id from gone)",
        acme,
    )
    found = await look(settings, ROOMS, app.installation, admin_url=url)
    assert len(found.wrong) == 1
    assert "Acme Plumbing: numbers of invoice" in found.wrong[0]


def _rewritten(source: Path, to: Path, **changes: Any) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            new.writestr(name, json.dumps({**json.loads(body), **changes}) if name == "tenant.json" else body)
        for table in changes.get("rows", {}):
            if f"rows/{table}.jsonl" not in old.namelist():
                new.writestr(f"rows/{table}.jsonl", "{}\n")
