"""An example invoice in the tenant's look, as a picture for the settings page."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.branding.look import get_look
from shipworthy.rooms.invoicing.document import load_logo, press_of, printed_bank, printed_seller
from shipworthy.rooms.invoicing.printing.paper import InvoiceDocument, Party, PrintedLine
from shipworthy.rooms.invoicing.printing.press import NotPrinted
from shipworthy.rooms.invoicing.seller import get_seller
from shipworthy.rooms.invoicing.tax import TaxGroup


async def render_example(ctx: Ctx) -> bytes:
    """Return the first page as PNG. Holds no connection while it is printed.

    Errors:  Conflict with the press's reason where it cannot be printed; Upstream when the file store is away.
    """
    async with ctx.begin() as tx:
        ctx.tx = tx
        seller, look = await get_seller(ctx), await get_look(ctx)
    today = ctx.now().date()
    document = InvoiceDocument(
        number=f"{today.year}-00042",
        issue_date=today,
        due_date=today + timedelta(days=14),
        seller=printed_seller(seller),
        buyer=Party(name=_("Example customer"), address_lines=("20457 Hamburg", "DE")),
        currency="EUR",
        lines=(
            PrintedLine(
                description=_("Example of a line"),
                quantity=Decimal(24),
                unit="HUR",
                unit_price=Decimal(95),
                tax_category="S",
                rate_bp=1900,
                net_minor=228_000,
            ),
        ),
        tax_groups=(TaxGroup(category="S", rate_bp=1900, base_minor=228_000, tax_minor=43_320),),
        net_minor=228_000,
        tax_minor=43_320,
        gross_minor=271_320,
        locale=ctx.runtime.settings.app.locale,
        bank=printed_bank(seller),
        accent=look.accent,
        footer=look.footer,
        logo=await load_logo(ctx, look.logo_key),
    )
    try:
        return await press_of(ctx.runtime).render(document, picture=True)
    except NotPrinted as failed:
        raise Conflict("invoicing.pdf_failed", failed.message) from failed
