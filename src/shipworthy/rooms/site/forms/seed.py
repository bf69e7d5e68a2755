"""Messages of a demo tenant, as its visitors might have sent them."""

from __future__ import annotations

import uuid
from datetime import timedelta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.room import SeedTenant
from shipworthy.rooms.site.catalogue import q

# Who, their telephone number, what they wrote, and how many hours ago.
_MESSAGES = (
    ("Hanna Brandt", "", "Good morning, could somebody ring me about the quote of last week? Reference {marker}.", 2),
    ("Jonas Feld", "+49 431 555 77 10", "We move on the 14th and would need a date before that.\n\nIs a Saturday possible? We were sent by {marker}.", 26),
    ("Miriam Okafor", "", "Thank you for the quick help on Tuesday. Please send the invoice for {marker} to this address.", 75),
)  # fmt: skip


async def seed_messages(ctx: Ctx, tenant: SeedTenant, *, site_id: uuid.UUID, page_id: uuid.UUID) -> None:
    """Keep the messages; each carries the tenant's marker."""
    for name, phone, text, hours in _MESSAGES:
        await ctx.db.maybe(
            q.message_keep,
            message_id=ctx.new_id(),
            site_id=site_id,
            page_id=page_id,
            page_title="Contact",
            sender_name=name,
            sender_email=f"{name.split()[0].lower()}@visitor.example",
            sender_phone=phone,
            message_text=text.format(marker=tenant.marker),
            notify="",
            now=ctx.now() - timedelta(hours=hours),
        )
