"""Demo pages of all three rooms, rendered from the kernel's templates as the rooms would.

Owns the made-up data. `python -m tests.support.gallery FOLDER` writes static HTML files with
the styles beside them: open them, photograph them, hold them against an accessibility checker.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipworthy.kernel.http.pages import Pages
from shipworthy.kernel.http.static import KERNEL_STATIC
from shipworthy.kernel.money.format import format_amount
from tests.support.gallery_operators import EXPORTS, RUNBOOK, RUNBOOK_PAGE, TRAIL, USAGE, objectives

NONCE = "of-the-gallery"
DEMO_TEMPLATES = Path(__file__).parent / "gallery_pages"


@dataclass(frozen=True, kw_only=True)
class Demo:
    """One page of the gallery."""

    name: str
    template: str
    title: str
    section: str = ""
    is_signed_in: bool = True
    flash: tuple[Mapping[str, str], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def write_gallery(folder: Path) -> list[Path]:
    """Write every demo page and the static files into `folder`; return the pages."""
    pages = demo_pages()
    shutil.copytree(KERNEL_STATIC, folder / "static", dirs_exist_ok=True)
    written = []
    for demo in DEMOS:
        path = folder / f"{demo.name}.html"
        path.write_bytes(pages.render(demo.template, context(demo)))
        written.append(path)
    return written


def demo_pages() -> Pages:
    """Return the environment a room has, with relative addresses for the static files."""
    pages = Pages({"demo": DEMO_TEMPLATES}, static_url=lambda name: f"static/{name}")
    pages.function("idem", lambda: "0198-demo-key")
    pages.filter("money", lambda minor, currency: format_amount(minor, currency=currency, locale="en"))
    return pages


def context(demo: Demo) -> dict[str, Any]:
    """Return what the kernel always passes, and the demo's own data."""
    return {
        "lang": "en",
        "nonce": NONCE,
        "app": {"name": "Ledgerline"},
        "page": {"title": demo.title, "section": demo.section},
        "user": USER if demo.is_signed_in else None,
        "tenant": {"name": "Nordlicht Studio"} if demo.is_signed_in else None,
        "nav": NAV if demo.is_signed_in else [],
        "flash": list(demo.flash),
        "path": "",
        **demo.data,
    }


HERE = {"base": "/-/traces", "layout": "kernel/layout_public.html"}
USER = {"name": "Mara Lindqvist", "email": "mara@nordlicht.example"}

NAV = [
    {"href": "/", "label": "Overview", "icon": "layout-dashboard", "section": "overview"},
    {"href": "/invoices", "label": "Invoices", "icon": "receipt-text", "section": "invoices"},
    {"href": "/customers", "label": "Customers", "icon": "users", "section": "customers"},
    {"href": "/pages", "label": "Website", "icon": "globe", "section": "pages"},
    {"href": "/account", "label": "Account", "icon": "user", "section": "account"},
]

_INVOICES = [
    ("", "Atelier Vermeulen", "", "", "draft", 124000),
    ("2026-0147", "Hafenkontor Brandt & Söhne GmbH", "23 Nov 2026", "7 Dec 2026", "open", 458620),
    ("2026-0146", "Kafferosteriet Malmö AB", "20 Nov 2026", "4 Dec 2026", "open", 89250),
    (
        "2026-0145",
        "Stadtwerke Neumünster, Abteilung Öffentlichkeitsarbeit",
        "12 Nov 2026",
        "26 Nov 2026",
        "paid",
        1203500,
    ),
    ("2026-0144", "Lindqvist Film", "4 Nov 2026", "18 Nov 2026", "overdue", 238000),
    ("2026-0143", "Hafenkontor Brandt & Söhne GmbH", "30 Oct 2026", "13 Nov 2026", "paid", 45815),
    ("2026-0142", "Buchhandlung am Fleet", "28 Oct 2026", "11 Nov 2026", "void", 19900),
    ("2026-0141", "Kafferosteriet Malmö AB", "21 Oct 2026", "4 Nov 2026", "overdue", 101150),
]
INVOICES = [
    dict(zip(("number", "customer", "issued", "due", "status", "total_minor"), row, strict=True))
    for row in _INVOICES
]

