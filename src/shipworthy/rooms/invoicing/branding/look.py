"""The look of a tenant's invoices: written down, checked, and copied into what is issued from then on.

It stands in the seller's row, so an invoice keeps the look it was issued with as it keeps the seller's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.files.store import object_key
from shipworthy.kernel.language import _
from shipworthy.kernel.quotas.stored import keep_stored
from shipworthy.rooms.invoicing.branding.logo import Logo, accept_logo
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.lines import read_text

FOOTER_CHARS_MAX, FOOTER_LINES_MAX = 300, 5
CONTRAST_MIN = 4.5  # WCAG 2.2, 1.4.3: text that is not large, here on white paper
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How invoices look. Empty is ours: black, no logo, no footer."""

    accent: str = ""
    footer: str = ""
    logo_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookText:
    """A look as it was written. `logo` is a file's bytes, empty to keep what there is."""

    accent: str = ""
    footer: str = ""
    logo: bytes = b""
    drop_logo: bool = False


async def get_look(ctx: Ctx) -> Look:
    """Return the tenant's look; one that chose none has ours."""
    row = await ctx.db.maybe(q.look_get)
    return Look(**row) if row else Look()


async def save_look(ctx: Ctx, text: LookText) -> Look:
    """Write down how invoices look from now on.

    Errors:  Invalid `invoicing.look_invalid`, naming every wrong field; Upstream when the file store is away.
    """
    wrong: dict[str, str] = {}
    accent = read_accent(text.accent, wrong)
    footer = read_text(text.footer, "footer", wrong, chars_max=FOOTER_CHARS_MAX)
    if len(footer.splitlines()) > FOOTER_LINES_MAX:
        wrong.setdefault("footer", _("At most {most} lines fit here.", most=FOOTER_LINES_MAX))
    logo: Logo | None = None
    if text.logo:
        try:
            logo = accept_logo(text.logo)
        except ValueError as refused:
            wrong["logo"] = str(refused)
    if wrong:
        named = ", ".join(wrong)
        raise Invalid(
            "invoicing.look_invalid",
            _("Some fields need another value: {fields}.", fields=named),
            fields=wrong,
        )
    before = await get_look(ctx)
    logo_key = "" if text.drop_logo else before.logo_key
    if logo is not None:
        logo_key = object_key(ctx.tenant_id, "logo", logo.name)
        await ctx.runtime.files.put(logo_key, logo.body)  # under its own hash: what was issued keeps its logo
        await keep_stored(ctx.db, f"logo/{logo.name}", len(logo.body), now=ctx.now())
    await ctx.db.run(q.look_save, accent=accent, footer=footer, logo_key=logo_key, now=ctx.now())
    await record(ctx, "seller.look_saved", of="seller", id=ctx.tenant_id)
    return Look(accent=accent, footer=footer, logo_key=logo_key)


def read_accent(text: str, wrong: dict[str, str]) -> str:
    """Return a colour as #rrggbb, or nothing; what cannot be read on paper is added to `wrong`."""
    accent = text.strip().lower()
    if not accent:
        return ""
    if not _COLOUR.fullmatch(accent):
        wrong["accent"] = _("Write a colour as six digits, such as #0b5fff.")
        return ""
    if (ratio := contrast_with_white(accent)) < CONTRAST_MIN:
        wrong["accent"] = _(
            "On white paper this colour is hard to read: its contrast is {ratio}, and {least} is the least. "
            "Take a darker one.",
            ratio=f"{ratio:.1f}",
            least=CONTRAST_MIN,
        )
    return accent


def contrast_with_white(colour: str) -> float:
    """Return the contrast of #rrggbb with white, 1 to 21. Source: WCAG 2.2, relative luminance."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
