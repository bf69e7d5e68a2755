"""Choosing how a website looks and who may crawl it. Seen at once, on every page."""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import announce
from shipworthy.rooms.site.render import ACCENTS
from shipworthy.rooms.site.robots import OPEN, PRESETS
from shipworthy.rooms.site.sites.chosen import site_of
from shipworthy.rooms.site.start import started_site
from shipworthy.rooms.site.tags import EVERYTHING, LOOK
from shipworthy.rooms.site.themes import THEMES


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is chosen for a whole site."""

    theme: str
    accent: str
    crawlers: str


async def look_of(ctx: Ctx) -> Look:
    """Return what is chosen, or what a site begins with."""
    site = await site_of(ctx)
    if site is None:
        return Look(theme=next(iter(THEMES)), accent=next(iter(ACCENTS)), crawlers=OPEN)
    return Look(theme=site["theme"], accent=site["accent"], crawlers=site["crawlers"])


async def change_look(ctx: Ctx, look: Look) -> None:
    """Let the site look so from now on, and be read by these. Errors: Invalid `site.look_invalid`."""
    wrong = {
        name: _("Choose one of {these}.", these=", ".join(known))
        for name, known in (("theme", THEMES), ("accent", ACCENTS), ("crawlers", PRESETS))
        if getattr(look, name) not in known
    }
    if wrong:
        raise Invalid(
            "site.look_invalid",
            _("Some fields need another value: {fields}.", fields=", ".join(wrong)),
            fields=wrong,
        )
    site = await started_site(ctx)
    chosen = {"theme": look.theme, "accent": look.accent, "crawlers": look.crawlers}
    await ctx.db.run(q.site_look, site_id=site["site_id"], **chosen)
    await announce(ctx, site["site_id"], EVERYTHING, LOOK)
    await record(ctx, "site.look_changed", of="site", id=site["site_id"], detail=chosen)
