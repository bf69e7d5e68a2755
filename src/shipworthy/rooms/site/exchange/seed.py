"""Websites that came along to a demo tenant: one taken in, one to be decided, one to be forgotten."""

from __future__ import annotations

import hashlib
import io
import zipfile

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.room import SeedTenant
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.exchange.book import import_object, note_import, take_import
from shipworthy.rooms.site.exchange.reading import look_through
from shipworthy.rooms.site.exchange.taking import take_some

_FILES = {
    **{
        f"Over {n}.zip": {
            "site/note.md": f"---\ntitle: Note {n} of {{name}} ({{marker}})\ndraft: true\n---\nNothing anybody needs.\n"
        }
        for n in range(1, 16)  # each examination of the route that forgets one takes one away
    },
    "Journal.zip": {
        "site/journal/first-winter.md": (
            "---\ntitle: Our first winter ({marker})\ndate: 2024-01-15\ndraft: true\naliases: [/blog/winter]\n---\n"
            "What we learnt when the pipes froze.\n\n## What helps\n\n- Insulation\n- A slow drip\n"
        )
    },
    "Guides.zip": {
        "site/guides/bleeding-a-radiator.md": (
            "---\ntitle: Bleeding a radiator ({marker})\ndraft: true\n---\nA key, a cloth, and five minutes.\n"
        ),
        "site/guides/index.md": "---\ntitle: Guides ({marker})\ndraft: true\n---\n[Bleeding a radiator](bleeding-a-radiator.md)\n",
    },
}


async def seed_imports(ctx: Ctx, tenant: SeedTenant) -> None:
    """Send the files, look through them, and take one in; each carries the tenant's marker."""
    for name, files in _FILES.items():
        data = _zip(
            {path: text.format(name=tenant.name, marker=tenant.marker) for path, text in files.items()}
        )
        import_id = ctx.new_id()
        await ctx.runtime.files.put(import_object(ctx.tenant_id, import_id), data)
        sha256 = hashlib.sha256(data).digest()
        await note_import(ctx, import_id, name=name, sha256=sha256, size_bytes=len(data))
        await look_through(ctx, await ctx.db.one(q.import_get, import_id=import_id))
        if name == "Journal.zip":
            await take_import(ctx, import_id)
            while (row := await ctx.db.one(q.import_get, import_id=import_id))["status"] == "taking":
                await take_some(ctx, f"{import_id}:{row['step']}")


def _zip(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()
