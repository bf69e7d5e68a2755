"""A customer's language: their invoices, the XML and the mails are in it, whoever looks at the screen.

Covers: wording.
"""

from __future__ import annotations

import pytest

from shipworthy.rooms.invoicing.wording import language_of
from tests.rooms.invoicing.conftest import LINE, Person
from tests.rooms.invoicing.test_pdf import text_of
from tests.rooms.invoicing.test_seller import SELLER

ABROAD = {**LINE, "tax_rate_bp": 0, "tax_category": "G"}  # an export says why there is no tax, in words


@pytest.mark.parametrize(
    ("buyer", "language"),
    [
        ({"language": "de", "country": "FR"}, "de"),
        ({"language": "en", "country": "DE"}, "en"),
        ({"language": "", "country": "AT"}, "de"),
        ({"country": "FR"}, "en"),
        ({"language": "", "country": ""}, "en"),
        ({"language": "xx"}, "en"),
        (None, "en"),
    ],
)
def test_what_was_chosen_comes_first_then_the_country_then_the_app(
    buyer: dict[str, str] | None, language: str
) -> None:
    assert language_of(buyer, otherwise="en") == language


async def test_paper_xml_and_mail_speak_the_customers_language_from_the_issue_on(acme: Person) -> None:
    await acme.send("PUT", "/api/seller", SELLER)
    body = {"name": "Comptoir du Port", "country": "FR", "email": "bureau@comptoir.example", "language": "de"}
    customer = (await acme.post("/api/customers", body)).json
    assert customer["language"] == "de"
    issued = await acme.issued(customer["customer_id"], lines=[ABROAD])
    path = f"/api/invoices/{issued['invoice_id']}"
    # Later it is another, for later invoices.
    other = await acme.send("PUT", f"/api/customers/{customer['customer_id']}", {**body, "language": "en"})
    assert other.status == 200
    await acme.run_jobs(issued["invoice_id"])
    assert "Rechnung" in text_of((await acme.get(f"{path}/pdf")).body)
    page = (await acme.get(f"/invoices/{issued['invoice_id']}/send")).text
    assert (
        "Rechnung" in page and "Invoice 2" not in page.partition("<textarea")[2].partition("</textarea>")[0]
    )
    german = (await acme.get(f"{path}/xml?format=ubl")).text
    english = await acme.issued(customer["customer_id"], lines=[ABROAD])
    assert (await acme.get(f"/api/invoices/{english['invoice_id']}/xml?format=ubl")).text != german
    await acme.run_jobs(english["invoice_id"])
    assert "Invoice" in text_of((await acme.get(f"/api/invoices/{english['invoice_id']}/pdf")).body)


async def test_a_language_nobody_speaks_here_is_refused_by_name(acme: Person) -> None:
    for language in ("xx", "German", "de-AT"):
        refused = await acme.post("/api/customers", {"name": "Kiosk", "language": language})
        assert (refused.status, list(refused.json["fields"])) == (422, ["language"])
    assert "Sprache" not in (await acme.get("/customers/new")).text
    form = (await acme.get("/customers/new", headers={"accept-language": "de"})).text
    assert "Sprache der Dokumente und Mails" in form
