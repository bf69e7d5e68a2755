"""The invoices that every printer prints, as plain data. No two are alike: printers keep what they have laid out before."""

from __future__ import annotations

from typing import Any


def facts(nth: int, *, lines: int) -> dict[str, Any]:
    """Return the nth invoice, of so many lines; sums are whole cents."""
    items = [
        {
            "description": f"Design and construction {nth}, part {n * nth + 7} of the harbour office",
            "quantity": f"{n % 7 + 1}.5",
            "unit_price": f"{95 + (n + nth) % 20}.00",
            "net_minor": (n % 7 * 10 + 15) * (95 + (n + nth) % 20) * 10,
        }
        for n in range(1, lines + 1)
    ]
    net = sum(item["net_minor"] for item in items)
    tax = (net * 1900 + 5_000) // 10_000
    return {
        "number": f"2026-{nth:05d}",
        "issue_date": "2026-03-01",
        "due_date": "2026-03-15",
        "seller": ["Nordlicht Studio GmbH", "Speicherstraße 12", "20457 Hamburg", "Germany"],
        "buyer": [f"Harbour Office {nth} Ltd", "1 Quay Road", "Cork T12 XY45", "Ireland"],
        "lines": items,
        "net_minor": net,
        "tax_minor": tax,
        "gross_minor": net + tax,
        "note": "Thank you. Please transfer the amount within fourteen days.",
    }
