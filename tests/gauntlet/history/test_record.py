"""A record says what a run concluded, in a tenth of its report, and reads back as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shipworthy.contract.strict import Undecodable
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.history.record import BETWEEN, read, record_of, written
from shipworthy.gauntlet.report.document import document_of
from tests.support.results import every_result, failing_result, hostile_result


def test_every_kind_of_run_reads_back_as_it_was_written() -> None:
    for result in every_result().values():
        record = record_of(result)
        assert read(written(record), source="r") == record
        assert record.verdict is result.verdict


def test_it_holds_what_is_open_and_what_was_measured_and_is_small() -> None:
    result = failing_result()
    record = record_of(result)
    assert {one.id for one in record.open} == {f.id for f in result.findings if f.verdict is Verdict.FAIL}
    assert any(name.startswith("slo.login:login" + BETWEEN) for name in record.measures)
    assert len(written(record)) < len(json.dumps(document_of(result))) / 4


def test_nothing_the_app_said_is_in_it_but_titles() -> None:
    text = written(record_of(hostile_result()))
    assert "evidence" not in text
    assert "\n" not in text.rstrip("\n")


def test_what_is_of_another_version_is_refused_and_what_was_not_committed_is_told_apart() -> None:
    record = record_of(failing_result())
    assert record.is_of_a_commit
    assert not replace(record, commit="5d1c0be+").is_of_a_commit
    assert not replace(record, commit="").is_of_a_commit
    with pytest.raises(Undecodable, match="version 1"):
        read(written(record).replace('"schema":1', '"schema":2'), source="r")
