"""The error rates printed beside a verdict are those of the rule that gave it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipworthy.judge import error_rates
from shipworthy.judge.canary import CANARY, CanaryRule
from shipworthy.judge.error_rates import gate_error_rates
from shipworthy.judge.exceedance import QUICK, RELEASE, Rule
from shipworthy.judge.regression import DUET, RegressionRule

R1 = {"R1 release, p95", "R1 release, p99", "R1 quick, p95", "R1 quick, p99"}


def test_every_rule_states_its_error_rates_within_what_is_owed() -> None:
    rates = {rate.rule: rate for rate in gate_error_rates()}
    assert set(rates) == {*R1, "R2 duet, p95", "R4 canary"}
    for rule in (*R1, "R2 duet, p95"):
        for noise in ("quiet", "overdispersed"):
            assert rates[rule].false_pass[noise] <= 0.06
            assert rates[rule].false_fail[noise] <= 0.06
    assert max(rates["R4 canary"].false_fail.values()) <= 0.01
    assert max(rates["R4 canary"].false_pass.values()) <= 0.05


def test_what_the_rules_are_bad_at_is_stated_too_and_what_they_saw_of_a_real_machine() -> None:
    for rate in gate_error_rates():
        assert "benchmarks.judge" in rate.source
        if rate.rule != "R4 canary":
            assert {"persistent", "recorded"} <= set(rate.false_pass)


@pytest.mark.parametrize("rule", [RELEASE, QUICK, DUET, CANARY])
def test_a_gate_finds_its_rates_by_its_rules_name(rule: Rule | RegressionRule | CanaryRule) -> None:
    assert any(rate.rule.startswith(rule.name) for rate in gate_error_rates())


def test_at_least_ten_thousand_runs_stand_behind_the_table() -> None:
    assert json.loads(error_rates.PATH.read_text())["runs"] >= 10_000


def test_a_table_made_under_other_constants_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads(error_rates.PATH.read_text())
    document["rules"][0]["alpha"] = 0.05
    stale = tmp_path / "error_rates.json"
    stale.write_text(json.dumps(document))
    monkeypatch.setattr(error_rates, "PATH", stale)
    with pytest.raises(ValueError, match="have changed"):
        gate_error_rates()
