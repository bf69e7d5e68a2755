"""What the access log says becomes what the judge hears: whose it was, and what is nobody's fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shipworthy.delivery.access import AccessLog, Seen, judged


def line(**fields: Any) -> str:
    said = {
        "arm": "canary", "journey": "page", "code": 200, "flags": "-", "ms": 12, "tenant": None,
        "session": "abc123", "probe": None, "host": "localhost:8000", "peer": "10.0.0.1",
    }  # fmt: skip
    return json.dumps({**said, **fields}) + "\n"


def test_it_reads_what_is_new_and_waits_for_the_rest_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_text(line(code=500))
    log = AccessLog(path, salt="s")
    whole = line(ms=7)
    with path.open("a") as file:
        file.write(line() + "not json\n" + '{"arm": "stable"}\n' + whole[:20])
    assert [one.ms for one in log.new()] == [12.0]
    with path.open("a") as file:
        file.write(whole[20:])
    assert [one.ms for one in log.new()] == [7.0]
    assert log.new() == []


def test_a_failed_answer_is_of_the_tenant_its_session_was_of(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    log = AccessLog(path, salt="s", console_hosts=frozenset({"localhost"}))
    path.write_text(
        line(tenant="t1")
        + line(code=503)
        + line(session=None, code=503)
        + line(host="acme.example", session="x")
    )
    assert [one.tenant for one in log.new()] == ["t1", "t1", "", "acme.example"]


def test_only_who_knows_the_salt_is_a_probe_and_has_a_say_each_time(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    log = AccessLog(path, salt="s3cret")
    path.write_text(
        line(probe="canary.s3cret") * 2
        + line(probe="canary.guess", session=None)
        + line(probe="baseline.s3cret")
    )
    seen = log.new()
    assert [one.is_probe for one in seen] == [True, True, False, False]
    assert seen[0].session != seen[1].session
    assert seen[2].session == "10.0.0.1"


def test_a_visitor_who_left_early_says_nothing_and_one_who_left_late_says_slow() -> None:
    def left(ms: float) -> Seen:
        return Seen(arm="canary", journey="page", code=0, ms=ms, tenant="", session="s")

    assert judged(left(10), {"page": 100.0}) is None
    late = judged(left(200), {"page": 100.0})
    assert late is not None
    assert (late.slow, late.failed, late.journey) == (True, False, "page")
    other = judged(
        Seen(arm="canary", journey="other", code=502, ms=1, tenant="", session="s"), {"page": 100.0}
    )
    assert other is not None
    assert (other.failed, other.slow, other.journey) == (True, False, "")
