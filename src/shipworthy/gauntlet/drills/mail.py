"""The drill "mail is down": requests that only cause a mail succeed, and each mail arrives once it is back.

The examiner's own mail server takes the place of the app's behind the proxy, so what is delivered is
counted where it arrives and not where the app says so.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import Job, Route
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.call import Call, prepare, subject_of
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.drills.mail_sink import MailSink, mail_sink
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.network import take_down
from shipworthy.gauntlet.http import Answer, Unanswered
from shipworthy.gauntlet.probes.drill_account import Timeline
from shipworthy.gauntlet.subjects import ask_each

MAILS, DOWN_S, RECOVERY_S_MAX, STEADY_S_MAX = 8, 6.0, 40.0, 20.0
_LATE_S = 3.0  # after the last expected one: what comes twice comes by then
_ADDRESS = re.compile(r"[^@\s\"']+@[^@\s\"']+")
_FIX = "Send mail from a job that is tried again until the server has taken it, never inside the request."


async def mail_down(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each job that sends mail when a public route is asked."""
    jobs = [(job.kind, (job, route)) for job in exam.manifest.jobs if (route := _mails_for(exam, job))]
    if not jobs:
        raise Unmeasurable(
            "No job is declared that sends a mail when a public route with an address in its example is asked.",
            fix="Declare the job with triggered_by, and an example on that route.",
        )
    async with mail_sink() as sink:
        proxy = exam.proxy("mail")
        exam.heal_later("mail went to the examiner", proxy.aim)
        await proxy.aim(sink.address)

        async def ask(kind: str, found: tuple[Job, Route]) -> Finding:
            return await _ask(exam, kind, found[1], sink)

        return await ask_each(exam, jobs, ask, source=lambda found: found[0].source)


def _mails_for(exam: Exam, job: Job) -> Route | None:
    if "mail" not in job.kind:
        return None
    for route in exam.manifest.routes:
        is_it = job.triggered_by in (subject_of(route), route.name)
        if is_it and route.auth == "public" and route.example and _ADDRESS.search(str(route.example)):
            return route
    return None


async def _ask(exam: Exam, kind: str, route: Route, sink: MailSink) -> Finding:
    timeline = Timeline()
    steady = [await _asked_for(exam, route)]
    if not await _arrived(sink, steady, within_s=STEADY_S_MAX):
        raise Undecided("No mail arrived before anything was broken.", fix="Read the worker's log.")
    timeline.mark("one mail asked for and delivered, nothing broken")
    disturbance = await take_down(exam, "mail", lease_s=DOWN_S + 20)
    timeline.mark("the mail server is down")
    wanted, refused = [], []
    for _ in range(MAILS):
        try:
            wanted.append(await _asked_for(exam, route))
        except Undecided as undecided:
            refused.append(undecided)
        await asyncio.sleep(DOWN_S / MAILS)
    timeline.mark(f"{len(wanted)} more asked for, {len(refused)} refused")
    await disturbance.heal()
    healed = time.monotonic()
    timeline.mark("healed")
    all_there = await _arrived(sink, wanted, within_s=RECOVERY_S_MAX)
    recovery_s = time.monotonic() - healed
    await asyncio.sleep(_LATE_S)
    lost = [to for to in wanted if not sink.delivered[to]]
    doubled = [to for to in wanted if sink.delivered[to] > 1]
    timeline.mark(f"{len(wanted) - len(lost)} delivered, {len(doubled)} of them more than once")
    facts: dict[str, Any] = {
        "measures": (
            Measure(name="lost", unit="mails", estimate=len(lost), bound=0, samples=len(wanted)),
            Measure(name="doubled", unit="mails", estimate=len(doubled), bound=0, samples=len(wanted)),
            Measure(name="recovery", unit="s", estimate=round(recovery_s, 1), bound=RECOVERY_S_MAX),
        ),
        "evidence": (timeline.evidence(), *(e for u in refused[:1] for e in u.evidence)),
    }
    wrong = [
        *([f"{len(refused)} requests to {subject_of(route)} failed while mail was down"] if refused else []),
        *([f"{len(lost)} of {len(wanted)} mails never came"] if lost else []),
        *([f"{len(doubled)} mails came more than once"] if doubled else []),
        *(
            [f"the last mail came later than {RECOVERY_S_MAX:g} s after the healing"]
            if not (all_there or lost)
            else []
        ),
    ]
    if wrong:
        severity = Severity.CRITICAL if lost else Severity.HIGH
        title = f"{kind}: {' and '.join(wrong)}"
        return exam.finding(kind, Verdict.FAIL, title, severity=severity, fix=_FIX, **facts)
    title = f"{kind} delivers all {len(wanted)} mails once, {recovery_s:.0f} s after the mail server is back"
    return exam.finding(kind, Verdict.PASS, title, **facts)


async def _asked_for(exam: Exam, route: Route) -> str:
    """Ask for a mail to an address of its own; return that address. Errors: Undecided when refused."""
    to = f"drill-{uuid.uuid4().hex[:12]}@examined.example"
    call = _addressed(prepare(route, {}), to)
    answer = await _sent(exam, call)
    if answer is None or answer.status not in (*route.statuses, 303):
        evidence = (request_evidence(call), *((answer_evidence(answer),) if answer else ()))
        raise Undecided(
            f"{subject_of(route)} answered {answer.status if answer else 'nothing'}.", evidence=evidence
        )
    return to


async def _sent(exam: Exam, call: Call) -> Answer | None:
    try:
        return await call.send(exam.anonymous())
    except Unanswered:
        return None


def _addressed(call: Call, to: str) -> Call:
    body = {
        name: to if isinstance(value, str) and _ADDRESS.fullmatch(value) else value
        for name, value in call.json_body.items()
    }
    return replace(call, json_body=body)


async def _arrived(sink: MailSink, wanted: Sequence[str], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not all(sink.delivered[to] for to in wanted):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.1)
    return True
