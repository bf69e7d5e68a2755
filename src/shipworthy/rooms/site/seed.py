"""Example data of a demo tenant: the website of a small business, written as its owner would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.room import SeedTenant
from shipworthy.rooms.site.assets.seed import seed_pictures
from shipworthy.rooms.site.publish import publish_page
from shipworthy.rooms.site.start import start_site
from shipworthy.rooms.site.write import PageText, create_page

_DEMO = Path(__file__).parent / "demo"


@dataclass(frozen=True)
class Website:
    """Which pages a tenant gets, and how its site looks."""

    folder: str
    tagline: str
    theme: str
    accent: str


PLUMBING = Website("plumbing", "Plumbing and heating in Kiel since 1998", "harbour", "ocean")
DESIGN = Website("design", "A studio for identities, books and signs", "letter", "brick")


async def seed(ctx: Ctx, tenant: SeedTenant) -> None:
    """Start the tenant's site, write its pages, and publish them when all are there: they link to each other."""
    website = DESIGN if "design" in tenant.name.lower() else PLUMBING
    await start_site(
        ctx,
        title=tenant.name,
        tagline=website.tagline,
        theme=website.theme,
        accent=website.accent,
        host=tenant.site_host,
    )
    await seed_pictures(ctx, tenant)
    files = sorted((_DEMO / website.folder).glob("*.md"))
    pages = [read_page(file.read_text(encoding="utf-8"), tenant) for file in files]
    written = [(await create_page(ctx, text), is_published) for text, is_published in pages]
    for page_id, is_published in written:
        if is_published:
            await publish_page(ctx, page_id)


def read_page(source: str, tenant: SeedTenant) -> tuple[PageText, bool]:
    """Return a page from a file: `name: value` lines, an empty line, and the text."""
    filled = source.replace("{name}", tenant.name).replace("{marker}", tenant.marker)
    head, _, body = filled.partition("\n\n")
    facts = dict(line.split(": ", 1) for line in head.splitlines())
    text = PageText(
        title=facts["title"],
        path=facts["path"],
        description=facts["description"],
        body=body,
        in_menu=facts["path"] != "/",
    )
    return text, facts["status"] == "published"
