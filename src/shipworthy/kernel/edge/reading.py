"""Reading what the edge turned away: the newest events, and everything about one request, for people."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shipworthy.kernel.edge.events import REFUSED
from shipworthy.kernel.edge.switches import REFUSE_ATTACKS, REFUSE_MALFORMED
from shipworthy.kernel.language import _
from shipworthy.kernel.telemetry.reading import newest_spans, read_trace
from shipworthy.kernel.telemetry.spans import Span


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event, as it is shown."""

    request_id: str
    at: datetime
    is_refused: bool
    rule: str
    says: str
    part: str
    request: str
    network: str
    excerpt: str

    @property
    def remedy(self) -> str:
        """What an operator does who thinks that the edge was wrong."""
        family = self.rule.partition(".")[0]
        if family == "limit":
            return _(
                "If these are people behind one address, raise the edge.{limit}_requests settings; behind a proxy, set http.trusted_proxies.",
                limit=self.rule.partition(".")[2],
            )
        if family in ("encoding", "header", "head"):
            return _(
                "If a program of yours writes this, let it encode once, as UTF-8. Meanwhile the flag {flag} lets it through and takes note.",
                flag=REFUSE_MALFORMED,
            )
        if family == "body":
            return _("Let the sender send the body as it is.")
        if family in ("trap", "stuffing", "crawler", "challenge"):
            return _("Nobody was shut out for this alone: who asks from there has to prove more at sign-in.")
        return _(
            "If this was a person: a route where people write pages or code is declared screened=False; the flag {flag} switches from refusing to taking note, for everybody or for one tenant.",
            flag=REFUSE_ATTACKS,
        )


def newest(file: Path, *, most: int) -> list[Told]:
    """Return the newest events, the newest first. Errors: OSError."""
    return [told_of(span) for span in reversed(deque(newest_spans(file), maxlen=most))]


def about(file: Path, request_id: str) -> list[Told]:
    """Return what happened to the request whose id begins so; nothing where no single one does. Errors: OSError."""
    return [told_of(span) for span in read_trace(file, request_id)]


def told_of(span: Span) -> Told:
    facts = {name: str(value) for name, value in span.attributes.items()}
    return Told(
        request_id=span.trace_id,
        at=datetime.fromtimestamp(span.started_ns / 1e9, UTC),
        is_refused=facts.get("edge.outcome") == REFUSED,
        rule=facts.get("edge.rule", ""),
        says=facts.get("edge.says", ""),
        part=facts.get("edge.part", ""),
        request=f"{facts.get('http.request.method', '')} {facts.get('url.path', '')}".strip(),
        network=facts.get("client.network", ""),
        excerpt=facts.get("edge.excerpt", ""),
    )
