"""What was asked for stands in app.toml, and reads back as it was asked."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.builder.toml import with_values

TEXT = '# head\n\n[app]\nname = "Inn"\n\n[sessions]\nidle_ttl_s = 86400 # a day\nstore = "postgres"\n\n[slo]\npage_p95_ms = 150\n'
PLAIN = st.one_of(
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.text(max_size=20),
    st.lists(st.text(max_size=5), max_size=3),
)
KEYS = st.text("abc-_ .\"'", min_size=1, max_size=6)


def test_values_take_their_places_and_remarks_stay() -> None:
    written = with_values(
        TEXT, {"sessions": {"idle_ttl_s": 86400, "cache_ttl_s": 1.5}, "slo": {"page_p95_ms": 100}}
    )
    assert written == (
        '# head\n\n[app]\nname = "Inn"\n\n[sessions]\nidle_ttl_s = 86400 # a day\nstore = "postgres"\ncache_ttl_s = 1.5\n'
        "\n[slo]\npage_p95_ms = 100\n"
    )


def test_tables_within_tables_come_behind_with_one_field_a_line() -> None:
    asked = {
        "auth": {"providers": {"google": {"kind": "google", "client_id": "x"}}},
        "room": {"cars": {"label": "Cars", "fields": {"plate": {"kind": "text", "required": True}}}},
    }
    written = with_values(TEXT, asked)
    assert written.startswith(TEXT)
    assert written.removeprefix(TEXT) == (
        '\n[auth.providers.google]\nkind = "google"\nclient_id = "x"\n'
        '\n[room.cars]\nlabel = "Cars"\n\n[room.cars.fields]\nplate = { kind = "text", required = true }\n'
    )


@given(
    st.dictionaries(
        st.sampled_from(["app", "slo", "new", "more"]), st.dictionaries(KEYS, PLAIN, max_size=3), max_size=4
    )
)
def test_whatever_is_asked_reads_back(asked: dict[str, dict[str, Any]]) -> None:
    said = tomllib.loads(with_values(TEXT, asked))
    for section, values in asked.items():
        assert {key: said[section][key] for key in values} == values if values else True
