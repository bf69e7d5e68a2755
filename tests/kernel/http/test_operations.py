"""What the operator may ask: metrics with exemplars and the traces that were kept, and nobody else. Covers: telling, trace_pages."""

from __future__ import annotations

import asyncio
from html import unescape
from pathlib import Path

from shipworthy.kernel.settings import TelemetrySection
from shipworthy.kernel.telemetry.export import TRACES_FILE
from shipworthy.kernel.telemetry.reading import recent
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.conftest import signed_in
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running, make_settings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ALL = make_settings((ROOM,), telemetry=TelemetrySection(sample_percent=100))


async def kept(app: RunningApp) -> None:
    """Let the spans be written: the exporter does so every second."""
    while not (app.installation.state / TRACES_FILE).exists():
        await asyncio.sleep(0.01)


async def test_traces_and_metrics_are_shown_to_the_machine_itself_and_not_by_a_proxy(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    async with app_running(cluster, (ROOM,), tmp_path, settings=ALL) as app:
        client = await signed_in(app)
        sent = {"idempotency-key": "k", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        assert (await client.post("/notes", json_body={"text": "x"}, headers=sent)).status == 201
        await kept(app)
        here, elsewhere = app.client(), app.client(address="10.0.0.9")
        shown = await here.get(f"/-/traces/{TRACE}")
        assert shown.status == 200
        for name in ("POST /notes", "auth.session", "toy.note_create", "kernel.audit_write"):
            assert name in unescape(shown.text)
        listed = await here.get("/-/traces")
        assert f"/-/traces/{TRACE}" in unescape(listed.text)
        metrics = await here.get("/-/metrics", headers={"accept": "application/openmetrics-text"})
        assert f'trace_id="{TRACE}"' in metrics.text
        assert "trace_id" not in (await here.get("/-/metrics")).text
        for path in ("/-/traces", f"/-/traces/{TRACE}", "/-/metrics"):
            assert (await elsewhere.get(path)).status == 404
            assert (await here.get(path, headers={"x-forwarded-for": "10.0.0.9"})).status == 404
        assert (await here.get("/-/traces/ffffffffff")).status == 404
        assert (await here.get("/-/traces/../../etc/passwd")).status == 404


async def test_a_crash_is_kept_though_nothing_is_sampled_and_tells_no_detail(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    nothing = make_settings((ROOM,), telemetry=TelemetrySection(sample_percent=0))
    async with app_running(cluster, (ROOM,), tmp_path, settings=nothing) as app:
        assert (await app.client().get("/crash")).status == 500
        assert (await app.client().get("/nothing-here")).status == 404
    [failed] = recent(tmp_path / TRACES_FILE, most=9)
    assert failed.is_error
    assert failed.name == "GET /crash"


async def test_without_metrics_nothing_is_counted(cluster: PostgresAddress, tmp_path: Path) -> None:
    quiet = make_settings((ROOM,), telemetry=TelemetrySection(metrics=False))
    async with app_running(cluster, (ROOM,), tmp_path, settings=quiet) as app:
        await app.client().get("/owned")
        assert 'route="GET /owned"' not in (await app.client().get("/-/metrics")).text
