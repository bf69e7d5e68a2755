"""Every page of an app's runbook drilled on this commit; and of each page a copy with one step changed, which must fail.

The change is what time does to a page: a table that is called otherwise, a flag that is gone, an address that moved.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.cli.project import load_project
from shipworthy.cli.runbook import drilled, facts_of
from shipworthy.runbook.build import pages
from shipworthy.runbook.page import Page, Step

SHIPWORTHY = [sys.executable, "-m", "shipworthy"]


def main() -> None:
    with _app() as home:
        figures = asyncio.run(_proven(home))
    publish(
        Report(name="runbook", figures=figures),
        bounds={"pages_passed": "all", "changed_pages_failed": "all"},
    )


async def _proven(home: Path) -> dict[str, Figure]:
    project = load_project(home)
    book = pages(await asyncio.to_thread(facts_of, project))
    print(f"drilling {len(book)} pages", file=sys.stderr)
    told = await drilled(project, book, say=_progress, is_stamped=False)
    print("drilling each with a changed step", file=sys.stderr)
    spoiled = await drilled(project, [_spoiled(page) for page in book], say=_progress, is_stamped=False)
    rows = [
        (
            page.name,
            right.result,
            _seconds(right.detected_s),
            _seconds(right.repaired_s),
            wrong.result,
            wrong.why[:60],
        )
        for page, right, wrong in zip(book, told, spoiled, strict=True)
    ]
    show_table("runbook", ("page", "drill", "detected s", "repaired s", "one step changed", "why"), rows)
    for right in told:
        if right.why:
            print(f"{right.page}: {right.why}", file=sys.stderr)
    detected = [report.detected_s for report in told if report.detected_s is not None]
    return {
        "pages": len(book),
        "pages_passed": sum(not report.why for report in told),
        "pages_with_fault": len(detected),
        "detected_s_max": round(max(detected), 1) if detected else None,
        "repaired_s_max": round(max(report.repaired_s or 0.0 for report in told), 1),
        "changed_pages_failed": sum(bool(report.why) for report in spoiled),
    }


def _spoiled(page: Page) -> Page:
    """Return the page with its first changeable step changed: checks and acts before the rest."""
    for kind in ("check", "act", "verify"):
        for place, step in enumerate(page.steps):
            if step.kind == kind and (text := _changed(step)) != step.text:
                steps = (*page.steps[:place], replace(step, text=text, within_s=5), *page.steps[place + 1 :])
                return replace(page, steps=steps)
    raise AssertionError(f"{page.name} has no step to change")


def _changed(step: Step) -> str:
    match step.language:
        case "sql":
            return re.sub(
                r"\b(from|update|table if exists) (\w+)", r"\1 \2_called_otherwise", step.text, count=1
            )
        case "sh":
            return re.sub(r"\bshipworthy (\w+)", r"shipworthy \1 --no-such-flag", step.text, count=1)
        case "http":
            return re.sub(r"^(\w+) (\S+)", r"\1 \2-moved", step.text, count=1)
        case "provider" | "app":
            return f"{step.text} otherwise"
        case _:
            return step.text


def _progress(report: object) -> None:
    print(
        f"  {getattr(report, 'page', '')}: {getattr(report, 'result', '')} {getattr(report, 'why', '')[:100]}",
        file=sys.stderr,
    )


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


@contextmanager
def _app() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="shipworthy-proof-") as folder:
        home = Path(folder) / "studio"
        subprocess.run(
            [*SHIPWORTHY, "new", str(home), "--rooms", "invoicing,site"], check=True, capture_output=True
        )
        yield home


if __name__ == "__main__":
    main()
