"""gauntlet.lock: what differs is told line by line, what is accepted stays accepted, and the file is reviewable."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.contract.strict import Undecodable
from shipworthy.gauntlet.snapshot import (
    LOCK_FILE,
    Lock,
    Reason,
    accepted,
    changes,
    gone,
    read_lock,
    statement_line,
    write_lock,
)

LIST, FIRST = "plan invoicing.invoice_list", ("invoice by invoice_idx",)
OTHER = ("invoice by invoice_status_idx",)
WHY = Reason(on="2026-08-01", why="the list shows who paid", run="r", entries=(LIST,))


def test_what_was_accepted_is_no_change_and_what_differs_reads_as_a_diff() -> None:
    lock = accepted(Lock(), changes(Lock(), {LIST: FIRST}), WHY, also=False)
    assert changes(lock, {LIST: FIRST}) == []
    [change] = changes(lock, {LIST: OTHER})
    assert change.lines() == ["- invoice by invoice_idx", "+ invoice by invoice_status_idx"]
    [new] = changes(lock, {LIST: FIRST, "route GET /": ("page_get",)})
    assert (new.entry, new.was) == ("route GET /", ())
    assert [change.entry for change in gone(lock, {})] == [LIST]


def test_accepting_takes_the_place_of_the_old_or_stands_beside_it() -> None:
    lock = accepted(Lock(), changes(Lock(), {LIST: FIRST}), WHY, also=False)
    beside = accepted(lock, changes(lock, {LIST: OTHER}), WHY, also=True)
    assert changes(beside, {LIST: FIRST}) == changes(beside, {LIST: OTHER}) == []
    instead = accepted(lock, changes(lock, {LIST: OTHER}), WHY, also=False)
    assert changes(instead, {LIST: FIRST})
    assert accepted(instead, gone(instead, {}), WHY, also=False) == Lock(entries={}, reasons=(WHY,))


def test_the_file_reads_back_and_one_entry_is_one_line(tmp_path: Path) -> None:
    assert read_lock(tmp_path) == Lock()
    lock = Lock(entries={LIST: (FIRST, OTHER), 'route GET /"x"': (("é",),)}, reasons=(WHY,))
    write_lock(tmp_path, lock)
    assert read_lock(tmp_path) == lock
    text = (tmp_path / LOCK_FILE).read_text(encoding="utf-8")
    assert sum(LIST in line for line in text.splitlines()) == 2  # its line, and that of the reason
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_FILE]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"version": 2, "entries": {}, "reasons": []}',
        "<<<<<<< HEAD",
        '{"version": 1, "entries": 3}',
    ],
)
def test_what_is_no_lock_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / LOCK_FILE).write_text(text)
    with pytest.raises(Undecodable, match="gauntlet.lock"):
        read_lock(tmp_path)


def test_a_statement_is_told_by_the_name_it_carries_or_by_what_it_does() -> None:
    assert statement_line("select /* invoicing.invoice_list */ a from invoice", 1) == "invoicing.invoice_list"
    assert statement_line('SELECT "id" FROM "notes" WHERE id = $1', 7) == 'select "notes", 7 times'
    assert statement_line("insert into note values ($1)", 1) == "insert note"
    assert statement_line("select $1", 3) == ""  # whether a connection lives
