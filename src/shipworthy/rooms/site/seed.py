"""Example data of a demo tenant: the website of a small business, written as its owner would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.room import SeedTenant
from shipworthy.rooms.site.assets.seed import seed_pictures
from shipworthy.rooms.site.domains.claims import claim_domain
from shipworthy.rooms.site.exchange.seed import seed_imports
from shipworthy.rooms.site.forms.seed import seed_messages
from shipworthy.rooms.site.publish import publish_page
from shipworthy.rooms.site.redirects.book import create_redirect
from shipworthy.rooms.site.redirects.verdicts import Wanted
from shipworthy.rooms.site.start import start_site
from shipworthy.rooms.site.tree.bin import delete_page
from shipworthy.rooms.site.write import PageText, create_page

_CONTACT = "/contact"  # the page with the form
_FORM: dict[str, object] = {"type": "form", "data": {"heading": "Write to us here", "asks_phone": True}}
_DOMAINS = ("{}.example", "www.{}.example", "{}-old.example")
_DEMO = Path(__file__).parent / "demo"


@dataclass(frozen=True)
class Website:
    """Which pages a tenant gets, and how its site looks."""

    folder: str
    tagline: str
    theme: str
    accent: str
    old: tuple[tuple[str, str], ...]  # addresses of the website they had before, and where they lead


_FIRST_SITE = (("/index.html", "/"), ("/kontakt.html", "/contact"), ("/leistungen.html", "/services"),
               ("/ueber-uns.html", "/about"), ("/impressum.html", "/contact"))  # fmt: skip
PLUMBING = Website("plumbing", "Plumbing and heating in Kiel since 1998", "harbour", "ocean", _FIRST_SITE)
DESIGN = Website("design", "A studio for identities, books and signs", "letter", "brick", _FIRST_SITE)


async def seed(ctx: Ctx, tenant: SeedTenant) -> None:
    """Start the tenant's site, write its pages, and publish them when all are there: they link to each other."""
    website = DESIGN if "design" in tenant.name.lower() else PLUMBING
    site_id = await start_site(
        ctx,
        title=tenant.name,
        tagline=website.tagline,
        theme=website.theme,
        accent=website.accent,
        host=tenant.site_host,
    )
    picture, *_ = await seed_pictures(ctx, tenant)
    files = sorted((_DEMO / website.folder).glob("*.md"))
    pages = [read_page(file.read_text(encoding="utf-8"), tenant, picture) for file in files]
    written = [(await create_page(ctx, text), status) for text, status in pages]
    for page_id, status in written:
        if status != "draft":
            await publish_page(ctx, page_id)
        if status == "deleted":
            await delete_page(ctx, page_id)
    contact = next(
        page_id for (page_id, _), (text, _) in zip(written, pages, strict=True) if text.path == _CONTACT
    )
    await seed_messages(ctx, tenant, site_id=site_id, page_id=contact)
    # One below the app's own, which needs no record, and those whose owner has not shown them yet.
    for host in (
        f"www.{tenant.site_host}",
        *(name.format(tenant.site_host.partition(".")[0]) for name in _DOMAINS),
    ):
        await claim_domain(ctx, host)
    await seed_imports(ctx, tenant)
    for path, to in website.old:
        await create_redirect(ctx, Wanted(from_path=path, to=to))


def read_page(source: str, tenant: SeedTenant, picture: Record) -> tuple[PageText, str]:
    """Return a page and its status from a file: `name: value` lines, an empty line, and the text.

    A line {picture} parts the text: there stands the tenant's picture.
    """
    filled = source.replace("{name}", tenant.name).replace("{marker}", tenant.marker)
    head, _, body = filled.partition("\n\n")
    above, _, below = body.partition("\n\n{picture}\n\n")
    facts = dict(line.split(": ", 1) for line in head.splitlines())
    blocks = [_text(above), _image(picture), _text(below)] if below else []
    if facts["path"] == _CONTACT:
        blocks = [*(blocks or [_text(above)]), _FORM]
    text = PageText(
        title=facts["title"],
        path=facts["path"],
        description=facts["description"],
        body="" if blocks else above,
        blocks=blocks or None,
        in_menu=facts["path"] != "/",
    )
    return text, facts["status"]


def _text(body: str) -> dict[str, object]:
    return {"type": "text", "data": {"body": body}}


def _image(picture: Record) -> dict[str, object]:
    return {"type": "image", "data": {"asset": str(picture["asset_id"])}}
