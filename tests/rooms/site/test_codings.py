"""The form that is sent is one the caller welcomes, whatever stands in the header."""

from __future__ import annotations

import pytest

from shipworthy.rooms.site.codings import BROTLI, GZIP, PLAIN, coding_of


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("gzip, deflate, br, zstd", BROTLI), ("br", BROTLI), ("BR;Q=1.0", BROTLI), ("gzip", GZIP),
        ("gzip;q=1.0", GZIP), ("br;q=0.4, gzip;q=0.5", GZIP), ("br;q=0, gzip", GZIP), ("br , gzip ; q=0.9", BROTLI),
        ("gzip;q=0", PLAIN), ("gzip; q=0.000, br;q=0", PLAIN), ("identity;q=1, gzip;q=0", PLAIN), ("", PLAIN),
        ("*", PLAIN), ("brotli, x-gzip, gzipped", PLAIN), ("gzip;q=nan, br;q=high", PLAIN), ("gzip;q=2", PLAIN),
        ("gzip" + ", x" * 100, PLAIN), (",;=,;q", PLAIN), ("\u00ff\x00gzip", PLAIN),
    ],
)  # fmt: skip
def test_the_header_decides(header: str, coding: int) -> None:
    assert coding_of(header.encode("latin-1")) == coding
