"""HTTP for sending: links to an invoice's files."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.origin import origin_of
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.invoicing.sending.links import Document, link_document


class LinkQuery(msgspec.Struct):
    document: Document = "pdf"


async def api_link_document(ctx: Ctx, invoice_id: uuid.UUID, query: LinkQuery) -> Any:
    link = await link_document(ctx, invoice_id, query.document)
    return {"url": origin_of(ctx) + link.path, "expires_at": link.expires_at}


# queries_max counts the session's look-up and touch (2).
ROUTES: tuple[Route, ...] = (
    route("GET", "/api/invoices/{invoice_id}/link", api_link_document, title="A link to an invoice's file",
          permission="invoice.read", transaction=False, query=LinkQuery, params={"invoice_id": "printed_invoice_id"},
          queries_max=5),
)  # fmt: skip
