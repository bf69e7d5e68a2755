"""`shipworthy trace`: a waterfall of what was kept, found by the beginning of its id."""

from __future__ import annotations

import json
from pathlib import Path

from shipworthy.kernel.telemetry.export import TRACES_FILE, to_file
from shipworthy.kernel.telemetry.spans import Event, Span
from tests.cli.conftest import assert_refused, shipworthy


def test_a_trace_is_listed_shown_and_printed(home: Path) -> None:
    state = home / ".shipworthy"
    state.mkdir()
    failure = Event("exception", 5, {"exception.type": "Busy", "exception.message": "the [database] is busy"})
    to_file(state / TRACES_FILE)(
        [
            Span("ab" * 16, "1" * 16, "", "POST /login", 2, 1_000_000, 9_000_000, service="web"),
            Span(
                "ab" * 16,
                "2" * 16,
                "1" * 16,
                "auth.password",
                1,
                2_000_000,
                8_000_000,
                True,
                events=[failure],
            ),
            Span("cd" * 16, "3" * 16, "", "job site.[card]", 5, 20_000_000, 21_000_000, service="worker"),
        ]
    )
    listed = shipworthy("trace", cwd=home)
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.index("job site.[card]") < listed.stdout.index("POST /login")

    shown = shipworthy("trace", "ABAB ab".replace(" ", ""), cwd=home).stdout
    assert shown.index("POST /login") < shown.index("auth.password")
    assert "Busy: the [database] is busy" in shown

    printed = shipworthy("trace", "cdcdcd", "--json", "--state", str(state), cwd=home.parent)
    assert [json.loads(line)["name"] for line in printed.stdout.splitlines()] == ["job site.[card]"]


def test_what_cannot_be_found_is_said(home: Path) -> None:
    assert_refused(shipworthy("trace", "abcdef", cwd=home), "no trace is kept")
    (home / ".shipworthy").mkdir()
    to_file(home / ".shipworthy" / TRACES_FILE)([])
    assert_refused(shipworthy("trace", "abc", cwd=home), "at least 6 digits")
    assert_refused(
        shipworthy("trace", "abcdef", cwd=home), "no single trace begins with abcdef", "sample_percent"
    )
