"""R9: how often the gate that was used is wrong, from the judge's own simulation.

Owns the reading of error_rates.json, which `benchmarks/judge.py --write` generates. A table
made under other constants than the code's is refused: a gate must not be vouched for by the
error rates of another.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shipworthy.contract.finding import GateErrorRates
from shipworthy.judge.exceedance import QUICK, RELEASE

PATH = Path(__file__).with_name("error_rates.json")


def gate_error_rates() -> list[GateErrorRates]:
    """Return the simulated false PASS and false FAIL rates of every rule, by kind of noise.

    The truth lies exactly on the budget there, the hardest place; each number is the worst
    over the simulated request rates.

    Errors:  ValueError when the table was made under other constants than the code's.
    """
    document = json.loads(PATH.read_text(encoding="utf-8"))
    if document["rules"] != fingerprint():
        raise ValueError(
            "the judge's rules have changed since error_rates.json was made: make bench NAME=judge, with --write"
        )
    source = f"{document['source']}, {document['runs']} simulated runs a cell, seed {document['seed']}"
    return [
        GateErrorRates(
            rule=f"{gate['rule']}, p{gate['quantile'] * 100:g}",
            false_pass=gate["false_pass"],
            false_fail=gate["false_fail"],
            source=source,
        )
        for gate in document["gates"]
    ]


def fingerprint() -> list[dict[str, Any]]:
    """Return the constants of every rule as plain JSON data."""
    plain: list[dict[str, Any]] = json.loads(json.dumps([asdict(rule) for rule in (RELEASE, QUICK)]))
    return plain
