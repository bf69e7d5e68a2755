"""The press: the same bytes as in this process, within its bounds, whoever dies.

Covers: press, printer, scripts.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shipworthy.kernel.settings import PdfSection
from shipworthy.rooms.invoicing.document import close_press
from shipworthy.rooms.invoicing.pdf import render_invoice_pdf
from shipworthy.rooms.invoicing.printing.press import NotPrinted, Press
from shipworthy.rooms.invoicing.printing.scripts import fonts_for
from tests.rooms.invoicing.conftest import Person
from tests.rooms.invoicing.test_pdf import EXTRA_FONTS, OGHAM, invoice, text_of
from tests.support.app import RunningApp


@pytest.fixture
async def press() -> AsyncIterator[Press]:
    opened = Press(PdfSection(timeout_s=60, font_dirs=(str(EXTRA_FONTS),)))
    yield opened
    await opened.close()


def child_of(press: Press) -> Any:
    return press._child


async def test_one_child_prints_one_after_the_other_what_this_process_would(press: Press) -> None:
    document = dataclasses.replace(invoice(), notes=OGHAM)
    first, *others = await asyncio.gather(*(press.render(document) for _ in range(3)))
    assert first == render_invoice_pdf(document, font_dirs=[EXTRA_FONTS])
    assert set(others) == {first}
    child = child_of(press)
    environment = await asyncio.to_thread(Path(f"/proc/{child.pid}/environ").read_bytes)
    assert b"SHIPWORTHY" not in environment
    assert b"HOME" not in environment
    with pytest.raises(
        NotPrinted, match=r"Noto Sans CJK \(for Chinese, Japanese or Korean\).*pdf\.font_dirs"
    ) as refused:
        await press.render(dataclasses.replace(invoice(), notes="For 東京"))
    assert refused.value.code == "invoice.pdf_missing_glyphs"
    tricks = '#eval(1) $x$ \\ <b> & =1+1 #include("/etc/passwd") \N{RIGHT-TO-LEFT MARK}txt'
    assert "#eval(1) $x$ \\ <b> & =1+1" in text_of(
        await press.render(dataclasses.replace(invoice(), notes=tricks))
    )
    assert child_of(press) is child


async def test_a_child_that_is_killed_is_replaced_before_a_document_and_in_the_middle_of_one(
    press: Press,
) -> None:
    expected = await press.render(invoice())
    child_of(press).kill()
    assert await press.render(invoice()) == expected
    child = child_of(press)
    printing = asyncio.create_task(press.render(invoice(lines=long_lines(300))))
    while not press._turn.locked():
        await asyncio.sleep(0)
    child.kill()
    assert (await printing)[:5] == b"%PDF-"
    assert child_of(press) is not child


async def test_who_is_cancelled_half_way_leaves_no_answer_to_the_next(press: Press) -> None:
    expected = await press.render(invoice())
    printing = asyncio.create_task(press.render(invoice(lines=long_lines(300))))
    while not press._turn.locked():
        await asyncio.sleep(0)
    printing.cancel()
    await asyncio.gather(printing, return_exceptions=True)
    assert await press.render(invoice()) == expected


@pytest.mark.parametrize(
    ("bounds", "code", "said"),
    [
        (PdfSection(memory_mib=128, timeout_s=60), "invoicing.pdf_too_large", "pdf.memory_mib"),
        (PdfSection(timeout_s=0.05), "invoicing.pdf_too_slow", "pdf.timeout_s"),
        (PdfSection(cpu_s=0, timeout_s=60, memory_mib=4096), "invoicing.pdf_too_slow", "pdf.cpu_s"),
    ],
)
async def test_a_document_that_breaks_a_bound_is_refused_with_the_bounds_name(
    bounds: PdfSection, code: str, said: str
) -> None:
    press = Press(bounds)
    try:
        with pytest.raises(NotPrinted) as refused:
            await press.render(invoice(lines=long_lines(1000, words=400)))  # several seconds of any processor
        assert (refused.value.code, said in refused.value.message) == (code, True)
    finally:
        await press.close()


async def test_an_invoice_that_cannot_be_printed_says_why_and_is_printed_when_it_can(
    app: RunningApp, acme: Person
) -> None:
    issued = await acme.issued(note=f"For {OGHAM}")
    path = f"/api/invoices/{issued['invoice_id']}/pdf"
    await acme.run_jobs(issued["invoice_id"])
    failed = await acme.get(path)
    assert (failed.status, failed.json["code"]) == (409, "invoicing.pdf_failed")
    assert "Noto Sans Ogham (for Ogham)" in failed.json["detail"]
    page = await acme.get(f"/invoices/{issued['invoice_id']}")
    assert "This invoice has no PDF" in page.text
    assert "Try again" in page.text
    assert "PDF failed" in (await acme.get(f"/invoices/{issued['invoice_id']}/document")).text
    await close_press(app.runtime)
    app.runtime.state["invoicing.press"] = Press(
        PdfSection(font_dirs=(str(EXTRA_FONTS),))
    )  # as after a restart
    asked = await acme.post(path)
    assert (asked.status, asked.json) == (200, {"pdf": "pending"})
    assert (await acme.get(path)).json["code"] == "invoicing.pdf_pending"
    await acme.run_jobs(issued["invoice_id"])
    assert (await acme.get(path)).status == 200
    assert (await acme.submit(f"/invoices/{issued['invoice_id']}/pdf")).status == 303
    assert (await acme.post(path)).json == {"pdf": "ready"}


def test_a_character_names_its_writing_and_its_font() -> None:
    said = fonts_for("東京 かな 한 ب \N{GRINNING FACE} \x07 a")
    assert said == [
        ("Chinese, Japanese or Korean", "Noto Sans CJK"),
        ("Arabic", "Noto Sans Arabic"),
        ("picture characters", "Noto Emoji"),
    ]


def long_lines(many: int, *, words: int = 40) -> list[Any]:
    return [("Long words. " * words, "1", "10", "S", 1900, 0, "") for _ in range(many)]
