"""The table of web vitals: a row for each page and device, what is over its bound marked."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.pages import ROWS_MAX, pages_section
from tests.support.page import parse
from tests.support.results import every_result, run_result

RESULT = every_result()["pages"]


def test_each_page_and_device_is_a_row_with_its_bounds() -> None:
    section = pages_section(RESULT)
    assert section is not None
    root = parse(section.text)
    rows = [[" ".join(td.text.split()) for td in tr.all("td")] for tr in root.one("tbody").all("tr")]
    assert rows[0] == [
        "GET / (site, phone)", "780 ms of 2,500 ms", "0.31 of 0.1", "624 ms of 1,800 ms", "9 ms of 150 ms", "0 ms of 200 ms", "FAIL"
    ]  # fmt: skip
    assert rows[-1][0] == "GET /invoices under load" and rows[-1][3:6] == ["", "", ""]
    assert [over.text for over in root.all("span", "over")] == ["0.31"]


def test_an_invalid_run_gives_no_verdict_and_a_long_one_says_what_is_left_off() -> None:
    section = pages_section(replace(RESULT, valid=False))
    assert section is not None and "NOT COUNTED" in section.text and "FAIL" not in section.text
    some = next(f for f in RESULT.findings if f.check == "vitals.lab")
    many = pages_section(
        run_result(findings=[replace(some, subject=f"GET /{n}") for n in range(ROWS_MAX + 3)])
    )
    assert many is not None and "3 more pages" in many.text


def test_without_numbers_there_is_no_table() -> None:
    some = next(f for f in RESULT.findings if f.check == "vitals.lab")
    unseen = replace(some, verdict=Verdict.NOT_MEASURED, measures=())
    assert pages_section(run_result(findings=(unseen,))) is None
