"""`make bench NAME=pdf`: an invoice of twenty lines, printed by ours, WeasyPrint and reportlab in the same run.

Each printer has a process of its own, pinned to one core: cold is wall time from the start of the process to the first page,
warm the median CPU of fifteen other invoices, memory its peak. Ours is the press the product prints with: cold from an idle
press without a child, warm the CPU of both processes; beside it the same call without the press, as the peers are called.
Rounds take turns; the median of three is shown. Ours writes
PDF/A-3b and PDF/UA-1 (tagged), WeasyPrint PDF/A-3b, reportlab plain PDF: it has no PDF/A to compare.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.pdf.facts import facts
from benchmarks.peers import python_peer
from benchmarks.report import Report, publish, show_table

ROUNDS = 3
WARM = 15
LINES = 20
WEASYPRINT, REPORTLAB = "weasyprint==70.0", "reportlab==5.1.0"
_HERE = Path(__file__).parent
_ROOT = _HERE.parent.parent
_BOUNDS = {
    "warm_ms_20_lines": "50 owed, 20 aimed",
    "warm_share_of_weasyprint": "0.5 owed",
}


def main() -> None:
    printers = {
        "shipworthy": [sys.executable, "-m", "benchmarks.pdf.ours"],
        "shipworthy, in process": [sys.executable, "-m", "benchmarks.pdf.ours", "--in-process"],
        "weasyprint": _peer("weasyprint", WEASYPRINT),
        "reportlab": _peer("reportlab", REPORTLAB),
    }
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in printers}
    with tempfile.TemporaryDirectory() as folder:
        invoice = Path(folder) / "invoice.json"
        invoice.write_text(
            json.dumps([facts(nth, lines=LINES) for nth in range(1, 1 + 1 + WARM)]), encoding="utf-8"
        )
        for _ in range(ROUNDS):
            for name, command in printers.items():
                if command:
                    seen[name].append(_ran([*command, str(invoice)]))
    middle = {
        name: {key: round(statistics.median(r[key] for r in rounds), 1) for key in rounds[0]}
        if rounds
        else {}
        for name, rounds in seen.items()
    }
    show_table(
        f"an invoice of {LINES} lines",
        ("printer", "warm CPU ms", "cold ms", "peak MB", "bytes"),
        [
            (n, *(m.get(key, "not measured") for key in ("warm_ms", "cold_ms", "rss_mb", "bytes")))
            for n, m in middle.items()
        ],
    )
    ours, bare, weasyprint, reportlab = (middle[name] for name in printers)
    figures = {
        "warm_ms_20_lines": ours["warm_ms"],
        "cold_ms_20_lines": ours["cold_ms"],
        "rss_mb": ours["rss_mb"],
        "warm_wall_ms_20_lines": ours["warm_wall_ms"],
        "in_process_warm_ms_20_lines": bare["warm_ms"],
        "in_process_cold_ms_20_lines": bare["cold_ms"],
        "weasyprint_warm_ms": weasyprint.get("warm_ms"),
        "weasyprint_cold_ms": weasyprint.get("cold_ms"),
        "reportlab_warm_ms": reportlab.get("warm_ms"),
        "warm_share_of_weasyprint": round(ours["warm_ms"] / weasyprint["warm_ms"], 3) if weasyprint else None,
    }
    notes = [f"{WEASYPRINT} (pdf_variant pdf/a-3b), {REPORTLAB} (platypus)"]
    publish(Report(name="pdf", figures=figures, notes=notes), bounds=_BOUNDS)


def _peer(name: str, requirement: str) -> list[str]:
    python = python_peer(f"pdf-{name}", requirement)
    return [str(python), str(_HERE / f"{name}_peer.py")] if python else []


def _ran(command: list[str]) -> dict[str, float]:
    done = subprocess.run(
        ["taskset", "-c", "1", *command],
        cwd=_ROOT,
        env={**os.environ, "BEGAN": str(time.time())},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    said: dict[str, float] = json.loads(done.stdout)
    return said


if __name__ == "__main__":
    main()
