"""Preview tokens: good for one page of one site, for an hour, and for nothing else."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.site.preview.token import TOKEN_TTL_S, make_token, page_of

KEY, SITE, PAGE = b"k" * 32, uuid.uuid4(), uuid.uuid4()
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TOKEN = make_token(KEY, site_id=SITE, page_id=PAGE, now=NOW)


def test_a_token_opens_its_page_for_an_hour() -> None:
    assert page_of(KEY, TOKEN, site_id=SITE, now=NOW) == PAGE
    assert page_of(KEY, TOKEN, site_id=SITE, now=NOW + timedelta(seconds=TOKEN_TTL_S - 1)) == PAGE
    assert page_of(KEY, TOKEN, site_id=SITE, now=NOW + timedelta(seconds=TOKEN_TTL_S)) is None


def test_it_opens_nothing_on_another_site_or_of_another_installation() -> None:
    assert page_of(KEY, TOKEN, site_id=uuid.uuid4(), now=NOW) is None
    assert page_of(b"x" * 32, TOKEN, site_id=SITE, now=NOW) is None


@pytest.mark.parametrize("at", range(0, len(TOKEN), 5))
def test_a_changed_token_opens_nothing(at: int) -> None:
    changed = TOKEN[:at] + ("A" if TOKEN[at] != "A" else "B") + TOKEN[at + 1 :]
    assert page_of(KEY, changed, site_id=SITE, now=NOW) is None
    assert page_of(KEY, TOKEN[:at], site_id=SITE, now=NOW) is None


@given(st.text(max_size=90))
def test_any_other_text_opens_nothing(text: str) -> None:
    assert page_of(KEY, text, site_id=SITE, now=NOW) is None
