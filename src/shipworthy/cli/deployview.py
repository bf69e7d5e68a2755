"""What a person sees while a version is brought out: the weights, both arms, every journey, and why it waits."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from shipworthy.delivery.plan import View

_NAMES = {"canary": "new", "baseline": "old"}
_EVERY_VIEWS = 10  # lines of a log, where nobody looks at a terminal


@contextmanager
def showing(*, quiet: bool = False) -> Iterator[Callable[[View], None]]:
    """Yield what is called with each new view: a live picture in a terminal, lines in a log, nothing when `quiet`."""
    if quiet:
        yield lambda _view: None
    elif sys.stderr.isatty():
        with Live(console=Console(stderr=True), refresh_per_second=4, transient=False) as live:
            yield lambda view: live.update(picture(view))
    else:
        yield _Lines()


class _Lines:
    """One line for each step, and one in ten views in between."""

    def __init__(self) -> None:
        self._step, self._views = "", 0

    def __call__(self, view: View) -> None:
        self._views += 1
        if view.step != self._step or self._views >= _EVERY_VIEWS:
            self._step, self._views = view.step, 0
            told = ", ".join(
                f"{_NAMES[arm]} {counts['requests']} requests {counts['failed']} failed {counts['slow']} beyond"
                for arm, counts in sorted(view.arms.items(), reverse=True)
            )
            click.echo("  ".join(filter(None, [view.step, told, view.waits])), err=True)


def picture(view: View) -> Group:
    """Return the view as it stands in a terminal."""
    return Group(_way(view), _table(view), _why(view))


def _way(view: View) -> Text:
    way = Text("  ")
    for weight in view.weights:
        done, here = weight < view.weight, weight == view.weight
        style = "bold reverse" if here else "green" if done else "dim"
        way.append(f" {weight} % ", style=style)
        if weight != view.weights[-1]:
            way.append("─", style="green" if done else "dim")
    way.append(f"   {view.step}", style="bold")
    if view.stage_s:
        way.append(f", {view.stage_s:.0f} s", style="dim")
    return way


def _table(view: View) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in ("", "requests", "failed", "beyond objective"):
        table.add_column(title, justify="left" if not title else "right")
    for journey, arms in (("", view.arms), *sorted(view.journeys.items())):
        old = arms.get("baseline", Counter())
        for arm in ("canary", "baseline"):
            if arm in arms or not journey:
                name = (
                    Text(f"  {journey}, {_NAMES[arm]}", style="dim")
                    if journey
                    else Text(_NAMES[arm], style="bold")
                )
                table.add_row(name, *_cells(arms.get(arm, Counter()), beside=old))
    return table


def _cells(counts: Counter[str], *, beside: Counter[str]) -> list[Text]:
    """Requests and shares; red is a share that is larger than the old version's."""
    if not counts["requests"]:
        return [Text("0"), Text("-", style="dim"), Text("-", style="dim")]
    cells = [Text(f"{counts['requests']:,}")]
    for what in ("failed", "slow"):
        share, old = (one[what] / max(one["requests"], 1) for one in (counts, beside))
        cells.append(Text(f"{share:.1%}", style="red" if share > old else ""))
    return cells


def _why(view: View) -> Padding:
    if view.decision is not None and view.decision.page:
        why = Text(f"HOLD, a person is needed: {view.decision.reason}", style="bold yellow")
    else:
        why = Text(view.waits or (view.decision.reason if view.decision else ""), style="dim")
    return Padding(why, (0, 2))
