"""Signing keys: always the same for a period, another for every realm, and published before they sign."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from shipworthy.rooms.auth.programs.keys import PERIOD_S, keys_at

REALM = uuid.UUID(int=1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_key_is_the_same_whenever_it_is_recomputed() -> None:
    first, again = (keys_at(b"key", realm_id=REALM, now=NOW)[0] for _ in range(2))
    assert first.published == again.published
    assert "d" not in first.published
    assert first.published["crv"] == "P-256"


def test_other_realms_and_other_installations_have_other_keys() -> None:
    kids = {
        key.kid
        for signing_key in (b"one", b"two")
        for realm_id in (REALM, uuid.UUID(int=2))
        for key in keys_at(signing_key, realm_id=realm_id, now=NOW)
    }
    assert len(kids) == 2 * 2 * 3


def test_the_next_key_is_published_a_period_before_it_signs_and_the_last_one_a_period_after() -> None:
    now_key, next_key, _ = keys_at(b"key", realm_id=REALM, now=NOW)
    later = keys_at(b"key", realm_id=REALM, now=NOW + timedelta(seconds=PERIOD_S))
    assert later[0] == next_key
    assert later[2] == now_key
    much_later = keys_at(b"key", realm_id=REALM, now=NOW + timedelta(seconds=2 * PERIOD_S))
    assert now_key.kid not in {key.kid for key in much_later}
