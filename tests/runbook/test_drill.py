"""A drill passes only where the page detects what was broken, repairs it, and could have failed to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from shipworthy.runbook.drill import Report, Said, drill, holds
from shipworthy.runbook.markdown import parse
from shipworthy.runbook.page import Page, Step

PAGE = """---
title: The lamp
kind: procedure
subject:
incident: data
blast: one room
escalate: never
---

```sh check expect=1 within=0s
is lamp on
```

```sh act expect=0
replace lamp
```

```sh verify expect=0 within=0s
is lamp on
```

```sh undo expect=0
note
```

```sh fault expect=0
break lamp
```

```sh heal expect=0
replace lamp
```
"""


class Lamp:
    """Hands that work on a lamp."""

    def __init__(self) -> None:
        self.is_on, self.done, self.is_over = True, list[str](), False

    async def do(self, step: Step) -> Said:
        self.done.append(step.text)
        match step.text:
            case "is lamp on":
                return Said(code=0 if self.is_on else 1, text="on" if self.is_on else "off")
            case "break lamp":
                self.is_on = False
            case "replace lamp":
                self.is_on = True
            case "note":
                pass
            case _:
                return Said(code=127, text=f"{step.text}: not found")
        return Said(code=0, text="")

    def filled(self, text: str) -> str:
        return text

    async def begin_load(self, steps: Sequence[Step]) -> None:
        pass

    async def end(self) -> None:
        self.is_over = True


async def _drilled(change: Callable[[str], str] = lambda text: text) -> tuple[Report, Lamp]:
    page: Page = parse(change(PAGE), name="lamp")
    lamp = Lamp()
    return await drill(page, lamp), lamp


async def test_a_page_that_detects_and_repairs_passes_and_leaves_its_evidence() -> None:
    report, lamp = await _drilled()
    assert (report.why, report.result) == ("", "passed")
    assert report.detected_s is not None
    assert report.repaired_s is not None
    assert [o.stage for o in report.outcomes] == [
        "before",
        "fault",
        "check",
        "unrepaired",
        "act",
        "verify",
        "undo",
        "heal",
    ]
    assert lamp.is_over
    stamp = report.stamp(date="2026-11-28", commit="abc")
    assert stamp.page == parse(PAGE, name="lamp").sha256
    assert len(stamp.evidence) == 64


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("check expect=1 within=0s", "check expect=0..1 within=0s", "detects nothing"),
        ("check expect=1 within=0s", "check expect=2 within=0s", "Not detected"),
        ("```sh check expect=1 within=0s\nis lamp on\n```", "", "no check"),
        ("act expect=0\nreplace lamp", "act expect=0\nreplce lamp", "This act failed"),
        ("act expect=0\nreplace lamp", "act expect=0\nnote", "Not repaired"),
        ("verify expect=0 within=0s", "verify expect=0..1 within=0s", "prove nothing"),
        ("verify expect=0 within=0s", "verify expect=3 within=0s", "Not repaired"),
        ("undo expect=0\nnote", "undo expect=0\nnot", "cannot be undone"),
        ("fault expect=0\nbreak lamp", "fault expect=0\nbrake lamp", "could not be injected"),
        ("fault expect=0\nbreak lamp", "fault expect=0\nnote", "Not detected"),
    ],
)
async def test_a_changed_step_fails_its_drill_and_what_was_broken_is_mended(
    before: str, after: str, why: str
) -> None:
    assert before in PAGE
    report, lamp = await _drilled(lambda text: text.replace(before, after, 1))
    assert report.result == "failed"
    assert why in report.why
    assert lamp.is_on
    assert lamp.is_over


def test_a_step_holds_where_its_answer_is_what_the_page_expects() -> None:
    def step(language: str, expect: str = "", says: str = "") -> Step:
        return Step(kind="check", language=language, title="", text="x", expect=expect, says=says)  # type: ignore[arg-type]

    assert holds(step("http", "200..399"), Said(code=303, text=""))
    assert not holds(step("http", "200..399"), Said(code=500, text=""))
    assert holds(step("http"), Said(code=204, text=""))
    assert not holds(step("http"), Said(code=404, text=""))
    assert not holds(step("sh"), Said(code=1, text=""))
    assert holds(step("sql", "1.."), Said(code=7, text=""))
    assert not holds(step("sql", "0..0"), Said(code=1, text=""))
    assert not holds(step("sql", says="acme"), Said(code=1, text="globex"))
    assert not holds(step("sql", "0.."), Said(code=None, text="no such table"))
