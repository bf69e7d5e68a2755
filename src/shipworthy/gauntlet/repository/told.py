"""From what a tool found to findings: one for each file, with its lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.tool import Hit

_FILES_MAX, _LINES_MAX = 30, 20  # a report with a thousand findings says nothing


def by_file(exam: Exam, hits: Sequence[Hit], *, fix: str) -> list[Finding]:
    """Return a FAIL for each file; those past the bound are counted in one of their own."""
    grouped: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        grouped[hit.path].append(hit)
    worst_first = sorted(grouped, key=lambda path: (-len(grouped[path]), path))
    found = [_finding(exam, path, grouped[path], fix) for path in worst_first[:_FILES_MAX]]
    if rest := worst_first[_FILES_MAX:]:
        title = f"{len(rest)} more files, with {sum(len(grouped[path]) for path in rest)} defects"
        shown = Evidence(kind="text", title="Which", text="\n".join(rest[:100]))
        found.append(exam.finding("more", Verdict.FAIL, title, fix=fix, evidence=(shown,)))
    return found


def _finding(exam: Exam, path: str, same: list[Hit], fix: str) -> Finding:
    first = same[0]
    more = f", and {len(same) - 1} more in this file" if len(same) > 1 else ""
    rule = f" ({first.rule})" if first.rule else ""
    lines = "\n".join(f"{hit.where}  {hit.rule}  {hit.message}" for hit in same[:_LINES_MAX])
    return exam.finding(
        path,
        Verdict.FAIL,
        f"{first.where}: {first.message}{rule}{more}",
        source=first.where,
        cause=first.message,
        fix=fix,
        evidence=(Evidence(kind="text", title="Where", text=lines),),
    )
