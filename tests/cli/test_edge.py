"""`shipworthy edge`: what was turned away, found by the beginning of its number."""

from __future__ import annotations

from pathlib import Path

from shipworthy.kernel.edge.events import EDGE_FILE, Events, Happened
from shipworthy.kernel.http.metrics import Metrics
from shipworthy.kernel.telemetry.export import to_file
from tests.cli.conftest import assert_refused, shipworthy


def test_a_request_is_listed_explained_and_what_cannot_be_found_is_said(home: Path) -> None:
    assert_refused(shipworthy("edge", "events", cwd=home), "nothing was turned away yet")
    state = home / ".shipworthy"
    state.mkdir()
    events = Events(Metrics(), keep=to_file(state / EDGE_FILE))
    happened = Happened(
        rule="sql.union", says="a second SELECT", part="query q", method="GET", path="/customers",
        network="203.0.113.0/24", excerpt="union select [1]", score=5,
    )  # fmt: skip
    events.tell(happened, trace_id="ab" * 16, is_refused=True)
    events.tell(
        Happened(rule="limit.network", says="more", part="network"), trace_id="cd" * 16, is_refused=True
    )

    listed = shipworthy("edge", "events", cwd=home)
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.index("limit.network") < listed.stdout.index("sql.union")

    explained = shipworthy("edge", "explain", "ABABAB", "--state", str(state), cwd=home.parent).stdout
    for said in (
        "sql.union",
        "refused",
        "union select [1]",
        "203.0.113.0/24",
        "edge.refuse_attacks",
        "ab" * 16,
    ):
        assert said in explained

    assert_refused(shipworthy("edge", "explain", "abc", cwd=home), "at least 6 digits")
    assert_refused(shipworthy("edge", "explain", "ef" * 8, cwd=home), "knows of no single request")
    rules = shipworthy("edge", "rules", cwd=home).stdout
    assert "encoding.overlong" in rules and "Core Rule Set: " in rules
