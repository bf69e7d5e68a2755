"""The flows of a report: a picture of each step in order, leading to the whole one, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.cards import failure_section
from shipworthy.gauntlet.report.flows import flow_section
from shipworthy.gauntlet.report.html import BYTES_MAX, html_of
from tests.support.page import parse
from tests.support.results import run_result

SMALL = "data:image/jpeg;base64,AAAA"


def _picture(number: int, *, file: str = "", small: str = SMALL) -> Evidence:
    path = file or f"flows/sign_up/{number:02}.jpg"
    return Evidence(kind="picture", title=f"{number}. Press <b>{number}</b>", text=f"{path}\n{small}")


FLOW = Finding(
    check="preview.flow",
    subject="sign_up",
    stage="preview",
    verdict=Verdict.FAIL,
    title="Sign up breaks at step 3 of 9: Press Create",
    evidence=(_picture(3), _picture(1), _picture(2)),
)


def test_each_step_is_a_picture_in_order_that_leads_to_the_whole_one() -> None:
    section = flow_section(run_result(findings=(FLOW,)))
    assert section is not None
    root = parse(section.text)
    links = root.one("ol").all("a")
    assert [link.attributes["href"] for link in links] == [f"flows/sign_up/{n:02}.jpg" for n in (1, 2, 3)]
    assert links[0].one("img").attributes["src"] == SMALL
    assert links[0].text.strip() == "1. Press <b>1</b>"
    failed = failure_section(run_result(findings=(FLOW,)))
    assert failed is not None and failed.text.count("<img") == 3


def test_a_picture_leads_nowhere_else_and_shows_nothing_else() -> None:
    evil = (
        _picture(1, file="javascript:alert(1)"),
        _picture(2, file="../../etc/x.jpg"),
        _picture(3, small="http://x/y"),
    )
    section = flow_section(run_result(findings=(replace(FLOW, evidence=evil),)))
    assert section is not None
    assert "href=" not in section.text.replace('href="#i-', "").replace('href="flows/sign_up/03.jpg"', "")
    assert section.text.count("<img") == 2


def test_without_pictures_there_is_no_section_and_many_stay_within_the_page() -> None:
    assert flow_section(run_result(findings=(replace(FLOW, evidence=()),))) is None
    large = tuple(_picture(n, small=SMALL + "A" * 4_000) for n in range(1, 30))
    many = [replace(FLOW, subject=f"flow_{n}", verdict=Verdict.PASS, evidence=large) for n in range(9)]
    page = html_of(run_result(findings=many))
    assert len(page.encode()) < BYTES_MAX
    assert "29 pictures of it lie beside the report" in page
