"""Evidence a person can look at: requests, answers, statements, tables and the end of a log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from shipworthy.contract.finding import Evidence
from shipworthy.gauntlet.call import Call
from shipworthy.gauntlet.http import Answer

TEXT_CHARS_MAX = 4_000  # enough to recognise an answer; the report stays one page
LOG_BYTES_MAX = 4_000


def request_evidence(call: Call, title: str = "Asked") -> Evidence:
    return Evidence(kind="request", title=title, text=clipped(str(call)))


def answer_evidence(answer: Answer, title: str = "Answered") -> Evidence:
    """Show status, content type and the start of the body."""
    kind = answer.header("content-type") or "no content type"
    body = _pretty(answer) if "json" in kind else answer.text
    return Evidence(kind="response", title=title, text=clipped(f"{answer.status} ({kind})\n\n{body}"))


def sql_evidence(sql: str, title: str = "Statement") -> Evidence:
    return Evidence(kind="sql", title=title, text=clipped(sql))


def table_evidence(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Evidence:
    """Show rows as aligned columns."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return Evidence(kind="table", title=title, text=clipped("\n".join(lines)))


def log_evidence(path: str | Path, title: str = "") -> Evidence | None:
    """Show the end of a log file; None when it is empty or cannot be read."""
    text = tail(Path(path))
    return Evidence(kind="log", title=title or Path(path).name, text=text) if text else None


def tail(path: Path, bytes_max: int = LOG_BYTES_MAX) -> str:
    """Return the last whole lines of a file, at most `bytes_max` of them; empty when unreadable."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - bytes_max))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text.partition("\n")[2].strip() if size > bytes_max else text.strip()


def clipped(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """Return a text no longer than `chars_max`, saying how much was left off."""
    if len(text) <= chars_max:
        return text
    return f"{text[:chars_max]}\n… {len(text) - chars_max:,} more characters"


def _pretty(answer: Answer) -> str:
    try:
        return json.dumps(json.loads(answer.body), indent=2, ensure_ascii=False)
    except ValueError:
        return answer.text
