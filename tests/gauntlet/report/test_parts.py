"""Parts: icons for every verdict, tables that keep their meaning, lists that hide nothing."""

from __future__ import annotations

from shipworthy.contract.finding import Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.markup import Html, tag
from shipworthy.gauntlet.report.parts import TONE, cell, chip, icon_shapes, measure_line, row, table, within
from tests.support.page import parse


def test_every_verdict_has_its_own_shape_beside_its_word() -> None:
    shapes = {s.attributes["id"]: s for s in parse(icon_shapes().text).all("symbol")}
    assert set(shapes) == {f"i-{tone}" for tone in TONE.values()}
    drawn = [[(e.tag, sorted(e.attributes.items())) for e in s.walk()][1:] for s in shapes.values()]
    assert len({str(d) for d in drawn}) == len(Verdict)
    for verdict in Verdict:
        shown = parse(chip(verdict).text)
        assert shown.text == str(verdict)
        assert (shown.one("use").attributes["href"] or "").removeprefix("#") in shapes


def test_a_table_keeps_its_roles_where_it_is_shown_as_blocks() -> None:
    shown = parse(table([("", "Name"), ("number", "n")], [row(cell("a"), cell("1", label="n"))]).text)
    roles = [e.attributes.get("role") for e in shown.walk()][1:]
    assert roles == [
        "table",
        *["rowgroup", "row", "columnheader", "columnheader"],
        *["rowgroup", "row", "cell", "cell"],
    ]
    assert shown.all("td")[1].attributes["data-label"] == "n"


def test_a_measure_over_its_bound_is_marked_and_one_within_is_not() -> None:
    def is_marked(measure: Measure) -> bool:
        return bool(parse(measure_line(measure).text).all("span", "over"))

    assert is_marked(Measure(name="lost", unit="jobs", estimate=3, bound=0))
    assert not is_marked(Measure(name="lost", unit="jobs", estimate=0, bound=0))
    undecided = Measure(name="slow", unit="share", estimate=0.06, low=0.04, high=0.08, bound=0.05)
    assert not is_marked(undecided)
    assert is_marked(Measure(name="slow", unit="share", estimate=0.06, low=0.055, high=0.08, bound=0.05))


def test_a_measure_reads_as_name_value_bound_and_sample() -> None:
    measure = Measure(name="cold start", unit="s", estimate=0.83, bound=2, samples=5)
    text = parse(measure_line(measure).text).text.replace("\u00a0", " ")
    assert text == "cold start: 0.83 s, at most 2 s, 5 samples"
    same = Measure(name="queries", unit="queries", estimate=52, bound=6)
    assert parse(measure_line(same).text).text.replace("\u00a0", " ") == "52 queries, at most 6"


def test_what_does_not_fit_is_counted_and_all_that_fits_is_shown() -> None:
    def render(item: str) -> Html:
        return tag("p", item)

    items = ["x" * 93] * 10
    assert len(render(items[0])) == 100
    whole = parse(within(items, render, bytes_max=1000, left_off="things").text)
    assert [p.text for p in whole.all("p")] == items
    cut = [p.text for p in parse(within(items, render, bytes_max=999, left_off="things").text).all("p")]
    assert cut == [*items[:9], "1 more things stand in the JSON result."]


def test_what_does_not_fit_whole_is_shown_in_brief_before_it_is_left_off() -> None:
    def whole(item: int) -> Html:
        return tag("p", "x" * 93)

    def brief(item: int) -> Html:
        return tag("i", str(item))

    shown = parse(within(range(9), whole, brief, bytes_max=220, left_off="things").text)
    assert [e.tag for e in shown.walk()] == ["document", "p", "p", "i", "i", "p"]
    assert shown.all("p", "more")[0].text == "5 more things stand in the JSON result."


def test_nothing_small_is_shown_after_something_urgent_that_was_left_off() -> None:
    sizes = [90, 500, 1]
    shown = parse(within(sizes, lambda n: tag("p", "x" * n), bytes_max=300, left_off="things").text)
    assert shown.text == "x" * 90 + "2 more things stand in the JSON result."
