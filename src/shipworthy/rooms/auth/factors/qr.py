"""QR codes as inline SVG: no request, no script, and black on white in a dark theme too."""

from __future__ import annotations

import segno


def svg(text: str, *, label: str) -> str:
    """Return an `<svg>` for the page, safe to insert as markup."""
    code = segno.make_qr(text, error="m")
    markup: str = code.svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None, title=label
    )
    return markup
