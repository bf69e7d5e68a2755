"""reportlab as its user guide builds a document: platypus with one repeating table. Plain PDF: it writes no PDF/A."""

from __future__ import annotations

import io

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle
from timing import timed

STYLES = getSampleStyleSheet()
GRID = TableStyle(
    [("LINEBELOW", (0, 0), (-1, -1), 0.5, colors.lightgrey), ("ALIGN", (1, 0), (-1, -1), "RIGHT")]
)


def render(said: dict) -> bytes:
    def money(minor: int) -> str:
        return f"{minor // 100:,}.{minor % 100:02d} EUR"

    rows = [["Description", "Quantity", "Price", "Tax", "Net"]]
    rows += [
        [
            Paragraph(line["description"], STYLES["BodyText"]),
            line["quantity"],
            line["unit_price"],
            "19 %",
            money(line["net_minor"]),
        ]
        for line in said["lines"]
    ]
    table = Table(rows, colWidths=[220, 60, 60, 40, 90], repeatRows=1)
    table.setStyle(GRID)
    out = io.BytesIO()
    SimpleDocTemplate(out, pagesize=A4, title=f"Invoice {said['number']}").build(
        [
            Paragraph("<br/>".join(said["seller"]), STYLES["BodyText"]),
            Spacer(1, 12),
            Paragraph("<br/>".join(said["buyer"]), STYLES["BodyText"]),
            Paragraph(f"Invoice {said['number']}", STYLES["Heading1"]),
            Paragraph(f"{said['issue_date']}, due {said['due_date']}", STYLES["BodyText"]),
            table,
            Paragraph(f"Net {money(said['net_minor'])}", STYLES["BodyText"]),
            Paragraph(f"Tax 19 % {money(said['tax_minor'])}", STYLES["BodyText"]),
            Paragraph(f"<b>Total {money(said['gross_minor'])}</b>", STYLES["BodyText"]),
            Paragraph(said["note"], STYLES["BodyText"]),
        ]
    )
    return out.getvalue()


timed(render)
