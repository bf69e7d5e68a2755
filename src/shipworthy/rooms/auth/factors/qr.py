"""QR codes as inline SVG: no request, no script, and black on white in a dark theme too."""

from __future__ import annotations


def svg(text: str, *, label: str) -> str:
    """Return an `<svg>` for the page, safe to insert as markup."""
    import segno  # 80 ms of every start, needed when somebody sets an app up

    code = segno.make_qr(text, error="m")
    markup: str = code.svg_inline(
        scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, title=label
    )
    return markup
