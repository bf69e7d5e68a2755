"""The page: one file, complete, small, honest, and unbreakable by what the examined app says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from shipworthy.contract.finding import Distribution, Evidence, Finding, RunResult, Series
from shipworthy.contract.strict import decode, encode
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.html import BYTES_MAX, html_of, write_html
from shipworthy.gauntlet.report.words import verdict_sentence
from tests.support.browser import chromium
from tests.support.page import Element, parse
from tests.support.results import HOSTILE, every_result, finding

RESULTS = every_result()


def page(result: RunResult) -> Element:
    return parse(html_of(result))


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_the_verdict_sentence_is_the_headline_and_the_seal_says_the_verdict(name: str) -> None:
    result = RESULTS[name]
    root = page(result)
    assert root.one("h1").text == " ".join(verdict_sentence(result).split("\n"))
    word = str(result.verdict) if result.valid else "INVALID RUN"
    assert (
        root.one("p", "seal").one("span", "").text == word
        if name == "full"
        else word in root.one("p", "seal").text
    )
    assert word in root.one("title").text


def test_a_quick_run_is_labelled_not_for_release_and_a_full_one_is_not() -> None:
    assert "Quick, not for release" in page(RESULTS["pass"]).one("p", "seal").text
    assert page(RESULTS["full"]).all("span", "label") == []


def test_an_invalid_run_is_not_shown_in_the_colour_of_a_pass() -> None:
    hero = page(RESULTS["invalid"]).one("div", "hero")
    assert "v-pass" not in hero.classes
    assert "claim nothing" in page(RESULTS["invalid"]).text


def test_the_counts_are_those_of_the_findings() -> None:
    items = page(RESULTS["fail"]).one("ul", "tally").all("li")
    assert [item.one("b").text for item in items[:4]] == ["46", "4", "0", "3"]
    assert "84" in items[4].one("b").text


def test_the_sections_come_with_failures_first_and_only_where_there_is_something() -> None:
    def headings(name: str) -> list[str]:
        return [h.text for h in page(RESULTS[name]).all("h2")]

    assert headings("fail") == [
        "What failed",
        "Service objectives",
        "Error budget",
        "How fast, for how many",
        "Second by second",
        "Drills",
        "What was not measured, and why",
        "What held",
        "How far to trust this",
    ]
    assert "What is undecided" in headings("inconclusive")
    assert headings("nothing") == ["Service objectives", "How far to trust this"]


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_every_link_leads_to_a_section_of_the_page(name: str) -> None:
    root = page(RESULTS[name])
    ids = [e.attributes["id"] for e in root.walk() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    for link in [*root.all("a"), *root.all("use")]:
        assert (link.attributes["href"] or "").removeprefix("#") in ids


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_the_page_asks_for_nothing_outside_itself_and_runs_nothing(name: str) -> None:
    root = page(RESULTS[name])
    tags = {e.tag for e in root.walk()}
    assert not tags & {"script", "img", "iframe", "object", "embed", "form", "base"}
    assert [e.attributes["href"] for e in root.all("link")] == ["data:,"]
    for element in root.walk():
        assert not [a for a in element.attributes if a.startswith("on")]
    style = root.one("style").text
    assert "url(" not in style
    assert "@import" not in style
    policy = next(m for m in root.all("meta") if "http-equiv" in m.attributes)
    assert (policy.attributes["content"] or "").startswith("default-src 'none';")


def test_a_hostile_app_changes_the_words_of_the_page_and_nothing_else() -> None:
    hostile = RESULTS["hostile"]
    as_text = json.dumps(encode(hostile)).replace(json.dumps(HOSTILE)[1:-1], "harmless")
    assert HOSTILE[:20] not in as_text
    harmless = decode(RunResult, json.loads(as_text))

    def structure(result: RunResult) -> list[tuple[str, list[str]]]:
        return [(e.tag, sorted(e.attributes)) for e in page(result).walk()]

    assert structure(hostile) == structure(harmless)
    raw = html_of(hostile)
    assert "<script" not in raw
    assert "<img" not in raw
    assert "\x1b" not in raw
    assert "\u202e" not in raw
    assert "<script>alert(1)</script>" in page(hostile).text


def test_the_page_stays_small_however_much_was_found_and_says_what_it_left_off() -> None:
    root_html = html_of(_enormous())
    assert len(root_html.encode()) < BYTES_MAX
    root = parse(root_html)
    left_off = [p.text for p in root.all("p", "more") if "more" in p.text]
    shown = len([d for d in root.all("details", "card") if "v-fail" in d.classes])
    assert any(text.startswith(f"{700 - shown:,} more findings") for text in left_off), left_off
    assert shown >= 10
    assert "more characters in the JSON result" in root.text


def test_an_ordinary_page_is_a_tenth_of_what_it_may_be() -> None:
    assert len(html_of(RESULTS["fail"]).encode()) < BYTES_MAX / 5


def test_the_same_run_makes_the_same_page_and_it_is_written_whole(tmp_path: Path) -> None:
    write_html(RESULTS["fail"], tmp_path / "index.html")
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == html_of(every_result()["fail"])
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"]


@pytest.mark.browser
def test_a_browser_shows_every_page_without_sideways_scrolling_or_complaint(tmp_path: Path) -> None:
    complaints: list[str] = []
    with chromium() as browser:
        view = browser.new_page()
        view.on("console", lambda message: complaints.append(message.text))
        view.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        for name in ("fail", "stranger", "invalid", "hostile", "nothing"):
            write_html(RESULTS[name], tmp_path / "index.html")
            view.goto((tmp_path / "index.html").as_uri())
            view.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            for width in (320, 375, 1280):
                view.set_viewport_size({"width": width, "height": 800})
                assert view.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
    assert complaints == []


THEMES = re.compile(r":root \{(.*?)\}", re.DOTALL)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_verdicts_stand_out_from_every_ground_they_lie_on(theme: int) -> None:
    css = page(RESULTS["full"]).one("style").text
    themes = [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in THEMES.findall(css)]
    assert len(themes) == 2
    colours = themes[theme]
    grounds = [colours["paper"], colours["wash"]]
    for ground in grounds:
        assert contrast(colours["ink"], ground) >= 12
        assert contrast(colours["soft"], ground) >= 7
        for verdict in ("pass", "fail", "open", "gap"):
            assert contrast(colours[verdict], ground) >= 4.5
    for verdict in ("pass", "fail", "open", "gap"):
        assert contrast(colours[verdict], colours[f"{verdict}-wash"]) >= 4.5
        assert contrast(colours["ink"], colours[f"{verdict}-wash"]) >= 7
        assert contrast(colours[verdict], colours["beyond"]) >= 3
    assert contrast(colours["strong-line"], colours["paper"]) >= 3
    assert contrast(colours["ink"], colours["beyond"]) >= 7


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours. Source: WCAG 2.2, relative luminance."""

    def luminance(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _enormous() -> RunResult:
    """Return a run with thousands of long, hostile findings and hour-long curves."""
    long = HOSTILE * 400
    evidence = tuple(Evidence(kind="sql", title=long, text=long) for _ in range(9))
    facts = {"cause": long, "fix": long, "source": long, "evidence": evidence}

    def many(verdict: Verdict, number: int) -> list[Finding]:
        return [
            finding(f"a{n % 40}.b", f"{n}", long, verdict, **{**facts, "cause": f"{n} {long}"})
            for n in range(number)
        ]

    seconds = 3600
    series = tuple(
        Series(
            journey=f"{n} {HOSTILE}",
            latency_ms_p50=(5.5,) * seconds,
            latency_ms_p95=tuple(100.0 + s % 97 for s in range(seconds)),
            requests=(9,) * seconds,
            failures=(1,) * seconds,
            marks=tuple((float(s), long) for s in range(90)),
        )
        for n in range(30)
    )
    points = tuple((1.0 + n, n / 5000) for n in range(5001))
    return replace(
        RESULTS["fail"],
        findings=(
            *many(Verdict.FAIL, 700),
            *many(Verdict.INCONCLUSIVE, 200),
            *many(Verdict.NOT_MEASURED, 700),
            *many(Verdict.PASS, 2000),
            *(finding(f"slo.{n}", f"{n}", long, Verdict.PASS) for n in range(100)),
            *(finding(f"drill.{n}", f"{n}", long, Verdict.PASS) for n in range(100)),
        ),
        series=series,
        distributions=tuple(
            Distribution(journey=s.journey, threshold_ms=99.0, points=points) for s in series
        ),
        notes=(long,) * 300,
        machine={f"{n} {long}": long for n in range(300)},
        error_rates=RESULTS["fail"].error_rates * 50,
    )
