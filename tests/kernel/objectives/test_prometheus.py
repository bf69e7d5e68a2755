"""Rules and dashboards say what the runtime measures: the same metric, routes, bounds and windows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from shipworthy.contract.manifest import Slo
from shipworthy.judge.burn import MULTI_WINDOW_RULES
from shipworthy.kernel.http.metrics import Metrics
from shipworthy.kernel.objectives.prometheus import METRIC, files_for, window

LOGIN = Slo(name="login", quantile=0.95, threshold_ms=200.0, title="Sign in")
LIST = Slo(name="invoice_list", quantile=0.99, threshold_ms=150.0)
ROUTES = {"login": ["POST /login"], "invoice_list": ["GET /api/invoices/{id}", "GET /invoices"]}
FILES = {name: json.loads(text) for name, text in files_for("Studio", (LOGIN, LIST), ROUTES).items()}


def said(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def test_every_rule_of_the_judge_is_an_alert_over_its_two_windows() -> None:
    alerts = [
        rule
        for group in FILES["prometheus-rules.yml"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert len(alerts) == 2 * len(MULTI_WINDOW_RULES)
    recorded = {
        rule["record"]
        for group in FILES["prometheus-rules.yml"]["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    for rule, alert in zip(MULTI_WINDOW_RULES, alerts, strict=False):
        for size_s in (rule.long_s, rule.short_s):
            assert f"slo:bad:ratio_rate{window(size_s)}" in recorded
            assert f"slo:bad:ratio_rate{window(size_s)}{{" in alert["expr"]
        assert f">= {rule.rate:g} * 0.05" in alert["expr"]
    assert {window(s) for s in (300, 1_800, 3_600, 21_600, 259_200)} == {"5m", "30m", "1h", "6h", "3d"}


def test_the_metric_the_bound_and_the_labels_are_those_that_are_measured() -> None:
    metrics = Metrics()
    metrics.request("POST /login", 200, 0.1, 0)
    families = {f.name: f for f in text_string_to_metric_families(said(metrics))}
    edges = {s.labels["le"] for s in families[METRIC].samples if s.name.endswith("_bucket")}
    for name, text in FILES.items():
        expressions = [s for s in strings(text) if METRIC in s]
        assert expressions, name
        for expression in expressions:
            for edge in expression.split('le="')[1:]:
                assert edge.partition('"')[0] in edges
    # A route's own braces are no part of the pattern; the two backslashes are one in PromQL's string.
    (listed,) = [slo for slo in FILES["sloth.yml"]["slos"] if slo["name"] == "invoice-list"]
    query = listed["sli"]["raw"]["error_ratio_query"]
    assert r'route=~"GET /api/invoices/\\{id\\}|GET /invoices"' in query
    assert "{{.window}}" in query


def test_an_objective_that_no_route_keeps_is_left_out() -> None:
    other = Slo(name="other", quantile=0.9, threshold_ms=1.0)
    for text in files_for("Studio", (LOGIN, other), ROUTES).values():
        assert "login" in text and '"other"' not in text
