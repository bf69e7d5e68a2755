"""OWASP's Core Rule Set beside our own rules, on the same texts at the same places, through the engine the edge uses."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from urllib.parse import urlencode

from benchmarks.edge.corpora import Case
from benchmarks.report import Figure
from shipworthy.kernel.edge.crs import CrsMissing, open_crs

_HEADERS = {
    "host": "localhost",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "accept": "text/html,application/xhtml+xml",
    "accept-language": "en",
    "origin": "http://localhost",
}
_PLACES = ("query", "form", "json")  # what it is asked about: queries and changes


def measured(cases: Sequence[Case]) -> tuple[dict[str, Figure], list[str]]:
    """Return its figures; or why there are none."""
    crs = open_crs(os.environ.get("SHIPWORTHY_CRS", ""))
    if isinstance(crs, CrsMissing):
        return {"crs_added_p95_ms": None}, [
            f"the Core Rule Set was not measured: {crs.why} (SHIPWORTHY_CRS names its folder)"
        ]
    took_ms, refused = [], {True: [], False: []}
    for case in dict.fromkeys(case for case in cases if case.place in _PLACES):
        target = f"/customers?{urlencode({'q': case.text})}" if case.place == "query" else "/customers"
        fields = () if case.place == "query" else [("name", case.text), ("country", "DE")]
        began = time.thread_time()
        found = crs.attack_in(method="GET" if case.place == "query" else "POST", target=target, headers=_HEADERS, fields=fields, client="203.0.113.9")  # fmt: skip
        took_ms.append((time.thread_time() - began) * 1000)
        refused[case.is_attack].append(found is not None)
    shares = {
        which: round(sum(all_of) / len(all_of), 4) if all_of else None for which, all_of in refused.items()
    }
    return {
        "crs_added_p50_ms": round(statistics.median(took_ms), 3),
        "crs_added_p95_ms": round(statistics.quantiles(took_ms, n=20)[-1], 3),
        "crs_blocked_share": shares[True],
        "crs_false_positive_share": shares[False],
    }, [f"the Core Rule Set at paranoia level 1, {crs.files} files, on the same texts in queries and forms"]