_CUSTOMERS = [
    ("Atelier Vermeulen", "Antwerp, Belgium", "BE0428759497", 0),
    ("Buchhandlung am Fleet", "Hamburg", "DE136695976", 0),
    ("Hafenkontor Brandt & Söhne GmbH", "Hamburg", "DE811907980", 458620),
    ("Kafferosteriet Malmö AB", "Malmö, Sweden", "SE556012579001", 190400),
    ("Lindqvist Film", "Stockholm, Sweden", "", 238000),
    ("Stadtwerke Neumünster, Abteilung Öffentlichkeitsarbeit", "Neumünster", "DE134845170", 0),
]
CUSTOMERS = [dict(zip(("name", "city", "vat", "outstanding_minor"), row, strict=True)) for row in _CUSTOMERS]

LINES = [
    {
        "description": "Concept and wireframes",
        "quantity": "24",
        "unit_minor": 9500,
        "rate": "19%",
        "net_minor": 228000,
    },
    {
        "description": "Photography, harbour and office, one day on location",
        "quantity": "1",
        "unit_minor": 152000,
        "rate": "19%",
        "net_minor": 152000,
    },
    {
        "description": "Printed style guide",
        "quantity": "3",
        "unit_minor": 2000,
        "rate": "7%",
        "net_minor": 6000,
    },
]
DRAFT_LINES = [
    {"description": "Concept and wireframes", "quantity": "24", "price": "95.00", "tax": "1900"},
    {"description": "Photography, harbour and office", "quantity": "1", "price": "1520.00", "tax": "1900"},
    {"description": "Printed style guide", "quantity": "3", "price": "20.00", "tax": "700"},
]

EVENTS = [
    {"text": "PDF made", "when": "Today, 10:42", "iso": "2026-11-23T10:42"},
    {
        "text": "Finalised as 2026-0147",
        "when": "Today, 10:42",
        "iso": "2026-11-23T10:42",
        "by": "Mara Lindqvist",
    },
    {"text": "Draft written", "when": "Yesterday, 16:20", "iso": "2026-11-22T16:20", "by": "Jonas Weber"},
]

_MONTHS = {
    "Dec": 640, "Jan": 512, "Feb": 705, "Mar": 930, "Apr": 810, "May": 1104,
    "Jun": 990, "Jul": 420, "Aug": 0, "Sep": 1260, "Oct": 870, "Nov": 974,
}  # fmt: skip
MONTHS = [
    {"label": label, "value": value, "text": format_amount(value * 1000, currency="EUR", locale="en")}
    for label, value in _MONTHS.items()
]

SITE_PAGES = [
    {"title": "Home", "slug": "", "status": "published", "label": "", "changed": "2 November"},
    {"title": "Opening hours", "slug": "opening-hours", "status": "changed", "label": "Unpublished changes", "changed": "Today, 10:40"},
    {"title": "Work", "slug": "work", "status": "published", "label": "", "changed": "14 October"},
    {"title": "How we photograph harbours at night", "slug": "work/harbours-at-night", "status": "draft", "label": "", "changed": "Yesterday, 16:20"},
]  # fmt: skip

BODY = """## The studio

We are in the **old ropewalk**, second floor, left door.

- Monday to Thursday, 9:00 to 17:00
- Friday, 9:00 to 14:00
- Saturday by appointment: [write to us](/contact)

## Between the years

The studio is closed from 24 December to 2 January. Mail is answered on 4 January.
"""

RENDERED = """<p>A paragraph with <strong>weight</strong>, <em>stress</em> and a <a href="/contact">link</a>.</p>
<h2>A heading</h2><ul><li>One thing</li><li>Another</li></ul>
<blockquote><p>Somebody said this.</p></blockquote>
<pre tabindex="0"><code>typst compile invoice.typ</code></pre>"""

DEVICES = [
    {"id": 1, "name": "Safari on iPhone", "seen": "Hamburg · yesterday, 21:14", "symbol": "smartphone"},
    {"id": 2, "name": "Chrome on Windows", "seen": "Kiel · 9 November", "symbol": "laptop"},
]

