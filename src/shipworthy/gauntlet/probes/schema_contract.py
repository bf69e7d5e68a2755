"""C2: the app keeps what its OpenAPI document says, asked by Schemathesis with values nobody thought of.

Schemathesis first proves itself on two small servers of the examiner's: of the one that lies it must say so,
of the other nothing. The app's document is its own where it serves one, else it is made of its routes. Not
asked are routes that sign in or out, issue tokens or end accounts: they would end the examination.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Route
from shipworthy.contract.openapi import openapi_of
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.evidence import clipped
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import HttpSession, Unanswered
from shipworthy.gauntlet.probes.schema_asker import Operation, asked, proven, schemathesis

EXAMPLES = {"quick": 8, "full": 40}  # of each operation, besides the values at its bounds
TIMEOUT_S = {"quick": 480.0, "full": 1_100.0}  # 111 operations took 171 s on two busy cores (2026-11)
_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options", "trace"})


async def description_kept(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each operation that breaks what is said of it, or one that says none does."""
    program = schemathesis()
    document = await _document(exam)
    operations = [
        (path, method) for path, item in document["paths"].items() for method in item if method in _METHODS
    ]
    if not operations:
        raise Unmeasurable(
            "No route of the app's can be asked this way.", fix="Declare routes that answer JSON."
        )
    with tempfile.TemporaryDirectory(prefix="shipworthy-schema-") as scratch:
        await proven(program, Path(scratch))
        told = await asked(
            program, document, exam.handle.base_url, await _headers(exam), Path(scratch) / "app",
            examples=EXAMPLES[exam.mode], timeout_s=TIMEOUT_S[exam.mode],
        )  # fmt: skip
    broken = [one for one in told if one.said]
    measure = Measure(name="operations asked", unit="operations", estimate=len(told))
    found = [_finding(exam, one) for one in broken]
    if missing := len(operations) - len(told):
        title = f"{missing} of {len(operations)} operations were not asked"
        found.append(
            exam.finding("unasked", Verdict.INCONCLUSIVE, title, cause="Schemathesis could make no request.")
        )
    if not broken:
        title = f"{len(told)} operations keep what their description says"
        found.append(exam.finding("all", Verdict.PASS, title, measures=(measure,)))
    return found


async def _document(exam: Exam) -> dict[str, Any]:
    """Return the app's own document without what must not be asked, or one made of its routes."""
    if not exam.manifest.openapi:
        return openapi_of(exam.manifest, wanted=lambda route: _is_asked(exam, route))
    session = exam.anonymous()
    try:
        answer = await session.get(exam.manifest.openapi)
    except Unanswered as silent:
        raise Undecided(f"{exam.manifest.openapi} did not answer: {silent}") from silent
    if (
        answer.status != 200
        or not isinstance(answer.json, dict)
        or not isinstance(answer.json.get("paths"), dict)
    ):
        raise Undecided(
            f"{exam.manifest.openapi} answered {answer.status} and no OpenAPI document.",
            fix="Mend target.openapi, or leave it out: then the document is made of the declared routes.",
        )
    kept, untouched = dict(answer.json), _untouched(exam)
    kept["paths"] = {
        path: {key: value for key, value in item.items() if (key.upper(), path) not in untouched}
        for path, item in answer.json["paths"].items()
    }
    return kept


def _is_asked(exam: Exam, route: Route) -> bool:
    is_harmless = route.effect == "read" or (route.auth == "session" and route.effect != "end")
    return route.media == "json" and is_harmless and (route.method, route.path) not in _untouched(exam)


def _untouched(exam: Exam) -> set[tuple[str, str]]:
    """What signs in or gives out tokens: sent a hundred times it locks the examiner out."""
    manifest = exam.manifest
    spared = [manifest.login.route] if manifest.login else []
    spared += [manifest.tokens.issue, manifest.tokens.refresh] if manifest.tokens else []
    spared += [oauth.start for oauth in manifest.oauth]
    ends = {(route.method, route.path) for route in manifest.routes if route.effect == "end"}
    return ends | {(method, path) for method, _, path in (route.partition(" ") for route in spared)}


async def _headers(exam: Exam) -> dict[str, str]:
    """Return what makes a request that of a signed-in person's own browser."""
    base = exam.handle.base_url
    headers = {
        "Origin": "{0.scheme}://{0.netloc}".format(urlsplit(base)),
        "User-Agent": "shipworthy-gauntlet",
    }
    if exam.manifest.login is None or not exam.people:
        return headers
    session: HttpSession = await exam.fresh_session(exam.people[0])
    if session.bearer:
        headers["Authorization"] = f"Bearer {session.bearer}"
    if cookies := "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies.jar):
        headers["Cookie"] = cookies
    return headers


def _finding(exam: Exam, operation: Operation) -> Finding:
    kinds = [line.strip("- ") for line in operation.said.splitlines() if line.startswith("- ")]
    route = next((r for r in exam.manifest.routes if f"{r.method} {r.path}" == operation.name), None)
    return exam.finding(
        operation.name,
        Verdict.FAIL,
        f"{operation.name}: {', '.join(dict.fromkeys(kinds)) or 'it breaks its description'}",
        severity=Severity.HIGH if any("Server error" in kind for kind in kinds) else Severity.MEDIUM,
        cause="Its answer is not one that its description allows; the request that shows it stands below.",
        fix="Refuse what cannot be taken with a status of 4xx, and say of answers what they are.",
        source=route.source if route else "",
        evidence=(Evidence(kind="log", title="Schemathesis", text=clipped(operation.said)),),
    )
