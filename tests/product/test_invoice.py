"""An invoice's whole life in a real browser, in both languages: from the customer to the credit note, and on paper.

Each step leaves a picture in pytest's own folder (`--basetemp` names another), for looking at.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import facturx
import pikepdf
import pytest

from shipworthy.kernel.language import Locale, _, speaking
from shipworthy.rooms.invoicing.einvoice.reading import read_einvoice
from tests.product import test_browser as people
from tests.product.test_browser import DESK_PX, App
from tests.rooms.invoicing.einvoice.test_facturx import FX, PDFA, PDFUA
from tests.rooms.invoicing.test_pdf import text_of
from tests.support.browser import WAIT_TIMEOUT_MS, visitor

pytestmark = [pytest.mark.product, pytest.mark.browser, pytest.mark.xdist_group("product")]
browser, app = people.browser, people.app  # the same kind of app, one for this file

PHONE_PX = 390
SELLER = {"name": "Nordlicht Studio GmbH", "street": "Lindenstraße 12", "postal_code": "20099", "city": "Hamburg", "country": "DE",
          "vat_id": "DE123456789", "contact_name": "Ada Winter", "email": "invoices@nordlicht.example", "phone": "+49 40 1234567",
          "iban": "DE02120300000000202051"}  # fmt: skip
BUYER = {"name": "Hafenkontor Brandt & Söhne GmbH", "street": "Am Sandtorkai 44", "postal_code": "20457", "city": "Hamburg",
         "email": "rechnung@hafenkontor.example"}  # fmt: skip


class Album:
    """The pictures of one life, numbered in their order."""

    def __init__(self, tab: Any, folder: Path) -> None:
        self.tab, self.folder, self.count = tab, folder, 0

    def take(self, name: str) -> None:
        self.count += 1
        self.tab.screenshot(path=self.folder / f"{self.count:02}-{name}.png", full_page=True)


@pytest.mark.parametrize(("language", "width_px"), [("en", DESK_PX), ("de", PHONE_PX)])
def test_an_invoice_lives_from_its_customer_to_its_credit_note(
    browser: Any, app: App, tmp_path: Path, language: Locale, width_px: int
) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=WAIT_TIMEOUT_MS)
    with visitor(browser, width_px=width_px, base_url=app.url) as (tab, _watch):
        album = Album(tab, tmp_path)
        people._sign_up(tab, app, f"life-{language}@sample.example")
        if language != "en":
            tab.locator("summary[aria-label=Menu]").click()
            album.take("menu")
            tab.get_by_role("button", name="Deutsch").locator("visible=true").click()
            expect(tab.locator("html")).to_have_attribute("lang", language)
        with speaking(language):
            album.take("empty")
            tab.goto("/seller")
            fill(tab, SELLER)
            album.take("seller")
            tab.get_by_role("button", name=_("Save details")).click()
            number = issue(tab, album)
            pdf = fetch_pdf(tab)
            looks_right(pdf, number, tmp_path / "paper")
            pay_a_part(tab, album)
            credit_the_rest(tab, album, number)
            paper = fetch_pdf(tab)
            assert number in text_of(paper)
            pictured(paper, tmp_path / "credit-note")
            tab.goto("/invoices")
            album.take("list")
            tab.goto("/numbers")
            album.take("numbers")
            expect(tab.get_by_text(_("Sound"), exact=True).first).to_be_visible()
            tab.context.clear_cookies(name="sid")
            tab.goto("/login")  # the choice of a language outlives the session
            expect(tab.get_by_role("heading", level=1)).to_have_text(_("Sign in"))
            album.take("sign-in")
            tab.emulate_media(color_scheme="dark")
            album.take("sign-in-dark")


def fill(tab: Any, fields: dict[str, str]) -> None:
    for name, text in fields.items():
        tab.locator(f"[name={name}]").fill(text)


def issue(tab: Any, album: Album) -> str:
    from playwright.sync_api import expect

    tab.goto("/customers/new")
    fill(tab, BUYER)
    album.take("customer-form")
    tab.get_by_role("button", name=_("Save customer")).click()
    expect(tab.get_by_text(_("{name} is now a customer.", name=BUYER["name"]))).to_be_visible()
    album.take("customer")
    tab.get_by_role("link", name=_("New invoice")).click()
    people._write_line(tab, 0, "Konzept und Gestaltung", quantity="1.5", price="95.00")
    tab.get_by_role("button", name=_("Add line")).click()
    people._write_line(tab, 1, "Handbuch, gedruckt", quantity="3", price="20.00")
    # 1.5 x 95.00 + 3 x 20.00 = 202.50 net; 19 % of it is 38.475, so 38.48 of tax.
    expect(tab.locator("#totals .grand dd")).to_have_text(re.compile(r"240[.,]98"))
    album.take("draft-form")
    tab.get_by_role("button", name=_("Save draft")).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text(_("Draft invoice"))
    album.take("draft")
    tab.get_by_role("button", name=_("Issue invoice")).click()
    album.take("issue-dialog")
    tab.get_by_role("dialog").get_by_role("button", name=_("Issue invoice")).click()
    heading = tab.get_by_role("heading", level=1)
    expect(heading).to_have_text(re.compile(r"\d{4}-00001"))
    number = re.search(r"\d{4}-\d{5}", heading.text_content())
    assert number
    return number[0]


def fetch_pdf(tab: Any) -> bytes:
    from playwright.sync_api import expect

    link = tab.get_by_role("link", name="PDF")
    expect(link).to_be_visible()  # the page asks again by itself until the worker has made it
    pdf = tab.request.get(link.get_attribute("href"))
    assert (pdf.status, pdf.headers["content-type"]) == (200, "application/pdf")
    body: bytes = pdf.body()
    return body


def looks_right(body: bytes, number: str, picture: Path) -> None:
    """The paper says what the page said, its fonts are embedded, its XML and its metadata are what Factur-X asks for."""
    text = " ".join(text_of(body).split())
    for said in (
        number,
        SELLER["name"],
        BUYER["name"],
        "Konzept und Gestaltung",
        "240,98",
        "38,48",
        "DE123456789",
    ):
        assert said in text, said
    name, xml = facturx.get_facturx_xml_from_pdf(body, check_xsd=True)
    told = read_einvoice(xml).invoice
    assert (name, told.number, str(told.totals.payable)) == ("factur-x.xml", number, "240.98")
    with pikepdf.open(io.BytesIO(body)) as pdf, pdf.open_metadata() as about:
        assert pdf.check_pdf_syntax() == []
        assert (about[f"{PDFA}part"], about[f"{PDFA}conformance"], about[f"{PDFUA}part"]) == ("3", "B", "1")
        assert about[f"{FX}ConformanceLevel"] == "EN 16931"
        for font in (font for page in pdf.pages for font in page.Resources.Font.values()):
            inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
            assert any(f"/FontFile{n}" in inner.FontDescriptor for n in ("", "2", "3"))
    pictured(body, picture)


def pictured(body: bytes, picture: Path) -> None:
    """Draw the first page with a renderer that is not ours, where the machine has one: it is white paper with ink."""
    if shutil.which("pdftoppm") is None:
        return
    picture.with_suffix(".pdf").write_bytes(body)
    drawn = subprocess.run(
        ["pdftoppm", "-singlefile", "-gray", "-r", "60", picture.with_suffix(".pdf"), picture],
        check=True,
        capture_output=True,
    )
    assert drawn.stderr == b"", drawn.stderr
    pixels = picture.with_suffix(".pgm").read_bytes().split(b"\n", 3)[3]
    dark = sum(value < 128 for value in pixels)
    assert 0.002 < dark / len(pixels) < 0.2


def pay_a_part(tab: Any, album: Album) -> None:
    from playwright.sync_api import expect

    album.take("open")
    tab.get_by_role("link", name=_("Record payment")).click()
    tab.locator("[name=amount]").fill("100.00")
    album.take("payment-form")
    tab.get_by_role("button", name=_("Record payment")).click()
    expect(tab.locator("#settled .grand dd")).to_have_text(re.compile(r"140[.,]98"))
    album.take("paid-in-part")


def credit_the_rest(tab: Any, album: Album, number: str) -> None:
    """All of it is taken back: what was owed is settled, what was paid is the customer's credit."""
    from playwright.sync_api import expect

    tab.get_by_role("link", name=_("Credit", context="verb"), exact=True).click()
    album.take("credit-form")
    tab.get_by_role("button", name=_("Issue credit note")).click()
    expect(tab.get_by_text(re.compile(r"100[.,]00"))).not_to_have_count(0)
    expect(tab.get_by_role("link", name=number)).to_be_visible()
    album.take("credit-note")
