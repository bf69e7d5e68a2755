"""snapshot.accepted: what was accepted holds until a plan or a statement differs, and it is told line by line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.snapshot import (
    LOCK_FILE,
    Lock,
    Seen,
    accepted,
    changes,
    read_lock,
    reason,
    write_lock,
)
from shipworthy.gauntlet.stages.budgets import CHECKS
from tests.gauntlet.conftest import by_subject
from tests.support.ledger import Ledger

SNAPSHOT = next(check for check in CHECKS if check.name == "snapshot.accepted")
LIST = "route GET /books"


async def ask(ledger: Ledger, folder: Path, *, only: str | None = None) -> tuple[dict[str, Finding], Seen]:
    exam = ledger.exam(SNAPSHOT, subject=only)
    exam.target = replace(exam.target, folder=str(folder))
    try:
        return by_subject(list(await SNAPSHOT.run(exam))), exam.seen
    finally:
        await exam.close()


async def test_what_was_accepted_holds_and_another_statement_is_a_finding_until_it_is_accepted_too(
    ledger: Ledger, tmp_path: Path
) -> None:
    new, seen = await ask(ledger, tmp_path)
    assert LIST in new
    assert {finding.verdict for finding in new.values()} == {Verdict.FAIL}  # nobody has accepted anything
    assert any(line.startswith("ledger.") for line in seen[LIST])
    write_lock(
        tmp_path, accepted(Lock(), changes(Lock(), seen), reason("first", "r", list(seen)), also=False)
    )
    held, _ = await ask(ledger, tmp_path)
    assert [finding.verdict for finding in held.values()] == [Verdict.PASS], held
    ledger.faults.add("n_plus_one")
    found, now = await ask(ledger, tmp_path)
    assert set(found) == {LIST}
    assert "+ ledger.notes_of_book, 20 times" in found[LIST].evidence[0].text
    alone, _ = await ask(ledger, tmp_path, only=LIST)
    assert set(alone) == {LIST}
    lock = read_lock(tmp_path)
    write_lock(tmp_path, accepted(lock, changes(lock, now), reason("meant", "r", [LIST]), also=True))
    for _ in range(2):  # either is accepted now
        again, _ = await ask(ledger, tmp_path)
        assert {finding.verdict for finding in again.values()} == {Verdict.PASS}
        ledger.faults.clear()


async def test_a_broken_lock_is_undecided_and_says_what_to_do(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).write_text("<<<<<<< ours")
    with pytest.raises(Undecided, match=r"gauntlet\.lock"):
        await ask(ledger, tmp_path)
