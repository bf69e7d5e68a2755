"""WeasyPrint as its documentation prints a page: HTML and CSS to PDF/A-3b, font configuration kept between pages."""

from __future__ import annotations

import html

from timing import timed
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

STYLE = """
@page { size: A4; margin: 2cm }
body { font: 10pt "DejaVu Sans", sans-serif } h1 { font-size: 16pt }
table { width: 100%; border-collapse: collapse } th, td { padding: 4pt; border-bottom: 0.5pt solid #ccc; text-align: right }
th:first-child, td:first-child { text-align: left }
"""


def page(said: dict) -> str:
    def money(minor: int) -> str:
        return f"{minor // 100:,}.{minor % 100:02d} EUR"

    rows = "".join(
        f"<tr><td>{html.escape(line['description'])}</td><td>{line['quantity']}</td><td>{line['unit_price']}</td>"
        f"<td>19 %</td><td>{money(line['net_minor'])}</td></tr>"
        for line in said["lines"]
    )
    return (
        f"<html lang=en><head><title>Invoice {said['number']}</title></head><body>"
        f"<p>{'<br>'.join(map(html.escape, said['seller']))}</p><p>{'<br>'.join(map(html.escape, said['buyer']))}</p>"
        f"<h1>Invoice {said['number']}</h1><p>{said['issue_date']}, due {said['due_date']}</p>"
        "<table><thead><tr><th>Description</th><th>Quantity</th><th>Price</th><th>Tax</th><th>Net</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><p>Net {money(said['net_minor'])}</p><p>Tax 19 % {money(said['tax_minor'])}</p>"
        f"<p><b>Total {money(said['gross_minor'])}</b></p><p>{html.escape(said['note'])}</p></body></html>"
    )


FONTS = FontConfiguration()
SHEET = CSS(string=STYLE, font_config=FONTS)
timed(
    lambda said: HTML(string=page(said)).write_pdf(
        stylesheets=[SHEET], font_config=FONTS, pdf_variant="pdf/a-3b"
    )
)
