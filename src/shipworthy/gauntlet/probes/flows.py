"""Whether a person gets through: each declared flow, in a browser, on a preview of the version.

The preview is brought up for this and taken down again; its screenshots stay beside the report.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Sequence

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Flow
from shipworthy.contract.target import Credential, Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance, StartFailed
from shipworthy.gauntlet.adapters.preview import Preview, previewed
from shipworthy.gauntlet.browser import Browser, Profile, chromium, cookies_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import clipped
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.flows.inbox import Inbox
from shipworthy.gauntlet.flows.walk import STEP_TIMEOUT_S, Walked, walk
from shipworthy.gauntlet.idp.beside import welcome, with_provider
from shipworthy.gauntlet.idp.stub import Stub
from shipworthy.gauntlet.run import scratch_directory
from shipworthy.gauntlet.subjects import ask_each

UP = "up"  # the subject that is the preview itself
DESK = Profile(name="desk", width_px=1280, height_px=800)


async def flows_walked(exam: Exam) -> Sequence[Finding]:
    """Bring a preview up and walk every declared flow through it."""
    scratch = scratch_directory()
    try:
        async with with_provider(exam.target) as (target, provider):
            exam.view.note(f"bringing up a preview of {target.name}")
            try:
                async with previewed(target, scratch) as preview:
                    return await _walked(exam, target, preview, provider)
            except StartFailed as failed:
                return [_not_up(exam, failed)]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _walked(exam: Exam, target: Target, preview: Preview, provider: Stub | None) -> list[Finding]:
    handle = preview.handle
    if exam.wants(UP):
        exam.tell(_is_up(exam, preview))
    welcome(target, provider, handle)
    inner = Exam(target, StartedInstance(handle, None), mode=exam.mode)
    hosts = [handle.base_url, *filter(None, (handle.site_url, provider.issuer if provider else ""))]
    inbox = Inbox(handle.mail_url) if handle.mail_url else None
    try:
        async with chromium(*hosts) as browser:

            async def ask(_name: str, flow: Flow) -> Finding:
                return await _asked(exam, inner, browser, flow, inbox)

            return await ask_each(exam, [(flow.name, flow) for flow in exam.manifest.flows], ask)
    finally:
        await inner.close()
        if inbox is not None:
            await inbox.close()


async def _asked(exam: Exam, inner: Exam, browser: Browser, flow: Flow, inbox: Inbox | None) -> Finding:
    handle, cookies, known = inner.handle, [], _made_up()
    if flow.login:
        person = _person(inner)
        session = await inner.fresh_session(person)
        cookies = cookies_of(session, handle.base_url)
        known |= {"user.email": person.email, "user.password": person.password}
    if any(step.do == "open" and step.host == "site" for step in flow.steps) and not handle.site_url:
        raise Undecided("The flow goes to the published site, and this instance has none.")
    began = time.monotonic()
    async with browser.tab(DESK, cookies=cookies) as tab:
        tab.page.set_default_timeout(STEP_TIMEOUT_S * 1000)
        walked = await walk(tab, flow, handle=handle, known=known, inbox=inbox, view=exam.view)
    return _finding(exam, flow, walked, seconds=time.monotonic() - began)


def _finding(exam: Exam, flow: Flow, walked: Walked, *, seconds: float) -> Finding:
    number, total = len(walked.steps), len(flow.steps)
    measures = (Measure(name="time", unit="s", estimate=round(seconds, 2)),)
    pictures = tuple(_pictures(exam, flow, walked))
    if not walked.broken:
        title = f"{flow.title}: {total} steps in {seconds:.1f} s"
        return exam.finding(flow.name, Verdict.PASS, title, measures=measures, evidence=pictures)
    page = Evidence(kind="text", title=f"What {walked.url} said", text=clipped(walked.seen or "nothing"))
    return exam.finding(
        flow.name,
        Verdict.FAIL,
        f"{flow.title} breaks at step {number} of {total}: {walked.steps[-1].words}",
        cause=walked.broken,
        fix="Walk it by hand: `shipworthy preview up .`, then the steps in the pictures.",
        measures=measures,
        # The page where it broke is what a reader wants first.
        evidence=(page, *pictures[-1:], *pictures[:-1]),
    )


def _pictures(exam: Exam, flow: Flow, walked: Walked) -> list[Evidence]:
    """Keep each step's picture beside the report; return them as evidence, in order."""
    kept = []
    for number, step in enumerate(walked.steps, 1):
        name = f"flows/{flow.name}/{number:02}.jpg"
        if step.picture:
            exam.keep(name, step.picture)
            kept.append(
                Evidence(kind="picture", title=f"{number}. {step.words}", text=f"{name}\n{step.small}")
            )
    return kept


def _is_up(exam: Exam, preview: Preview) -> Finding:
    ready_s, built_s = preview.ready_in_s, preview.template_built_in_s
    said = f"in {ready_s:.1f} s" if ready_s is not None else "already"
    built = f", {built_s:.1f} s of it for a new template" if built_s else ""
    measures = (Measure(name="ready", unit="s", estimate=ready_s),) if ready_s is not None else ()
    return exam.finding(UP, Verdict.PASS, f"A preview was ready {said}{built}", measures=measures)


def _not_up(exam: Exam, failed: StartFailed) -> Finding:
    return exam.finding(
        UP,
        Verdict.FAIL,
        "No preview of this version comes up",
        cause=str(failed),
        fix="Repeat with: shipworthy preview up .",
    )


def _person(exam: Exam) -> Credential:
    if not exam.people:
        raise Undecided("The flow begins signed in, and nobody is known who could sign in.")
    return exam.people[0]


def _made_up() -> dict[str, str]:
    """A person nobody knows yet, and a word that stands nowhere else."""
    mark = f"mark{secrets.token_hex(4)}"
    return {
        "mark": mark,
        "email": f"{mark}@sample.example",
        "password": f"{mark} a lantern over quiet water",
    }
