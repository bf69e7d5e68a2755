"""HTTP for the look of a website: an API and one screen."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.route import route
from shipworthy.rooms.site.look.change import Look, change_look, look_of
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.render import ACCENTS
from shipworthy.rooms.site.robots import PRESETS
from shipworthy.rooms.site.sites.chosen import made_for, site_of
from shipworthy.rooms.site.themes import THEMES

_ACCENT_WORDS = {"ocean": mark("Ocean"), "pine": mark("Pine"), "brick": mark("Brick"), "plum": mark("Plum")}
Word = Annotated[str, Meta(max_length=40)]


class LookBody(Body):
    """How a site looks, and who may crawl it: `open`, `search-only` or `closed`."""

    theme: Word
    accent: Word
    crawlers: Word

    def look(self) -> Look:
        return Look(theme=self.theme, accent=self.accent, crawlers=self.crawlers)


async def api_get_look(ctx: Ctx) -> Any:
    return _json(await look_of(ctx))


async def api_change_look(ctx: Ctx, body: LookBody) -> Any:
    await change_look(ctx, body.look())
    return _json(await look_of(ctx))


class LookForm(LookBody):
    """`site` is the one the form was made for."""

    site: Word = ""


async def look_page(ctx: Ctx) -> Page:
    return await _screen(ctx, await look_of(ctx))


async def submit_look(ctx: Ctx, form: LookForm) -> Redirect:
    made_for(ctx, form.site)
    try:
        await change_look(ctx, form.look())
    except Refusal as refused:
        raise refused.shown_on(await _screen(ctx, form.look(), refused=refused)) from None
    return Redirect("/site/look", flash=_("Saved. Every page looks so now."))


def _json(look: Look) -> dict[str, str]:
    return {"theme": look.theme, "accent": look.accent, "crawlers": look.crawlers}


async def _screen(ctx: Ctx, look: Look, *, refused: Refusal | None = None) -> Page:
    site = await site_of(ctx)
    data = {
        "site_id": str(site["site_id"]) if site else "",
        "look": _json(look),
        "themes": [[name, _(says[0])] for name, says in THEMES.items()],
        "theme_hints": [[_(label), _(hint)] for label, hint in THEMES.values()],
        "accents": [[name, _(_ACCENT_WORDS[name])] for name in ACCENTS],
        "presets": [[name, _(says[0])] for name, says in PRESETS.items()],
        "preset_hints": [[_(label), _(hint)] for label, hint in PRESETS.values()],
        "errors": refused.fields if refused else {},
        "may_write": may_write(ctx),
    }
    return Page("site/look.html", data, title=_("Look and crawlers"), section="pages")


_EXAMPLE = {"theme": "harbour", "accent": "ocean", "crawlers": "open"}

# queries_max counts the session's look-up and touch (2) and the audit row (1); who has no site yet starts it (7).
ROUTES = (
    route("GET", "/api/site/look", api_get_look, title="Read how the site looks", permission="page.read",
          queries_max=3),
    route("PUT", "/api/site/look", api_change_look, title="Choose how the site looks and who may crawl it",
          permission="page.publish", body=LookBody, effect="change", audit="site.look_changed", example=_EXAMPLE,
          queries_max=14),
    route("GET", "/site/look", look_page, title="Look and crawlers", media="html", permission="page.read",
          queries_max=4),
    route("POST", "/site/look", submit_look, title="Choose how the site looks and who may crawl it", media="html",
          permission="page.publish", body=LookForm, effect="change", audit="site.look_changed", example=_EXAMPLE,
          queries_max=14),
)  # fmt: skip
