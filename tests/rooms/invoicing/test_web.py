"""What the room promises to the examiner: every route, its example, its bound of statements."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from shipworthy.kernel.describe import describe
from shipworthy.kernel.route import Route
from shipworthy.rooms.invoicing.products.web import EXAMPLE as PRODUCT_EXAMPLE
from shipworthy.rooms.invoicing.rates.web import EXAMPLE as RATE_EXAMPLE
from shipworthy.rooms.invoicing.room import ROOM
from shipworthy.rooms.invoicing.seller_web import SELLER_EXAMPLE
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.rooms.invoicing.test_draft import queries_counted
from tests.support.app import RunningApp, make_settings
from tests.support.page import without_nonces

SESSION_QUERIES = 2  # looked up and touched outside the request's own transaction
# Routes whose answer to their own example is not a success: an If-Match header is no part of an example.
REFUSED = {"PUT /api/invoices/{invoice_id}": 428}


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", ROOM.routes, ids=name_of)
async def test_route_takes_its_example_within_its_bound_of_statements(
    app: RunningApp, acme: Person, route: Route
) -> None:
    samples = await every_sample(acme)
    path = route.path
    for parameter, sample in route.params.items():
        path = path.replace(f"{{{parameter}}}", samples[sample])
    assert "{" not in path, "a path parameter without a sample"
    body = filled(route.example, samples) if route.example is not None else None
    before = queries_counted(app, name_of(route))
    if route.media == "html" and isinstance(body, dict):
        sent = await acme.submit(path, **as_fields(body))
    else:
        sent = await acme.send(route.method, path, body)
    expected = {REFUSED[name_of(route)]} if name_of(route) in REFUSED else {route.status, 303}
    assert sent.status in expected, sent.text[:500]
    ran = queries_counted(app, name_of(route)) - before
    assert route.queries_max is not None
    assert ran + SESSION_QUERIES <= route.queries_max


@pytest.mark.parametrize("route", [r for r in ROOM.routes if "{" in r.path], ids=name_of)
async def test_a_foreign_or_missing_id_is_the_same_404(app: RunningApp, acme: Person, route: Route) -> None:
    samples = await every_sample(acme)
    globex = await person(app, "Globex")
    samples_of_globex = {"customer_id": await globex.customer()}
    answers = []
    for value in (samples[next(iter(route.params.values()))], str(uuid.uuid4())):
        path = re.sub(r"\{\w+\}", value, route.path)
        body = filled(route.example, {**samples, **samples_of_globex}) if route.example is not None else None
        if route.media == "html" and isinstance(body, dict):
            answers.append(await globex.submit(path, **as_fields(body)))
        else:
            answers.append(await globex.send(route.method, path, body, if_match='"1"'))
    assert [a.status for a in answers] == [404, 404]
    assert without_keys(answers[0].text) == without_keys(answers[1].text)


def without_keys(text: str) -> str:
    """A page's hidden idempotency keys are new each time it is shown."""
    return re.sub(r'(_idempotency_key" value=")[^"]+', r"\1", without_nonces(text))


async def every_sample(acme: Person, *, customer_name: str = "Harbour Office") -> dict[str, str]:
    await acme.send("PUT", "/api/seller", SELLER_EXAMPLE)
    customer = await acme.post("/api/customers", {"name": customer_name, "country": "DE"})
    customer_id = str(customer.json["customer_id"])
    paid, printed, opened, draft = [
        (await make(customer_id))["invoice_id"]
        for make in (acme.issued, acme.issued, acme.issued, acme.draft)
    ]
    await acme.post(f"/api/invoices/{paid}/pay")
    await acme.run_jobs(printed)
    await acme.post("/api/tax-rates", RATE_EXAMPLE)
    await acme.post("/api/products", PRODUCT_EXAMPLE)
    csv = "source_id,description,unit_price,tax\nS-1,Advice,95,19\n"
    await acme.post("/api/invoices/import", {"csv": csv, "customer_id": customer_id})
    await acme.post(f"/api/invoices/{printed}/mails", {"to": ["office@harbour.example"]})
    await acme.app.admin("update invoice_mail set status = 'sent', settled_at = now()")  # no mail server here
    await acme.post("/api/payments", {"customer_id": customer_id, "currency": "EUR", "amount_minor": 100})
    async with acme.app.ctx(tenant_id=acme.tenant_id).begin() as tx:
        looked_up = {sample.name: await tx.raw(sample.sql) for sample in ROOM.samples}
    return {
        **{name: str(rows[0][0]) for name, rows in looked_up.items() if rows},
        "customer_id": customer_id,
        "invoice_id": draft,
        "draft_invoice_id": draft,
        "open_invoice_id": opened,
        "einvoice_id": opened,
        "paid_invoice_id": paid,
        "printed_invoice_id": printed,
    }


