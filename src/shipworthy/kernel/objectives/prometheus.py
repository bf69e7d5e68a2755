"""The same objectives for those who run Prometheus: recording and alert rules, a Sloth file, a Grafana dashboard.

Written from the declarations, so they cannot say something else than `shipworthy slo` does. YAML is written as
JSON, which YAML contains: nothing needs quoting twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shipworthy.contract.manifest import Slo
from shipworthy.judge.burn import MULTI_WINDOW_RULES

METRIC = "http_server_request_duration_seconds"
_PERIOD = "30d"


def files_for(app: str, slos: Sequence[Slo], routes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return what to write, by file name. `routes` are each objective's, as the metrics name them."""
    measured = [slo for slo in slos if routes.get(slo.name)]
    return {
        "prometheus-rules.yml": _text(_rules(app, measured, routes)),
        "sloth.yml": _text(_sloth(app, measured, routes)),
        "grafana-dashboard.json": _text(_dashboard(app, measured, routes)),
    }


def bad_share(slo: Slo, routes: Iterable[str], window: str) -> str:
    """Return the PromQL of the share of bad requests: too slow, or failed on our side."""
    mine = _selector(routes)
    within = f'{METRIC}_bucket{{{mine},status!="5xx",le="{_edge(slo)}"}}'
    total = f"{METRIC}_count{{{mine}}}"
    return f"1 - sum(rate({within}[{window}])) / sum(rate({total}[{window}]))"


def _rules(app: str, slos: Sequence[Slo], routes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    windows = sorted({w for rule in MULTI_WINDOW_RULES for w in (rule.short_s, rule.long_s)})
    groups = []
    for slo in slos:
        labels = {"app": app, "objective": slo.name}
        recorded = [
            {
                "record": f"slo:bad:ratio_rate{window(w)}",
                "expr": bad_share(slo, routes[slo.name], window(w)),
                "labels": labels,
            }
            for w in windows
        ]
        groups.append({"name": f"objectives-{slo.name}", "rules": [*recorded, *_alerts(app, slo)]})
    return {"groups": groups}


def _alerts(app: str, slo: Slo) -> list[dict[str, Any]]:
    allowed, mine = round(1 - slo.quantile, 6), f'{{app={json.dumps(app)},objective="{slo.name}"}}'
    return [
        {
            "alert": "ErrorBudgetBurns",
            "expr": " and ".join(
                f"slo:bad:ratio_rate{window(w)}{mine} >= {rule.rate:g} * {allowed:g}"
                for w in (rule.long_s, rule.short_s)
            ),
            "labels": {
                "app": app,
                "objective": slo.name,
                "rule": rule.name,
                "severity": rule.name.partition("-")[0],
            },
            "annotations": {
                "summary": f"{slo.title or slo.name}: the error budget burns {rule.rate:g} times too fast",
                "description": f"Over {window(rule.long_s)} and {window(rule.short_s)}, more than {rule.rate:g} times {allowed:.0%} of the requests "
                f"took longer than {slo.threshold_ms:g} ms or failed. See: shipworthy slo.",
            },
        }
        for rule in MULTI_WINDOW_RULES
    ]


def _sloth(app: str, slos: Sequence[Slo], routes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Source: sloth.dev, specification prometheus/v1."""
    return {
        "version": "prometheus/v1",
        "service": re.sub(r"[^a-z0-9]+", "-", app.lower()).strip("-") or "app",
        "slos": [
            {
                "name": slo.name.replace("_", "-"),
                "objective": round(100 * slo.quantile, 4),
                "description": f"{slo.title or slo.name} within {slo.threshold_ms:g} ms",
                "sli": {"raw": {"error_ratio_query": bad_share(slo, routes[slo.name], "{{.window}}")}},
                "alerting": {
                    "name": "ErrorBudgetBurns",
                    "page_alert": {"labels": {"severity": "page"}},
                    "ticket_alert": {"labels": {"severity": "ticket"}},
                },
            }
            for slo in slos
        ],
    }


def _dashboard(app: str, slos: Sequence[Slo], routes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    for row, slo in enumerate(slos):
        mine = _selector(routes[slo.name])
        rate = f"sum by (le) (rate({METRIC}_bucket{{{mine}}}[$__rate_interval]))"
        latency = [(f"histogram_quantile({p}, {rate})", f"p{round(100 * p)}") for p in (0.5, 0.95, 0.99)]
        left = f"1 - ({bad_share(slo, routes[slo.name], _PERIOD)}) / {round(1 - slo.quantile, 6):g}"
        burn = [
            (
                f"({bad_share(slo, routes[slo.name], window(r.long_s))}) / {round(1 - slo.quantile, 6):g}",
                window(r.long_s),
            )
            for r in MULTI_WINDOW_RULES
        ]
        title = slo.title or slo.name
        panels += [
            _panel(
                f"{title}: latency",
                "timeseries",
                latency,
                "s",
                x=0,
                y=8 * row,
                width=10,
                line=slo.threshold_ms / 1000,
            ),
            _panel(f"{title}: burn rate", "timeseries", burn, "short", x=10, y=8 * row, width=9, line=1),
            _panel(
                f"{title}: budget left, 30 days",
                "stat",
                [(left, "")],
                "percentunit",
                x=19,
                y=8 * row,
                width=5,
                line=None,
            ),
        ]
    return {
        "title": f"{app}: objectives",
        "uid": None,
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": [{"id": number, **panel} for number, panel in enumerate(panels, 1)],
    }


def _panel(
    title: str,
    kind: str,
    asked: Sequence[tuple[str, str]],
    unit: str,
    *,
    x: int,
    y: int,
    width: int,
    line: float | None,
) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if line is not None:
        steps.append({"color": "red", "value": line})
    return {
        "title": title,
        "type": kind,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"x": x, "y": y, "w": width, "h": 8},
        "targets": [
            {"refId": chr(65 + n), "expr": expr, "legendFormat": name} for n, (expr, name) in enumerate(asked)
        ],
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
    }


def window(seconds: int) -> str:
    """Return a window as PromQL says it: "5m", "6h", "3d"."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _selector(routes: Iterable[str]) -> str:
    """Routes as one label matcher; the regular expression is anchored by Prometheus itself (RE2)."""
    pattern = "|".join(re.sub(r"([.+*?()\[\]{}|^$\\])", r"\\\1", route) for route in sorted(routes))
    return f"route=~{json.dumps(pattern)}"


def _edge(slo: Slo) -> str:
    """The bound as the histogram's label says it: 200 ms is "0.2"."""
    return repr(slo.threshold_ms / 1000)


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
