"""P9: can everyone use every page? axe-core runs in each, on a desk and on a phone, light and dark.

What it calls serious or critical fails; what it calls moderate or minor is shown. Before a page of the
app is judged, the examiner's own pages must be read rightly. What a machine cannot see (whether a text
alternative says the right thing) is not judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.browser import DESKTOP, INSTALL, PHONE, Browser, Tab, chromium
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.planted_pages import CLEAN, UNREADABLE, UNREADABLE_RULES, planted_pages
from shipworthy.gauntlet.probes.pages import Page, pages_of
from shipworthy.gauntlet.subjects import ask_each

GRAVE = ("critical", "serious")  # axe's words for what keeps people out
AT_ONCE = 3  # what axe says of a page does not depend on how busy the machine is
QUICK_PAGES = 2  # three minutes are all the quick gauntlet has
NODES_SHOWN = 12
_WIDTHS = (DESKTOP, PHONE)
_RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"], preload: false });
  const brief = (node) => ({ impact: node.impact, selector: node.target.flat(9).join(" "), html: node.html });
  return {
    version: axe.version,
    undecided: found.incomplete.length,
    broken: found.violations.map((rule) => ({
      id: rule.id, impact: rule.impact, help: rule.help, url: rule.helpUrl, nodes: rule.nodes.map(brief),
    })),
  };
}"""
# A colour on its way from light to dark is neither; a page may change how it looks in many ways, so what
# it looks like is asked, not how it is done.
_STAND_STILL = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, ::before, ::after { transition: none !important; animation: none !important }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
_LOOKS = """() => [...document.querySelectorAll("body, body *")].map((element) => {
  const style = getComputedStyle(element);
  return style.color + style.backgroundColor + style.borderTopColor;
}).join()"""


@dataclass
class _Broken:
    """One rule broken by one element, and in which views."""

    rule: str
    impact: str
    help: str
    url: str
    selector: str
    html: str
    views: list[str] = field(default_factory=list)

    @property
    def is_grave(self) -> bool:
        return self.impact in GRAVE


@dataclass
class Reading:
    """What axe said of a page in all its views. `undecided` counts the rules it could not decide, at most."""

    broken: dict[tuple[str, str], _Broken] = field(default_factory=dict)
    views: list[str] = field(default_factory=list)
    undecided: int = 0
    version: str = ""

    @property
    def grave(self) -> list[_Broken]:
        return [broken for broken in self.broken.values() if broken.is_grave]

    @property
    def slight(self) -> list[_Broken]:
        return [broken for broken in self.broken.values() if not broken.is_grave]

    def add(self, view: str, said: dict[str, Any]) -> None:
        self.views.append(view)
        self.version = said["version"]
        self.undecided = max(self.undecided, said["undecided"])
        for rule in said["broken"]:
            for node in rule["nodes"]:
                known = self.broken.setdefault(
                    (rule["id"], node["selector"]),
                    _Broken(
                        rule=rule["id"],
                        impact=node["impact"] or rule["impact"] or "minor",
                        help=rule["help"],
                        url=rule["url"],
                        selector=node["selector"],
                        html=node["html"],
                    ),
                )
                known.views.append(view)


