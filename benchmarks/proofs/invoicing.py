"""`make proof NAME=invoicing`: the property tests of an invoice's life, with ten times the examples and fresh ones.

`make test` tries the same few examples every time; here they are drawn anew: lives of invoices against their
model, writers killed between the statements of an issue, interleavings of the same request, texts in every field.
Then every list page is asked for by a tenant with 100,000 invoices.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from benchmarks.proofs.invoice_lists import INVOICES, measure_lists
from benchmarks.report import Report, publish, show_table

ROOT = Path(__file__).parent.parent.parent
FILES = (
    *(
        f"test_{name}.py"
        for name in ("life", "once", "texts", "dates", "tax", "listing", "credit_notes", "large_tenant")
    ),
    "pricing/test_shares.py",
    "einvoice/test_writing.py",
)
TIMES = 10
_BOUNDS = {"failed": "0 owed", "pages_with_more_statements": "0 owed"}


def main() -> None:
    """Run the properties deeper and print what failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help="how many times the examples of `make test`")
    parser.add_argument(
        "--invoices", type=int, default=INVOICES, help="of the tenant whose lists are asked for"
    )
    given = parser.parse_args()
    times = given.times
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.xml"
        tests = [f"tests/rooms/invoicing/{name}" for name in FILES]
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "2", f"--junitxml={told}", *tests],
            cwd=ROOT,
            env={**os.environ, "SHIPWORTHY_DEEPER": str(times)},
            check=False,
        )
        cases = list(ET.parse(told).iter("testcase")) if told.exists() else []
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    show_table(
        "what failed", ("test", "seconds"), [(case.get("name", ""), case.get("time", "")) for case in failed]
    )
    lists = measure_lists(given.invoices)
    enough = times >= TIMES and given.invoices >= INVOICES
    publish(
        Report(
            name="proof-invoicing",
            figures={
                "times_the_examples": times,
                "tests": len(cases),
                "failed": len(failed),
                **lists,
                "seconds": round(time.monotonic() - began, 1),
            },
            valid=enough and bool(cases),
            notes=[] if enough else [f"{TIMES} times the examples and {INVOICES:,} invoices are owed"],
        ),
        bounds=_BOUNDS,
    )


if __name__ == "__main__":
    main()
