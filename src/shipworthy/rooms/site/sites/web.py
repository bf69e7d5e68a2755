"""HTTP for a tenant's sites, for programs and for people; and choosing the one that is worked on."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http import cookies
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.http.step_up import page_before
from shipworthy.kernel.language import _
from shipworthy.kernel.route import route
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.render import origin
from shipworthy.rooms.site.sites.chosen import SITE_COOKIE, site_of
from shipworthy.rooms.site.sites.many import (
    LABEL_CHARS_MAX,
    NAME_CHARS_MAX,
    SITES_MAX,
    Naming,
    add_site,
    get_site,
    list_sites,
    name_site,
)
from shipworthy.rooms.site.start import first_host

_KEPT_FOR_S = 365 * 24 * 3600
_LANGUAGES = (("en", "English"), ("de", "Deutsch"))  # each in its own words
# Screens of a whole site: whoever changes to another one sees its own there.
_OF_A_SITE = ("/pages", "/pages/tree", "/pages/bin", "/menus/main", "/menus/footer", "/site/domains", "/site/look",
              "/redirects", "/messages", "/visits")  # fmt: skip
Line = Annotated[str, Meta(max_length=4 * NAME_CHARS_MAX)]


class NamingBody(Body):
    title: Line = ""
    tagline: Line = ""
    locale: Annotated[str, Meta(max_length=20)] = ""

    def naming(self) -> Naming:
        return Naming(title=self.title, tagline=self.tagline, locale=self.locale)


class SiteBody(NamingBody):
    label: Annotated[str, Meta(max_length=4 * LABEL_CHARS_MAX)] = ""


async def api_list_sites(ctx: Ctx) -> Any:
    return {"sites": [_json(ctx, site) for site in await list_sites(ctx)]}


async def api_get_site(ctx: Ctx, site_id: uuid.UUID) -> Any:
    return _json(ctx, await get_site(ctx, site_id))


async def api_add_site(ctx: Ctx, body: SiteBody) -> Json:
    site_id = await add_site(ctx, body.naming(), label=body.label)
    return Json(_json(ctx, await get_site(ctx, site_id)), status=201)


async def api_name_site(ctx: Ctx, site_id: uuid.UUID, body: NamingBody) -> Any:
    return _json(ctx, await name_site(ctx, site_id, body.naming()))


async def sites_page(ctx: Ctx) -> Page:
    return await _sites(ctx, SiteBody())


async def switcher(ctx: Ctx) -> Page:
    """The site that is worked on and those to change to, as a piece of a page."""
    sites, chosen = await list_sites(ctx), await site_of(ctx)
    return Page("site/switcher.html", {"sites": _shown(ctx, sites, chosen)}, section="pages")


async def submit_site(ctx: Ctx, form: SiteBody) -> Redirect:
    try:
        site_id = await add_site(ctx, form.naming(), label=form.label)
    except Refusal as refused:
        raise refused.shown_on(await _sites(ctx, form, refused)) from None
    return Redirect(
        "/pages", flash=_("The site is there. Write its first page."), cookies=(_cookie(ctx, site_id),)
    )


async def submit_choice(ctx: Ctx, site_id: uuid.UUID) -> Redirect:
    site = await get_site(ctx, site_id)
    flash = _("You work on “{site}” now.", site=site["site_title"])
    before = page_before(ctx.extra["headers"], ctx.host)
    return Redirect(
        before if before in _OF_A_SITE else "/pages", flash=flash, cookies=(_cookie(ctx, site_id),)
    )


async def naming_page(ctx: Ctx, site_id: uuid.UUID) -> Page:
    site = await get_site(ctx, site_id)
    form = NamingBody(title=site["site_title"], tagline=site["tagline"], locale=site["locale"] or "")
    return _naming(ctx, site, form)


async def submit_naming(ctx: Ctx, site_id: uuid.UUID, form: NamingBody) -> Redirect:
    try:
        await name_site(ctx, site_id, form.naming())
    except Refusal as refused:
        if refused.kind == "missing":
            raise
        raise refused.shown_on(_naming(ctx, await get_site(ctx, site_id), form, refused)) from None
    return Redirect("/sites", flash=_("Saved. Every page says so now."))


async def _sites(ctx: Ctx, form: SiteBody, refused: Refusal | None = None) -> Page:
    sites = await list_sites(ctx)
    data = {
        "sites": _shown(ctx, sites, await site_of(ctx)),
        "form": form,
        "errors": refused.fields if refused else {},
        "refusal": refused.message if refused and not refused.fields else "",
        "host": f".{await first_host(ctx)}",
        "languages": _choices(),
        "may_write": may_write(ctx),
        "may_add": len(sites) < SITES_MAX,
        "chars_max": NAME_CHARS_MAX,
        "label_chars_max": LABEL_CHARS_MAX,
    }
    return Page("site/sites.html", data, title=_("Sites"), section="pages")


def _naming(ctx: Ctx, site: Record, form: NamingBody, refused: Refusal | None = None) -> Page:
    data = {
        "site": {"site_id": str(site["site_id"]), "title": site["site_title"], "host": site["host"] or ""},
        "form": form,
        "errors": refused.fields if refused else {},
        "languages": _choices(),
        "may_write": may_write(ctx),
        "chars_max": NAME_CHARS_MAX,
    }
    return Page("site/naming.html", data, title=_("Name and language"), section="pages")


def _choices() -> list[tuple[str, str]]:
    return [("", _("As the app")), *_LANGUAGES]


def _shown(ctx: Ctx, sites: Any, chosen: Record | None) -> list[dict[str, Any]]:
    return [
        {**_json(ctx, site), "is_chosen": chosen is not None and site["site_id"] == chosen["site_id"]}
        for site in sites
    ]


def _json(ctx: Ctx, site: Record) -> dict[str, Any]:
    names = {
        "title": "site_title",
        "tagline": "tagline",
        "theme": "theme",
        "locale": "locale",
        "host": "host",
    }
    return {
        "site_id": str(site["site_id"]),
        **{name: site[column] for name, column in names.items()},
        "url": origin(ctx.runtime.settings, site["host"]) if site["host"] else "",
    }


def _cookie(ctx: Ctx, site_id: uuid.UUID) -> str:
    return cookies.write(ctx.runtime.settings, SITE_COOKIE, str(site_id), max_age_s=_KEPT_FOR_S)


_ANY = {"site_id": "site_id"}
_EXAMPLE = {"title": "Sample works", "tagline": "What we do", "locale": "en"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES = (
    route("GET", "/api/sites", api_list_sites, title="List sites", permission="page.read", queries_max=3),
    route("POST", "/api/sites", api_add_site, title="Start another site", permission="page.publish", body=SiteBody,
          status=201, idempotency="key", effect="create", audit="site.created", example=_EXAMPLE, queries_max=18),
    route("GET", "/api/sites/{site_id}", api_get_site, title="Read a site", permission="page.read", params=_ANY,
          queries_max=3),
    route("PUT", "/api/sites/{site_id}", api_name_site, title="Name a site", permission="page.publish",
          body=NamingBody, effect="change", audit="site.named", params=_ANY, example=_EXAMPLE, queries_max=12),
    route("GET", "/sites", sites_page, title="Sites", media="html", permission="page.read", queries_max=6),
    route("GET", "/sites/switcher", switcher, title="The sites to change to", media="html", permission="page.read",
          queries_max=4),
    route("POST", "/sites", submit_site, title="Start another site", media="html", permission="page.publish",
          body=SiteBody, idempotency="key", effect="create", audit="site.created", example=_EXAMPLE, queries_max=18),
    route("POST", "/sites/{site_id}/choose", submit_choice, title="Work on another site", media="html",
          permission="page.read", params=_ANY, example={}, queries_max=4),
    route("GET", "/sites/{site_id}", naming_page, title="Name and language of a site", media="html",
          permission="page.read", params=_ANY, queries_max=3),
    route("POST", "/sites/{site_id}", submit_naming, title="Name a site", media="html", permission="page.publish",
          body=NamingBody, idempotency="key", effect="change", audit="site.named", params=_ANY, example=_EXAMPLE,
          queries_max=12),
)  # fmt: skip
