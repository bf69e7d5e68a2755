"""What a list wrote is read again; anything else is one refusal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.site.cursors import closed, moment_of, opened


@pytest.mark.parametrize("text", ["", "a", "/übung", "next/2026-11-28T03:00:00+00:00/1"])
def test_what_was_closed_is_opened(text: str) -> None:
    assert opened(closed(text), str) == text


@pytest.mark.parametrize("cursor", ["x", "ü", "%", closed("no number"), closed("9" * 5_000)])
def test_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        opened(cursor, int)
    assert refused.value.code == "site.cursor_invalid"


def test_a_moment_needs_its_zone() -> None:
    at = datetime(2026, 11, 28, 4, tzinfo=timezone(timedelta(hours=1)))
    assert moment_of(at.isoformat()) == at.astimezone(UTC)
    with pytest.raises(ValueError, match="2026"):
        moment_of("2026-11-28T03:00:00")
