"""`serve --deployable` says what is missing before it starts anything; tests/product/test_standing.py runs it."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.cli.inside import assert_refused_inside, typed

ENVIRONMENT = {
    "SHIPWORTHY_REALM": str(uuid.UUID(int=7)),
    "SHIPWORTHY_SIGNING_KEY": "k" * 40,
    "SHIPWORTHY_DB_URL_APP": "postgresql://app@127.0.0.1:1/app",
    "SHIPWORTHY_DB_URL_WORKER": "postgresql://worker@127.0.0.1:1/app",
    "SHIPWORTHY_DB_URL_ADMIN": "postgresql://owner@127.0.0.1:1/app",
}


def test_what_is_missing_is_named_and_nothing_is_started(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    state = tmp_path / "state"
    whole = {**ENVIRONMENT, "SHIPWORTHY_STATE": str(state)}
    for name in whole:
        for known, value in whole.items():
            monkeypatch.setenv(known, value)
        monkeypatch.delenv(name)
        assert_refused_inside(typed("serve", "--deployable"), name)
    assert not state.exists()
