"""The page's flows: what a person went through in the browser, a small picture of each step.

A picture leads to the whole one beside the report, so the page itself stays one file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from shipworthy.contract.finding import Evidence, Finding, RunResult
from shipworthy.gauntlet.report.markup import Html, tag
from shipworthy.gauntlet.report.parts import chip, section, within
from shipworthy.gauntlet.report.words import in_line, plural

_BYTES_MAX = 120_000  # of all small pictures; some 45 of them
_FILE = re.compile(r"flows/[\w-]+/[\w-]+\.jpg")
_DATA = "data:image/jpeg;base64,"


def flow_section(result: RunResult) -> Html | None:
    """Return every flow with the pictures of its steps."""
    walked = [(finding, pictures) for finding in result.findings if (pictures := pictures_of(finding))]
    if not walked:
        return None
    lead = "What a person did in the browser, step by step. A picture opens the whole one beside this page."
    rows = within(walked, _flow, _brief_flow, bytes_max=_BYTES_MAX, left_off="flows")
    return section("What people go through", rows, id_="flows", lead=lead)


def pictures_of(finding: Finding) -> list[Evidence]:
    """Return a finding's pictures in the order in which they were taken."""
    return sorted(
        (e for e in finding.evidence if e.kind == "picture"), key=lambda e: e.text.partition("\n")[0]
    )


def picture(evidence: Evidence) -> Html:
    """Return one step: its small picture, leading to the whole one, and its words."""
    file, _, small = evidence.text.partition("\n")
    words = in_line(evidence.title, 160)
    shown = tag("img", src=small, alt="", width=204, height=128) if small.startswith(_DATA) else None
    return tag("li", tag("a", shown, tag("span", words), href=file if _FILE.fullmatch(file) else None))


def _flow(walked: tuple[Finding, Sequence[Evidence]]) -> Html:
    finding, pictures = walked
    return tag(
        "div", _head(finding), tag("ol", *(picture(p) for p in pictures), class_="strip"), class_="flow"
    )


def _brief_flow(walked: tuple[Finding, Sequence[Evidence]]) -> Html:
    finding, pictures = walked
    left_off = f"{plural(len(pictures), 'picture')} of it lie beside the report, in flows/{finding.subject}."
    return tag("div", _head(finding), tag("p", in_line(left_off, 200), class_="more"), class_="flow")


def _head(finding: Finding) -> Html:
    return tag("h3", chip(finding.verdict), in_line(finding.title, 240))