async def usable_by_everyone(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each page, and one for each page that is not to be had."""
    is_full = exam.mode == "full" or (exam.planned is not None and exam.planned.subject is not None)
    pages, gaps = await pages_of(exam)
    looked_at = pages if is_full else _few(pages)
    if len(looked_at) < len(pages):
        exam.notes.append(
            f"a11y.axe looked at {len(looked_at)} of {len(pages)} pages; the full gauntlet looks at all."
        )
    handle = exam.handle
    async with (
        planted_pages() as origin,
        chromium(origin, handle.base_url, handle.site_url or origin) as browser,
    ):
        await _prove(browser, origin)

        async def ask(subject: str, page: Page) -> Finding:
            return _judged(exam, subject, page, await read_page(browser, page.url, cookies=page.cookies))

        found = await ask_each(
            exam,
            [(page.subject, page) for page in looked_at],
            ask,
            source=lambda page: page.source,
            at_once=AT_ONCE,
        )
    return [*found, *(gap.finding(exam) for gap in gaps if is_full)]


async def read_page(browser: Browser, url: str, *, cookies: Sequence[dict[str, Any]] = ()) -> Reading:
    """Run axe-core in a page in all its views.

    Errors:  Undecided when the page does not open, or is another one than was asked for.
    """
    from playwright.async_api import Error

    reading = Reading()
    try:
        # The only place where a page's own policy is set aside: it forbids every script it does not know.
        async with browser.tab(DESKTOP, cookies=cookies, script=_axe(), past_policy=True) as tab:
            response = await tab.page.goto(url, wait_until="load")
            if response is None or response.status != 200 or _path(tab.page.url) != _path(url):
                status = response.status if response else "nothing"
                raise Undecided(f"In the browser it answered {status} at {_path(tab.page.url)}.")
            await tab.page.evaluate(_STAND_STILL)
            for profile in _WIDTHS:
                await tab.page.set_viewport_size({"width": profile.width_px, "height": profile.height_px})
                await _both_schemes(tab, profile.name, reading)
    except Error as failed:
        raise Undecided(f"axe could not be run at {url}: {failed.message.splitlines()[0]}") from failed
    return reading


async def _both_schemes(tab: Tab, view: str, reading: Reading) -> None:
    await tab.page.emulate_media(color_scheme="light")
    light = await tab.page.evaluate(_LOOKS)
    reading.add(f"{view} light", await tab.page.evaluate(_RUN))
    await tab.page.emulate_media(color_scheme="dark")
    if await tab.page.evaluate(_LOOKS) != light:
        reading.add(f"{view} dark", await tab.page.evaluate(_RUN))


async def _prove(browser: Browser, origin: str) -> None:
    """Errors: Unmeasurable when the planted defects are not found, or others are."""
    planted, clean = await asyncio.gather(
        read_page(browser, origin + UNREADABLE), read_page(browser, origin + CLEAN)
    )
    missed = UNREADABLE_RULES - {broken.rule for broken in planted.grave}
    if missed or clean.broken or len(clean.views) != 2 * len(_WIDTHS):
        raise Unmeasurable(
            f"axe-core did not read the examiner's own pages rightly: it missed {sorted(missed)} of what is planted, "
            f"found {sorted(rule for rule, _ in clean.broken)} on a clean page, in the views {clean.views}.",
            fix="Install the version of axe-playwright-python that requirements.lock pins.",
        )


def _few(pages: Sequence[Page]) -> list[Page]:
    """Return the first page, and the first of those that only somebody signed in sees."""
    inside = [page for page in pages if page.is_signed_in]
    return [*[page for page in pages if not page.is_signed_in][: QUICK_PAGES - len(inside[:1])], *inside[:1]]


def _judged(exam: Exam, subject: str, page: Page, reading: Reading) -> Finding:
    grave, slight = reading.grave, reading.slight
    views = ", ".join(reading.views)
    measures = (
        Measure(
            name="elements that keep people out", unit="elements", estimate=len(grave), bound=0,
            method=f"axe-core {reading.version}: {views}",
        ),
        Measure(name="rules axe leaves to a person", unit="rules", estimate=reading.undecided),
    )  # fmt: skip
    remarks = (_table("Remarks that do not fail", slight),) if slight else ()
    facts: dict[str, Any] = {"source": page.source, "measures": measures}
    if not grave:
        return exam.finding(
            subject,
            Verdict.PASS,
            f"axe finds nothing on {subject} that keeps people out ({views})",
            severity=Severity.LOW,
            evidence=remarks,
            **facts,
        )
    grave.sort(key=lambda broken: GRAVE.index(broken.impact))
    rules = {broken.rule: broken for broken in grave}
    first = grave[0]
    more = f" (and {len(rules) - 1} more)" if len(rules) > 1 else ""
    return exam.finding(
        subject,
        Verdict.FAIL,
        f"{subject}: {first.help}{more}",
        severity=Severity.HIGH if first.impact == "critical" else Severity.MEDIUM,
        cause=" ".join(
            f"{rule} ({broken.impact}): `{broken.selector}`, {', '.join(broken.views)}."
            for rule, broken in list(rules.items())[:4]
        ),
        fix="\n".join(f"{broken.help}: {broken.url.partition('?')[0]}" for broken in rules.values()),
        evidence=(_table("What keeps people out", grave), *remarks),
        **facts,
    )


def _table(title: str, broken: Sequence[_Broken]) -> Evidence:
    rows = [(b.rule, b.impact, ", ".join(b.views), b.selector, b.html[:160]) for b in broken[:NODES_SHOWN]]
    more = f" (the first {NODES_SHOWN} of {len(broken)})" if len(broken) > NODES_SHOWN else ""
    return table_evidence(f"{title}{more}", ("rule", "impact", "where", "selector", "element"), rows)


def _path(url: str) -> str:
    return urlsplit(url).path


@cache
def _axe() -> str:
    """Errors: Unmeasurable when the package that carries it is not there."""
    try:
        script = resources.files("axe_playwright_python").joinpath("axe.min.js")
    except ModuleNotFoundError:
        raise Unmeasurable("axe-core is not installed.", fix=INSTALL) from None
    return script.read_text(encoding="utf-8")