def filled(value: Any, samples: dict[str, str]) -> Any:
    if isinstance(value, dict) or hasattr(value, "items"):
        return {key: filled(inner, samples) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, samples) for inner in value]
    return samples[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def as_fields(body: dict[str, Any]) -> dict[str, str]:
    fields = {key: value for key, value in body.items() if isinstance(value, str)}
    for index, line in enumerate(body.get("lines", [])):
        fields.update({f"lines__{index}__{key}": value for key, value in line.items()})
    return fields


async def test_the_manifest_names_only_samples_that_exist() -> None:
    told = describe(make_settings((ROOM,)), (ROOM,))
    samples = {sample.name for sample in told.samples}
    for route in told.routes:
        assert set(route.params.values()) <= samples
        if route.method in ("POST", "PUT"):
            assert route.example is not None, f"{route.method} {route.path} has no example"
    assert {job.triggered_by for job in told.jobs if job.triggered_by} <= {
        f"{r.method} {r.path}" for r in told.routes
    }
    assert {journey.slo for journey in told.journeys} <= {slo.name for slo in told.slos}


async def test_the_oracles_words_are_the_apis_words(acme: Person) -> None:
    (oracle,) = ROOM.oracles
    body = filled(oracle.body, {"customer_id": await acme.customer()})
    method, _, path = oracle.create.partition(" ")
    answer = (await acme.send(method, path, body)).json
    words = oracle.fields
    assert (answer[words["net_minor"]], answer[words["tax_minor"]], answer[words["gross_minor"]]) == (
        90,
        17,
        107,
    )
    line = answer[words["lines"]][0]
    assert {words[w] for w in ("description", "quantity", "unit_price", "tax_rate_bp")} <= set(line)
    outer, _, inner = words["discount_bp"].partition(".")
    assert line[outer][inner] == 1000
    assert answer[words["prices_include_tax"]] is False


@pytest.mark.parametrize("route", [r for r in ROOM.routes if "$" in str(r.example)], ids=name_of)
async def test_a_foreign_id_in_a_body_is_refused_and_names_nobody(
    app: RunningApp, acme: Person, route: Route
) -> None:
    """What a body names is looked for among one's own, too."""
    samples = await every_sample(acme, customer_name="Marker of Acme")
    globex = await person(app, "Globex")
    own = await every_sample(globex)
    path = re.sub(r"\{(\w+)\}", lambda found: own[route.params[found[1]]], route.path)
    body = filled(route.example, {**own, **{name: samples[name] for name in names_in(route.example)}})
    if route.media == "html":
        answer = await globex.submit(path, **as_fields(body))
    else:
        answer = await globex.send(route.method, path, body, if_match="*")
    assert answer.status in (404, 409, 422) or (route.effect == "read" and answer.status == 200), answer.text
    assert "Marker of Acme" not in answer.text


def names_in(value: Any) -> set[str]:
    return set(re.findall(r"\$(\w+)", str(value)))


async def test_more_than_ten_thousand_lines_are_refused_at_once(acme: Person) -> None:
    body = {"customer_id": await acme.customer(), "currency": "EUR", "lines": [LINE] * 10_001}
    refused = await acme.post("/api/invoices", body)
    assert (refused.status, refused.json["code"]) == (422, "body.invalid")
    long = {**body, "lines": [{**LINE, "description": "x" * 1000}] * 9_000}
    assert (await acme.post("/api/invoices", long)).json["code"] == "body.too_large"
    form = {f"lines__{n}__description": "x" for n in range(4_000)}
    sent = await acme.submit("/invoices", **form)
    assert sent.status in (400, 413, 422)
    assert (await acme.get("/api/invoices")).json["invoices"] == []
