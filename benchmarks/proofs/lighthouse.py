"""`make proof NAME=lighthouse`: what Lighthouse, axe and html-validate say of our websites, in both themes.

A freshly scaffolded app with its two demo websites, one in each theme: home, an article and a list. Each is measured
five times as Lighthouse does by default (a slow phone, simulated), and the median is judged; SEO, accessibility, best
practices and CLS are judged in every run. Peers come from npm at pinned versions; the browser is the machine's own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from benchmarks import peers
from benchmarks.app import running_app
from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.gauntlet.browser import ARGUMENTS, browser_path

LIGHTHOUSE, HTML_VALIDATE = "lighthouse@12.8.2", "html-validate@9.4.0"
RUNS = 5
# Site, theme and addresses: home, an article, a list.
SITES = (
    ("acme", "harbour", {"home": "/", "article": "/about", "list": "/services"}),
    ("globex", "letter", {"home": "/", "article": "/about", "list": "/work"}),
)
PERFORMANCE_MIN, SEO_MIN, ACCESSIBILITY_MIN, PRACTICES_MIN, CLS_MAX = 99, 100, 100, 96, 0.02
_BOUNDS = {
    "performance": f">= {PERFORMANCE_MIN}, median",
    "seo": f"{SEO_MIN}, every run",
    "accessibility": f"{ACCESSIBILITY_MIN}, every run",
    "best_practices": f">= {PRACTICES_MIN}, every run",
    "cls": f"<= {CLS_MAX}, every run",
    "axe": "0 violations",
    "html": "0 errors",
}
_CATEGORIES = ("performance", "seo", "accessibility", "best-practices")
_RUN_TIMEOUT_S = 180
_INDEX_RATIO_MAX = 2.0  # runs on a machine that was twice as fast meanwhile are not comparable


@dataclass(frozen=True)
class Run:
    """One run of Lighthouse on one page."""

    scores: dict[str, float]
    cls: float
    lcp_ms: float
    index: float
    failed: list[str]


def main() -> int:
    """Measure every page, and say what is below what is owed; 1 when something is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--pages", type=int, default=0, help="only so many pages, for trying it out")
    asked = parser.parse_args()
    chromium, home = browser_path(), peers.npm_peer("lighthouse", LIGHTHOUSE, HTML_VALIDATE)
    if chromium is None or home is None:
        lacking = "no Chromium" if chromium is None else "npm could not install the peers"
        publish(Report(name="proof-lighthouse", figures={}, valid=False, notes=[lacking]))
        return 1
    figures: dict[str, Figure] = {}
    wrong: list[str] = []
    rows: list[tuple[object, ...]] = []
    indexes: list[float] = []
    with running_app(rooms="site", seed="demo") as app:
        port = app.handle.base_url.rpartition(":")[2].rstrip("/")
        pages = [
            (f"{theme}_{kind}", f"http://{slug}.localhost:{port}{path}")
            for slug, theme, paths in SITES
            for kind, path in paths.items()
        ]
        for name, address in pages[: asked.pages or None]:
            runs = [_lighthouse(home, chromium, address) for _ in range(asked.runs)]
            found = {**_figures(runs), "axe": _axe(chromium, address), "html": _html_errors(home, address)}
            rows.append((name, *found.values()))
            figures |= {f"{name}_{figure}": value for figure, value in found.items()}
            wrong += [f"{name}: {line}" for line in _wrong(found, runs)]
            indexes += [run.index for run in runs]
    show_table("pages", ("page", *_BOUNDS, "lcp ms"), [(r[0], *r[1:6], r[7], r[8], r[6]) for r in rows])
    figures |= {"benchmark_index_min": min(indexes), "benchmark_index_max": max(indexes)}
    notes = list(wrong)
    is_even = max(indexes) <= _INDEX_RATIO_MAX * min(indexes)
    if not is_even:
        notes.append(f"the machine's speed changed from {min(indexes):.0f} to {max(indexes):.0f} meanwhile")
    is_whole = asked.runs >= RUNS and not asked.pages
    if not is_whole:
        notes.append(f"fewer runs or pages than the {RUNS} on each that are owed")
    publish(Report(name="proof-lighthouse", figures=figures, valid=is_even and is_whole, notes=notes))
    return int(bool(wrong))


