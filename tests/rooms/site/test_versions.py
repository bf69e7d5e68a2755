"""A version is an ETag, and nothing else is."""

from __future__ import annotations

import pytest

from shipworthy.rooms.site.versions import Stale, etag, require_version, version_of


def test_the_header_that_is_sent_is_the_one_that_is_understood() -> None:
    assert version_of(etag(12)[1]) == 12
    assert version_of(None) is version_of(" * ") is None


@pytest.mark.parametrize("header", ["12", 'W/"12"', '"x"', '"1", "2"', '""', '"99999999999"'])
def test_what_was_never_an_etag_of_ours_is_stale(header: str) -> None:
    with pytest.raises(Stale):
        version_of(header)


def test_another_version_than_the_one_seen_is_refused_with_the_one_that_stands() -> None:
    require_version(None, now=3)
    require_version(3, now=3)
    with pytest.raises(Stale) as stale:
        require_version(2, now=3)
    assert stale.value.version == 3
