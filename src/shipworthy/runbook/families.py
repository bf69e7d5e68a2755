"""A page for each family of error codes: what the refusals mean, how one is made on purpose, and what is right instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipworthy.runbook.facts import ErrorCode, Facts
from shipworthy.runbook.markdown import parse
from shipworthy.runbook.page import Page

_JSON = "accept: application/json\ncontent-type: application/json\nidempotency-key: $ONCE"


@dataclass(frozen=True, kw_only=True)
class Provoked:
    """A request that is refused, with what, and what a person is told about the family."""

    family: str
    means: str
    request: str
    status: int
    says: str  # its code, or the words where the answer is no JSON
    owner: bool = True
    incident: str = "usage"


# One refusal of each family that a request alone brings about. What takes a fault has a page of its own below.
PROVOKED = (
    Provoked(family="audit", means="An export of the audit trail cannot be made as it was asked for, or others are still being made.",
             request="POST /audit/exports\naccept: application/json\ncontent-type: application/x-www-form-urlencoded\norigin: $BASE\n"
             "idempotency-key: $ONCE\n\nkind=csv&from_day=2026-02-02&to_day=2026-01-01", status=422, says="audit.days_reversed"),
    Provoked(family="auth", means="Somebody may not in: a wrong password, a second factor, an address that is taken, too many tries.",
             request="POST /login\naccept: application/json\ncontent-type: application/x-www-form-urlencoded\n\n"
             "email=nobody-$MARK@example.com&password=not-the-right-password", status=401, says="auth.refused", owner=False, incident="security"),
    Provoked(family="body", means="What was sent is no form or JSON of the shape the route declares. A client of ours is older or newer than the app.",
             request="POST /api/token\naccept: application/json\ncontent-type: application/json\n\n{", status=400, says="body.malformed", owner=False),
    Provoked(family="einvoice", means="An electronic invoice cannot be read, or could not be written as the norm demands.",
             request='POST /api/invoices/import/preview\naccept: application/json\ncontent-type: application/json\n\n{"content": "PEludm9pY2U="}',
             status=422, says="einvoice.not_xml"),
    Provoked(family="files", means="A link to a document has expired, or was never one of ours; or the store of files does not answer.",
             request="GET /files/$TENANT/pdf/none?expires=1&signature=none\naccept: application/json", status=403, says="files.link_", owner=False),
    Provoked(family="host", means="A request came for a host that is neither the console's nor a website's. A domain points here and is not set up.",
             request="GET /login\nhost: unknown-$MARK.example\naccept: application/json", status=421, says="This server does not serve that", owner=False),
    Provoked(family="idempotency", means="A request that must not happen twice carries no key, or the key of another one.",
             request='POST /api/customers\naccept: application/json\ncontent-type: application/json\n\n{"name": "Runbook"}',
             status=422, says="idempotency.key_missing"),
    Provoked(family="invoice", means="An invoice cannot be made or printed as it stands. In a draft these are named field by field (invoicing.draft_invalid).",
             request=f'POST /api/invoices\n{_JSON}\n\n{{"customer_id": "$CUSTOMER_ID", "currency": "EUR", "lines": '
             '[{"description": "Pipe", "quantity": "1", "unit_price": "-10.00", "tax_rate_bp": 1900}]}', status=422, says="A price cannot be below zero"),
    Provoked(family="invoicing", means="What was asked goes against the state of an invoice, a payment, the books or the numbers.",
             request="GET /api/invoices?cursor=none\naccept: application/json", status=422, says="invoicing.cursor_invalid"),
    Provoked(family="method_not_allowed", means="The address is right and the method is not; the Allow header says which are.",
             request="DELETE /login\naccept: application/json", status=405, says="method_not_allowed", owner=False),
    Provoked(family="money", means="A currency or an amount that nobody can be asked for; in a draft named by its field.",
             request=f'POST /api/invoices\n{_JSON}\n\n{{"customer_id": "$CUSTOMER_ID", "currency": "XQQ", "lines": '
             '[{"description": "Pipe", "quantity": "1", "unit_price": "10.00", "tax_rate_bp": 1900}]}', status=422, says="There is no currency"),
    Provoked(family="not_found", means="There is no such thing for this tenant. Another tenant's thing answers with the very same bytes.",
             request="GET /no-such-page-$MARK\naccept: application/json", status=404, says="not_found", owner=False),
    Provoked(family="query", means="An address carries more parameters, or other bytes, than any link of ours.",
             request=f"GET /login?{'&'.join(['a=1'] * 200)}\naccept: application/json", status=400, says="query.malformed", owner=False),
    Provoked(family="request", means="A browser was made to send a request from another website. Many of them: somebody tries.",
             request="POST /logout\norigin: https://elsewhere.example\naccept: application/json\ncontent-type: application/x-www-form-urlencoded\n\n",
             status=403, says="request.cross_site", incident="security"),
    Provoked(family="session", means="Nobody is signed in, or the last proof of who they are is too old for this.",
             request="GET /api/me\naccept: application/json", status=401, says="session.missing", owner=False),
    Provoked(family="site", means="A page, picture, menu, domain or redirect cannot be as it was asked for.",
             request=f'POST /api/redirects\n{_JSON}\n\n{{"from_path": "/$MARK", "to": "/$MARK"}}', status=409, says="site.redirect_loop"),
)  # fmt: skip

_HEAD = """---
title: {title}
kind: errors
subject: {family}
incident: {incident}
blast: {blast}
escalate: {escalate}
---

{means}

| code | status | what it says |
|---|---|---|
{rows}

"""
_REFUSAL = """## Is it this?

The same refusal, made on purpose. A person who reports one reads its code and trace id on their page; `shipworthy trace
TRACE_ID` shows that very request.

```http check expect={status} says="{says}"{owner}
{request}
```

## What to do

Tell the person what the code means; the message names the way out. What is allowed passes meanwhile:

```http act expect=200..399 owner
POST /account/name
content-type: application/x-www-form-urlencoded
origin: $BASE

name=Runbook+$MARK
```

## Is it over?

What they did is there.

```http verify expect=200 says="$MARK" owner
GET /account
accept: text/html
```

## Undo

```http undo expect=200..399 owner
POST /account/name
content-type: application/x-www-form-urlencoded
origin: $BASE

name=$OWNER
```
"""


def error_pages(facts: Facts) -> list[Page]:
    """Return the page of every family whose refusal a request alone brings about, of the rooms the app has."""
    return [_page(provoked, facts) for provoked in PROVOKED if provoked.family in facts.families]


def head(
    family: str, *, means: str, incident: str, blast: str, escalate: str, codes: Sequence[ErrorCode]
) -> str:
    """Return the head of a family's page, with the table of its codes."""
    rows = "\n".join(
        f"| `{code.code}` | {code.status} | {code.says} |" for code in codes if code.family == family
    )
    title = (
        f"Errors {family}.*"
        if any("." in code.code for code in codes if code.family == family)
        else f"Error {family}"
    )
    return _HEAD.format(
        title=title, family=family, incident=incident, blast=blast, escalate=escalate, means=means, rows=rows
    )


def _page(provoked: Provoked, facts: Facts) -> Page:
    text = head(
        provoked.family,
        means=provoked.means,
        incident=provoked.incident,
        blast="the person who asked; many at once are an incident of their own",
        escalate="when it is more than one person in ten minutes, to on-call secondary",
        codes=facts.codes,
    ) + _REFUSAL.format(
        status=provoked.status,
        says=provoked.says,
        owner=" owner" if provoked.owner else "",
        request=provoked.request,
    )
    return parse(text, name=f"errors-{provoked.family.replace('_', '-')}")