def _lighthouse(home: Path, chromium: str, address: str) -> Run:
    flags = " ".join(("--headless=new", "--disable-dev-shm-usage", *ARGUMENTS))
    done = subprocess.run(
        [
            "node", str(home / "node_modules" / "lighthouse" / "cli" / "index.js"), address, "--quiet",
            f"--chrome-flags={flags}", "--output=json", "--output-path=stdout",
            f"--only-categories={','.join(_CATEGORIES)}",
        ],
        env={**os.environ, "CHROME_PATH": chromium}, timeout=_RUN_TIMEOUT_S, capture_output=True, check=True,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(done.stdout)
    audits = report["audits"]
    failed = [
        audit_id
        for category in ("seo", "accessibility", "best-practices")
        for reference in report["categories"][category]["auditRefs"]
        if (audit_id := reference["id"]) and reference["weight"] and audits[audit_id]["score"] == 0
    ]
    return Run(
        scores={name: 100 * (report["categories"][name]["score"] or 0) for name in _CATEGORIES},
        cls=audits["cumulative-layout-shift"]["numericValue"],
        lcp_ms=audits["largest-contentful-paint"]["numericValue"],
        index=report["environment"]["benchmarkIndex"],
        failed=failed,
    )


def _figures(runs: list[Run]) -> dict[str, float]:
    def worst(category: str) -> float:
        return round(min(run.scores[category] for run in runs), 1)

    return {
        "performance": round(median(run.scores["performance"] for run in runs), 1),
        "seo": worst("seo"),
        "accessibility": worst("accessibility"),
        "best_practices": worst("best-practices"),
        "cls": round(max(run.cls for run in runs), 4),
        "lcp_ms": round(median(run.lcp_ms for run in runs)),
    }


def _wrong(found: dict[str, Any], runs: list[Run]) -> list[str]:
    is_right = {
        "performance": found["performance"] >= PERFORMANCE_MIN,
        "seo": found["seo"] >= SEO_MIN,
        "accessibility": found["accessibility"] >= ACCESSIBILITY_MIN,
        "best_practices": found["best_practices"] >= PRACTICES_MIN,
        "cls": found["cls"] <= CLS_MAX,
        "axe": found["axe"] == 0,
        "html": found["html"] == 0,
    }
    failed = sorted({audit for run in runs for audit in run.failed})
    why = f" (failed audits: {', '.join(failed)})" if failed else ""
    return [
        f"{name} is {found[name]}, owed {_BOUNDS[name]}{why}" for name, right in is_right.items() if not right
    ]


def _axe(chromium: str, address: str) -> int:
    """Return how many of axe's rules the page breaks, all of them asked, on a phone and on a desk."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    broken = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        try:
            for width_px in (390, 1280):
                # Past the page's own policy: the instrument is a script, and no page of ours runs any.
                context = browser.new_context(viewport={"width": width_px, "height": 900}, bypass_csp=True)
                tab = context.new_page()
                tab.goto(address)
                broken += len(Axe().run(tab).response["violations"])
                context.close()
        finally:
            browser.close()
    return broken


def _html_errors(home: Path, address: str) -> int:
    """Return how many errors html-validate finds by the HTML standard's own rules."""
    url = urlsplit(address)
    # Not every resolver knows names below .localhost; browsers do.
    asked = urllib.request.Request(f"http://127.0.0.1:{url.port}{url.path}", headers={"host": url.netloc})
    with urllib.request.urlopen(asked) as answer, tempfile.TemporaryDirectory() as folder:
        page, rules = Path(folder) / "page.html", Path(folder) / "rules.json"
        page.write_bytes(answer.read())
        rules.write_text(json.dumps({"root": True, "extends": ["html-validate:standard"]}))
        done = subprocess.run(
            [str(home / "node_modules" / ".bin" / "html-validate"), "--config", str(rules), "-f", "json", str(page)],
            timeout=_RUN_TIMEOUT_S, capture_output=True, check=False,
        )  # fmt: skip
    found = json.loads(done.stdout or b"[]")
    for result in found:
        for message in result["messages"]:
            print(f"{address}: {message['ruleId']}: {message['message']} (line {message['line']})")
    return sum(result["errorCount"] for result in found)


if __name__ == "__main__":
    sys.exit(main())
