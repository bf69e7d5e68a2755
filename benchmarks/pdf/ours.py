"""Our printer, as the product prints: the press, whose child makes PDF/A-3b and PDF/UA-1 by typst.

With `--in-process` the same call without the press, as the peers are called: what the process of its own costs is the difference.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import statistics
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.pdf.timing import timed
from shipworthy.kernel.settings import PdfSection
from shipworthy.rooms.invoicing.pdf import render_invoice_pdf
from shipworthy.rooms.invoicing.printing.paper import InvoiceDocument, Party, PrintedLine
from shipworthy.rooms.invoicing.printing.press import Press
from shipworthy.rooms.invoicing.tax import TaxGroup


def document(said: dict[str, Any]) -> InvoiceDocument:
    seller, buyer = said["seller"], said["buyer"]
    return InvoiceDocument(
        number=said["number"],
        issue_date=dt.date.fromisoformat(said["issue_date"]),
        due_date=dt.date.fromisoformat(said["due_date"]),
        seller=Party(name=seller[0], address_lines=tuple(seller[1:])),
        buyer=Party(name=buyer[0], address_lines=tuple(buyer[1:])),
        currency="EUR",
        lines=tuple(
            PrintedLine(
                description=line["description"],
                quantity=Decimal(line["quantity"]),
                unit_price=Decimal(line["unit_price"]),
                tax_category="S",
                rate_bp=1900,
                net_minor=line["net_minor"],
            )
            for line in said["lines"]
        ),
        tax_groups=(
            TaxGroup(category="S", rate_bp=1900, base_minor=said["net_minor"], tax_minor=said["tax_minor"]),
        ),
        net_minor=said["net_minor"],
        tax_minor=said["tax_minor"],
        gross_minor=said["gross_minor"],
        notes=said["note"],
    )


async def through_the_press(invoices: list[dict[str, Any]]) -> None:
    """Print what it took as JSON.

    Units:   milliseconds of wall time from an idle press, whose child is not there yet, to the first page (cold), of
             CPU a page in both processes and of wall time a page (warm medians); megabytes of the child.
    """
    cold, *others = invoices
    press = Press(PdfSection())
    began = time.perf_counter()
    first = await press.render(document(cold))
    cold_ms = (time.perf_counter() - began) * 1000
    assert first.startswith(b"%PDF"), "no PDF came out"
    assert press._child is not None
    pid, warm, walls = press._child.pid, [], []
    for said in others:
        page, cpu_s, wall_s = document(said), time.process_time() + _cpu_s(pid), time.perf_counter()
        await press.render(page)
        walls.append((time.perf_counter() - wall_s) * 1000)
        warm.append((time.process_time() + _cpu_s(pid) - cpu_s) * 1000)
    rss_mb = _peak_mb(pid)
    await press.close()
    said = {
        "cold_ms": cold_ms,
        "warm_ms": statistics.median(warm),
        "warm_wall_ms": statistics.median(walls),
        "rss_mb": rss_mb,
        "bytes": len(first),
    }
    sys.stdout.write(json.dumps(said) + "\n")


def _cpu_s(pid: int) -> float:
    """What the threads of a process ran. The clock ticks of /proc/<pid>/stat are 10 ms: half of what a page takes."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    if "--in-process" in sys.argv:
        sys.argv.remove("--in-process")
        timed(lambda said: render_invoice_pdf(document(said)))
    else:
        asyncio.run(through_the_press(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
