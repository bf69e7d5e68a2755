"""The sites of a tenant: listed, started, named."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import LOCALES, _, mark
from shipworthy.rooms.site.addresses import path_for_title
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import show_change
from shipworthy.rooms.site.sites.chosen import site_with
from shipworthy.rooms.site.start import PREVIEW, first_host, start_site
from shipworthy.rooms.site.tags import EVERYTHING, LOOK

SITES_MAX = 50  # of a tenant; site_list says the same
NAME_CHARS_MAX = 200
LABEL_CHARS_MAX = 40
_MADE_CHARS_MAX = 30  # of a label made from a name: a number may follow
_USED = (PREVIEW, "www")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What a site is called, and in which language it speaks; an empty locale is the app's."""

    title: str
    tagline: str = ""
    locale: str = ""


async def list_sites(ctx: Ctx) -> Sequence[Record]:
    """Return the tenant's sites, the first one first."""
    return await ctx.db.all(q.site_list)


async def get_site(ctx: Ctx, site_id: uuid.UUID) -> Record:
    """Return one of the tenant's sites. Errors: Missing."""
    site = await ctx.db.maybe(q.site_chosen, site_id=site_id)
    if site is None or site["site_id"] != site_id:  # another tenant's, or nobody's
        raise Missing(mark("site"))
    return site


async def add_site(ctx: Ctx, naming: Naming, *, label: str = "") -> uuid.UUID:
    """Start another site, at `label` before the host of the tenant's first; return its id.

    Without a label one is made from the name, with a number where it is taken.
    Errors:  Invalid `site.naming_invalid` naming each field; Conflict `site.sites_full`, `site.host_taken`.
    """
    label, wrong = label.strip().lower(), dict[str, str]()
    if label and not _LABEL.fullmatch(label):
        wrong["label"] = _("Use letters, digits and hyphens, at most {most}.", most=LABEL_CHARS_MAX)
    elif label in _USED:
        wrong["label"] = _("“{label}” is used already. Choose another word.", label=label)
    naming = _checked(naming, wrong)
    if len(await list_sites(ctx)) >= SITES_MAX:
        message = _("An organisation has at most {most} sites.", most=SITES_MAX)
        raise Conflict("site.sites_full", message, fields={"title": message})
    site_id, parent = ctx.new_id(), await first_host(ctx)
    host = f"{label}.{parent}" if label else await _free_host(ctx, naming.title, parent, site_id)
    await start_site(ctx, title=naming.title, tagline=naming.tagline, host=host, site_id=site_id)
    await _write(ctx, site_id, naming)
    return site_id


async def _free_host(ctx: Ctx, title: str, parent: str, site_id: uuid.UUID) -> str:
    """Return a host made from a name; nobody may have it yet."""
    letters = re.sub(r"[^a-z0-9]+", "-", path_for_title(title)).strip("-")[:_MADE_CHARS_MAX].strip("-")
    label = letters or "site"
    host = f"{label}.{parent}"
    if label not in _USED and await ctx.db.maybe(q.domain_get, host=host) is None:
        return host
    return f"{label}-{site_id.hex[-6:]}.{parent}"


async def name_site(ctx: Ctx, site_id: uuid.UUID, naming: Naming) -> Record:
    """Change what a site is called and its language, on every page at once; return it as it is now.

    Errors:  Missing; Invalid `site.naming_invalid` naming each field.
    """
    naming = _checked(naming, {})
    await get_site(ctx, site_id)
    await show_change(ctx, site_id, EVERYTHING, LOOK)
    await _write(ctx, site_id, naming)
    detail = {"title": naming.title, "locale": naming.locale}
    await record(ctx, "site.named", of="site", id=site_id, detail=detail)
    return await site_with(ctx, site_id)


async def _write(ctx: Ctx, site_id: uuid.UUID, naming: Naming) -> None:
    await ctx.db.run(
        q.site_name,
        site_id=site_id,
        title=naming.title,
        tagline=naming.tagline,
        locale=naming.locale or None,
    )


def _checked(naming: Naming, wrong: dict[str, str]) -> Naming:
    """Return the naming tidied. Errors: Invalid, together with what is wrong already."""
    title, tagline = _line(naming.title), _line(naming.tagline)
    if not 1 <= len(title) <= NAME_CHARS_MAX:
        wrong["title"] = _("Write a name of 1 to {most} characters.", most=NAME_CHARS_MAX)
    if len(tagline) > NAME_CHARS_MAX:
        wrong["tagline"] = _(
            "Use at most {most} characters; these are {count}.", most=NAME_CHARS_MAX, count=len(tagline)
        )
    for field, text in (("title", title), ("tagline", tagline)):
        if not text.isprintable():
            wrong[field] = _("This holds a character that nobody sees. Write it again.")
    if naming.locale not in ("", *LOCALES):
        wrong["locale"] = _("Choose one of {choices}.", choices=", ".join(LOCALES))
    if wrong:
        message = _("Some fields need another value: {fields}.", fields=", ".join(wrong))
        raise Invalid("site.naming_invalid", message, fields=wrong)
    return Naming(title=title, tagline=tagline, locale=naming.locale)


def _line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
