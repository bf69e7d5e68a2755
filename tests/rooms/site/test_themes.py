"""The themes: each fits into the first round trip, is named by its hash and brings nothing from elsewhere."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re

import pytest

from shipworthy.rooms.site.themes import STYLE_SOURCES, STYLES, THEMES


def test_every_theme_has_its_styles() -> None:
    assert STYLES.keys() == THEMES.keys()
    assert len(set(STYLES.values())) == len(THEMES) >= 2


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_fits_into_the_first_round_trip_and_is_named(theme: str) -> None:
    style = STYLES[theme]
    assert len(gzip.compress(style.encode())) <= 14_000
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in STYLE_SOURCES
    assert not re.search(r"url\(|@import|<|/\*", style)
    assert style.count("{") == style.count("}")
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style
