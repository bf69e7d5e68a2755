"""Statements as statistics remember them: named, given back their constants, explained, and indexed."""

from __future__ import annotations

import pytest

from shipworthy.gauntlet.probes.harvested import (
    Harvested,
    WholeRead,
    harvested_between,
    index_for,
    whole_reads,
    with_constants,
)
from shipworthy.gauntlet.probes.plan_tree import parse_plan
from shipworthy.gauntlet.probes.tables import TableFacts


def statement(text: str, *, calls: int = 1, time_ms: float = 1.0) -> Harvested:
    return Harvested(text, text, calls, time_ms, 0)


def test_a_statement_is_named_by_what_it_does_and_a_mark_that_stays() -> None:
    name = statement("select /* orm */ id\nfrom item where id = $1").name
    assert name.startswith("select … item [")
    assert name == statement("select id from  item where id = $1").name
    assert name != statement("select id from item where name = $1").name


def test_the_harvest_is_what_ran_in_between() -> None:
    before = {"a": Harvested("a", "a", 5, 10.0, 5), "b": Harvested("b", "b", 1, 1.0, 1)}
    after = {**before, "a": Harvested("a", "a", 8, 16.0, 8), "c": Harvested("c", "c", 2, 3.0, 2)}
    assert harvested_between(before, after) == [
        Harvested("a", "a", 3, 6.0, 3),
        Harvested("c", "c", 2, 3.0, 2),
    ]


@pytest.mark.parametrize(
    ("text", "conditions", "wanted"),
    [
        ("select 1 limit $1", (), "select 1 limit 50"),
        ("select 1 where a = $1 LIMIT $2 offset $3", (), "select 1 where a = $1 limit 50 offset 0"),
        (
            "x where d.role = $1 and b = $2",
            ("(role = 'primary'::text)",),
            "x where d.role = 'primary' and b = $1",
        ),
        ("x where role = $1", ("((role)::text = 'it''s'::text)",), "x where role = 'it''s'"),
        ("x where s.status <> $2", ("(status <> 'gone'::text)",), "x where s.status <> 'gone'"),
        (
            "x where status != $1 and status = $2",
            ("(status <> 'gone'::text)",),
            "x where status != 'gone' and status = $1",
        ),
        ("x where role = $1", ("(role = ANY (ARRAY['a'::text]))",), "x where role = $1"),
        ("x where a = $2 and b = $2 and c = $7", (), "x where a = $1 and b = $1 and c = $2"),
    ],
)
def test_constants_that_statistics_forget_are_put_back(
    text: str, conditions: tuple[str, ...], wanted: str
) -> None:
    assert with_constants(text, conditions) == wanted


def node(kind: str, *children: dict[str, object], **facts: object) -> dict[str, object]:
    named = {key.replace("_", " ").title(): value for key, value in facts.items()}
    return {"Node Type": kind, "Plans": list(children), **named}


def test_a_read_is_whole_unless_a_limit_stops_it() -> None:
    scan = node("Seq Scan", relation_name="item")
    filtered = node("Seq Scan", relation_name="item", filter="(a = $1)")

    def tables(root: dict[str, object]) -> list[str]:
        return [read.table for read in whole_reads(parse_plan([{"Plan": root}]), {})]

    assert tables(scan) == tables(filtered) == ["item"]
    assert tables(node("Limit", scan)) == []
    assert tables(node("Limit", filtered)) == ["item"]
    assert tables(node("Limit", node("Sort", scan, sort_key=["id"]))) == ["item"]
    assert tables(node("Index Scan", relation_name="item", index_name="i")) == []


def test_an_index_that_finds_the_tenant_only_reads_its_whole_share() -> None:
    table = TableFacts(
        oid=1, schema="public", name="item", kind="r", quoted="public.item", owner="owner", columns=("tenant_id", "id", "kind"),
        is_secured=True, is_forced=True, scope="tenant", column="tenant_id", is_declared=True,
    )  # fmt: skip

    def reads(found_by: str, filtered: str = "(kind = $1)") -> list[WholeRead]:
        scan = node("Index Scan", relation_name="item", index_cond=found_by, filter=filtered)
        return whole_reads(parse_plan([{"Plan": scan}]), {"item": table})

    [share] = reads("(tenant_id = (InitPlan 1).col1)")
    assert share.is_share
    assert index_for(share, table.columns, table.quoted) == (
        "create index concurrently on public.item (tenant_id, kind);"
    )
    assert reads("((tenant_id = $1) AND (id = $2))") == []
    assert reads("((tenant_id = $1) AND (id > $2))") == []
    assert reads("(tenant_id = $1)", "(kind IS NULL)") == []


@pytest.mark.parametrize(
    ("condition", "order", "wanted"),
    [
        ("(owner = $1)", (), "(owner)"),
        ("((owner)::text = $1)", ("item.at DESC", "id"), "(owner, at desc, id)"),
        ("((at > $1) AND (owner = $2))", ("at",), "(owner, at)"),
        ("(lower((owner)::text) = $1)", (), "(lower(owner))"),
        ("", ("at DESC",), "(at desc)"),
        ("(unknown = $1)", (), None),
        ("(tenant_id = (NULLIF(current_setting('x'::text, true), ''::text))::uuid)", (), "(tenant_id)"),
    ],
)
def test_the_index_to_try_has_equal_columns_first_then_the_order(
    condition: str, order: tuple[str, ...], wanted: str | None
) -> None:
    columns = ("id", "owner", "at", "tenant_id")
    made = index_for(WholeRead("item", condition, order), columns, "public.item")
    assert made == (f"create index concurrently on public.item {wanted};" if wanted else None)
