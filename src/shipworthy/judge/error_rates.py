"""R9: how often the gate that was used is wrong, from the judge's own simulation.

Owns the reading of error_rates.json, which `python -m benchmarks.judge --write` generates. A table
made under other constants than the code's is refused: a gate must not be vouched for by the
error rates of another.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shipworthy.contract.finding import GateErrorRates
from shipworthy.judge.canary import CANARY
from shipworthy.judge.exceedance import QUICK, RELEASE
from shipworthy.judge.regression import DUET

PATH = Path(__file__).with_name("error_rates.json")


def gate_error_rates() -> list[GateErrorRates]:
    """Return the simulated false PASS and false FAIL rates of every rule, by kind of noise.

    The truth lies exactly on the bound there, the hardest place: for R1 on the budget, the
    worst over the simulated request rates; for R2 at the margin (PASS) and at the least
    regression (FAIL); for R4 a false FAIL is a healthy canary rolled back. The names begin
    with the rule's.

    Errors:  ValueError when the table was made under other constants than the code's.
    """
    document = json.loads(PATH.read_text(encoding="utf-8"))
    if document["rules"] != fingerprint():
        raise ValueError(
            "the judge's rules have changed since error_rates.json was made: python -m benchmarks.judge --write"
        )
    source = f"{document['source']}, {document['runs']} simulated runs a cell, seed {document['seed']}"
    return [
        GateErrorRates(
            rule=gate["rule"],
            false_pass=gate["false_pass"],
            false_fail=gate["false_fail"],
            source=source,
        )
        for gate in document["gates"]
    ]


def fingerprint() -> list[dict[str, Any]]:
    """Return the constants of every rule as plain JSON data."""
    plain: list[dict[str, Any]] = json.loads(
        json.dumps([asdict(rule) for rule in (RELEASE, QUICK, DUET, CANARY)])
    )
    return plain