MISSING = {
    "status": 404,
    "title": "There is nothing here",
    "detail": "There is no such invoice. Check the address, or go back to the list.",
    "fields": {},
    "trace_id": "",
}
WRONG_FIELDS = {
    "status": 422,
    "title": "Please check your entries",
    "detail": "Some fields need another value: lines[0].price, due_date.",
    "fields": {"lines[0].price": "is missing", "due_date": "lies before the issue date"},
    "trace_id": "",
}
CRASH = {
    "status": 500,
    "title": "Something broke on our side",
    "detail": "The error is logged. Try again; if it stays, quote the trace id below.",
    "fields": {},
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
}

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACES = [
    {"id": TRACE_ID, "at": "2026-11-28 09:14:02", "name": "POST /api/invoices/{invoice_id}/finalise",
     "took_ms": "1204.8", "spans": 23, "is_error": False},
    {"id": TRACE_ID[::-1], "at": "2026-11-28 09:13:40", "name": "job site.sitemap", "took_ms": "31.0", "spans": 1,
     "is_error": True},
]  # fmt: skip
TURNED_AWAY = [
    {"id": TRACE_ID, "at": "2026-11-28 09:14:02", "is_refused": True, "rule": "sql.tautology", "part": "query q",
     "says": "a quote is closed and a condition follows that is always true or false", "request": "GET /customers",
     "network": "203.0.113.0/24", "excerpt": "x' or 'a'='a",
     "remedy": "If this was a person: a route where people write pages or code is declared screened=False."},
    {"id": TRACE_ID[::-1], "at": "2026-11-28 09:13:40", "is_refused": False, "rule": "trap.address", "part": "address",
     "says": "an address that nobody asks for who means well", "request": "GET /.env", "network": "2001:db8:1:200::/56",
     "excerpt": "", "remedy": "Nobody was shut out for this alone."},
]  # fmt: skip
BARS = [
    {"name": name, "service": service, "depth": depth, "took_ms": f"{took:.1f}", "left": left, "width": width,
     "is_error": "mail" in name, "facts": facts}
    for name, service, depth, took, left, width, facts in (
        ("POST /api/invoices/{invoice_id}/finalise", "web", 0, 48.1, 0, 40, {"http.response.status_code": 200}),
        ("auth.session", "web", 1, 0.4, 2, 5, {}),
        ("kernel.session_by_token", "web", 2, 0.3, 2, 5, {"db.system.name": "postgresql"}),
        ("job invoicing.pdf", "worker", 1, 612.0, 210, 508, {"job.attempt": 1}),
        ("pdf.render", "worker", 2, 540.2, 240, 448, {}),
        ("invoicing.document_create", "worker", 3, 1.2, 700, 5, {}),
        ("job invoicing.mail", "worker", 4, 301.0, 740, 250, {}),
        ("mail.send", "worker", 5, 300.2, 741, 249,
         {"exception.type": "Upstream", "exception.message": "The mail server does not take the mail; it will be tried again."}),
        ("invoicing.mail_settle", "worker", 6, 0.9, 995, 5, {}),
    )
]  # fmt: skip
DEMOS = (
    Demo(
        name="sign_in",
        template="demo/sign_in.html",
        title="Sign in",
        is_signed_in=False,
        data={"refused": True, "email": "mara@nordlicht.example"},
    ),
    Demo(
        name="sign_up",
        template="demo/sign_up.html",
        title="Create your account",
        is_signed_in=False,
        data={
            "errors": {
                "email": "The part after the @ needs a dot, as in nordlicht.example.",
                "password": "Use at least 15 characters; this one has 8.",
            }
        },
    ),
    Demo(name="verify", template="demo/verify.html", title="Check your inbox", is_signed_in=False),
    Demo(
        name="account",
        template="demo/account.html",
        title="Account",
        section="account",
        data={"devices": DEVICES},
    ),
    Demo(
        name="overview",
        template="demo/overview.html",
        title="Overview",
        section="overview",
        data={"months": MONTHS, "events": EVENTS},
    ),
    Demo(
        name="customers",
        template="demo/customers.html",
        title="Customers",
        section="customers",
        data={"customers": CUSTOMERS},
    ),
    Demo(name="customer_form", template="demo/customer_form.html", title="New customer", section="customers"),
    Demo(
        name="invoices",
        template="demo/invoices.html",
        title="Invoices",
        section="invoices",
        flash=({"kind": "success", "text": "Invoice 2026-0147 is finalised. Its PDF is being made."},),
        data={"invoices": INVOICES},
    ),
    Demo(
        name="invoices_empty",
        template="demo/invoices.html",
        title="Invoices",
        section="invoices",
        data={"invoices": []},
    ),
    Demo(
        name="invoice_editor",
        template="demo/invoice_editor.html",
        title="Edit invoice",
        section="invoices",
        data={"lines": DRAFT_LINES, "errors": {}},
    ),
    Demo(
        name="invoice_editor_wrong",
        template="demo/invoice_editor.html",
        title="Edit invoice",
        section="invoices",
        data={"lines": DRAFT_LINES, "errors": {"lines[1].price": "Write an amount such as 1520.00."}},
    ),
    Demo(
        name="invoice_view",
        template="demo/invoice_view.html",
        title="Invoice 2026-0147",
        section="invoices",
        data={"lines": LINES, "events": EVENTS},
    ),
    Demo(
        name="pages", template="demo/pages.html", title="Pages", section="pages", data={"pages": SITE_PAGES}
    ),
    Demo(name="pages_empty", template="demo/pages.html", title="Pages", section="pages", data={"pages": []}),
    Demo(
        name="page_editor",
        template="demo/page_editor.html",
        title="Opening hours",
        section="pages",
        data={
            "body": BODY,
            "description": "When the studio in the old ropewalk is open, and how to reach us outside these hours.",
        },
    ),
    Demo(name="parts", template="demo/parts.html", title="Parts", data={"rendered": RENDERED}),
    Demo(
        name="error_404", template="kernel/error.html", title="There is nothing here", data={"error": MISSING}
    ),
    Demo(
        name="error_422",
        template="kernel/error.html",
        title="Please check your entries",
        data={"error": WRONG_FIELDS},
    ),
    Demo(
        name="error_500",
        template="kernel/error.html",
        title="Something broke on our side",
        is_signed_in=False,
        data={"error": CRASH},
    ),
    Demo(
        name="traces",
        template="kernel/traces.html",
        title="Traces",
        is_signed_in=False,
        data={"traces": TRACES, **HERE},
    ),
    Demo(
        name="no_traces",
        template="kernel/traces.html",
        title="Traces",
        is_signed_in=False,
        data={"traces": [], **HERE},
    ),
    Demo(
        name="trace",
        template="kernel/trace.html",
        title="Trace",
        is_signed_in=False,
        data={"trace_id": TRACE_ID, "whole_ms": "1,204.8", "bars": BARS, **HERE},
    ),
    Demo(name="runbook", template="kernel/runbook.html", title="Runbook", section="runbook", data=RUNBOOK),
    Demo(
        name="no_runbook",
        template="kernel/runbook.html",
        title="Runbook",
        section="runbook",
        data={**RUNBOOK, "rows": [], "card": ""},
    ),
    Demo(
        name="runbook_page",
        template="kernel/runbook_page.html",
        title="Restore",
        section="runbook",
        data=RUNBOOK_PAGE,
    ),
    Demo(name="usage", template="kernel/usage.html", title="Usage", section="usage", data=USAGE),
    Demo(
        name="usage_new",
        template="kernel/usage.html",
        title="Usage",
        section="usage",
        data={**USAGE, "budgets": [], "notices": []},
    ),
    Demo(name="audit", template="kernel/audit.html", title="Audit trail", section="audit", data=TRAIL),
    Demo(
        name="audit_empty",
        template="kernel/audit.html",
        title="Audit trail",
        section="audit",
        data={**TRAIL, "rows": [], "start": "", "next": ""},
    ),
    Demo(
        name="audit_exports",
        template="kernel/audit_exports.html",
        title="Exports",
        section="audit",
        data=EXPORTS,
    ),
    Demo(
        name="objectives",
        template="kernel/objectives.html",
        title="Objectives",
        section="objectives",
        data=objectives(),
    ),
    Demo(
        name="edge_events",
        template="kernel/edge_events.html",
        title="Turned away",
        is_signed_in=False,
        data={"events": TURNED_AWAY},
    ),
    Demo(
        name="no_edge_events",
        template="kernel/edge_events.html",
        title="Turned away",
        is_signed_in=False,
        data={"events": []},
    ),
    Demo(
        name="edge_event",
        template="kernel/edge_event.html",
        title="Why this request was turned away",
        is_signed_in=False,
        data={"request_id": TRACE_ID, "events": TURNED_AWAY},
    ),
    Demo(
        name="challenge",
        template="demo/challenge.html",
        title="Sign in",
        is_signed_in=False,
        data={"challenge": {"text": "AGlnCfIPn1Yqk0m0Lq3XWnBf2bQ3sXGmC0a5sR5tWg", "bits": 15}},
    ),
)


if __name__ == "__main__":
    for page in write_gallery(Path(sys.argv[1])):
        print(page)
