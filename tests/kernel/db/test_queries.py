"""The catalogue: what a query must say of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.kernel.db.queries import BadQueryFile, load_queries

GOOD = """-- open_by_kind --
-- Open things of one kind.
-- index: thing_kind_idx   rows: <= 10   role: worker
-- with: kind = 'a, b', after = (select max(x, y) from t)
select ':not', x::text from thing where kind = :kind and at > :after and kind <> :kind -- :nor_this
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "queries.sql"
    path.write_text(text)
    return path


def test_a_query_is_read_with_its_facts_and_numbered_parameters(tmp_path: Path) -> None:
    query = load_queries(write(tmp_path, GOOD), room="toy").open_by_kind
    assert query.purpose == "Open things of one kind."
    assert query.parameters == ("kind", "after")
    assert query.samples == ("'a, b'", "(select max(x, y) from t)")
    assert query.sql.startswith(
        "select /* toy.open_by_kind */ ':not', x::text from thing where kind = $1 and at > $2 and kind <> $1"
    )
    assert (query.index, query.rows_max, query.role, query.writes) == (
        ("thing_kind_idx",),
        10,
        "worker",
        False,
    )


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (GOOD.replace("-- Open things of one kind.\n", ""), "no purpose"),
        (GOOD.replace("index: thing_kind_idx   ", ""), "no index"),
        (GOOD.replace("rows: <= 10   ", ""), "no row bound"),
        (GOOD.replace("after = ", "afters = "), "no sample for :after"),
        (GOOD + "\n" + GOOD, "stands twice"),
    ],
)
def test_a_query_that_leaves_out_a_fact_is_refused_by_name(tmp_path: Path, broken: str, reason: str) -> None:
    with pytest.raises(BadQueryFile, match=reason):
        load_queries(write(tmp_path, broken), room="toy")


def test_writes_are_told_from_reads_that_lock(tmp_path: Path) -> None:
    text = "-- a --\n-- x\n-- index: none   rows: <= 1\nselect 1 from t for update\n-- b --\n-- x\n-- index: none   rows: <= 1\nwith n as (update t set a = 1 returning 1) select * from n\n"
    queries = load_queries(write(tmp_path, text), room="toy")
    assert (queries.a.writes, queries.b.writes) == (False, True)
