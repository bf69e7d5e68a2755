"""The line: alike for all that wait, whatever their jobs cost; who comes back from idling joins the others."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.kernel.queue.fair import (
    TOP,
    UNPLACED,
    WINDOW,
    Flow,
    Waiting,
    charged,
    line_up,
    priority_of,
    start_of,
)


class Served:
    """A worker on paper: one job at a time, places given anew before each. A flow has so many jobs of one cost."""

    def __init__(self, flows: Mapping[str, tuple[int, int]]) -> None:
        self.left = dict(flows)
        self.next = dict.fromkeys(flows, 0)
        self.places: dict[tuple[str, int], int] = {}
        self.flows: dict[str, Flow] = {}
        self.virtual_ms = 0
        self.ms: dict[str, int] = dict.fromkeys(flows, 0)
        self.order: list[str] = []

    def one(self) -> None:
        jobs = [
            (flow, self.next[flow] + n)
            for flow, (many, _) in self.left.items()
            for n in range(min(WINDOW, many))
        ]
        rows = [Waiting(n, job[0], self.places.get(job)) for n, job in enumerate(jobs)]
        line = line_up(rows, self.flows, virtual_ms=self.virtual_ms)
        self.flows, self.virtual_ms = dict(line.flows), line.virtual_ms
        self.places |= {jobs[n]: start for n, start in line.starts_ms.items()}
        flow, number = min(jobs, key=lambda job: (self.places[job], job))
        many, cost_ms = self.left[flow]
        assert number == self.next[flow], "within a flow the order is theirs"
        self.left[flow], self.next[flow] = (many - 1, cost_ms), number + 1
        self.ms[flow] += cost_ms
        self.order.append(flow)
        self.flows[flow] = charged(self.flows[flow], [cost_ms])


def test_twenty_who_want_one_each_do_not_wait_for_five_thousand() -> None:
    quiet = {f"quiet-{n:02}": (1, 10) for n in range(20)}
    served = Served({"a-flood": (5_000, 10), **quiet})
    while any(served.left[flow][0] for flow in quiet):
        served.one()
    assert len(served.order) <= 2 * 20 + 2


@settings(max_examples=8)
@given(st.lists(st.integers(20, 400), min_size=2, max_size=5))
def test_flows_that_wait_alike_are_served_alike_whatever_their_jobs_cost(costs: list[int]) -> None:
    served = Served({f"f{n}": (10**6, cost) for n, cost in enumerate(costs)})
    while sum(served.ms.values()) < 25 * WINDOW * max(costs):
        served.one()
    shares = list(served.ms.values())
    jain = sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))
    assert jain >= 0.95


def test_who_was_idle_hoards_nothing_and_owes_nothing() -> None:
    busy = {"busy": Flow(finish_ms=10_000, cost_ms=50), "back": Flow(finish_ms=100, cost_ms=50)}
    rows = [Waiting(1, "busy", 9_000), Waiting(2, "back", None), Waiting(3, "new", None)]
    line = line_up(rows, busy, virtual_ms=8_000)
    assert line.virtual_ms == 9_000
    assert line.starts_ms == {2: 9_000, 3: 9_000}


def test_a_place_is_kept_and_an_order_within_a_flow_too() -> None:
    rows = [Waiting(1, "a", 70), Waiting(2, "a", None), Waiting(3, "a", None)]
    line = line_up(rows, {"a": Flow(120, 50)}, virtual_ms=0)
    assert line.starts_ms == {2: 120, 3: 170}


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_priorities_fit_and_say_the_order(start_ms: int, base_ms: int) -> None:
    priority = priority_of(start_ms, base_ms=base_ms)
    assert UNPLACED < priority <= TOP
    if 0 <= start_ms - base_ms < TOP - 1:
        assert start_of(priority, base_ms=base_ms) == start_ms
    assert priority_of(start_ms + 1, base_ms=base_ms) <= priority
    assert start_of(UNPLACED, base_ms=base_ms) is None
