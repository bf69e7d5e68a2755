"""Pages are written and read back as the same page; what cannot be read names its line. Covers: page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipworthy.runbook.build import pages
from shipworthy.runbook.markdown import parse, write
from shipworthy.runbook.page import PageInvalid, Stamp
from tests.runbook.facts import FACTS

PAGE = """---
title: A table is locked
kind: procedure
subject:
incident: availability
blast: everybody
escalate: after 10 minutes
---

Prose, with a block that is no step:

```python
print("nothing is run")
```

Somebody waits.

```sql check expect=1.. within=2m says='"objective": "login"'
select 1
```

- End them:

```http act expect=200..399 owner
POST /account/name
accept: */*

name=$OWNER
```
"""


def test_steps_are_what_their_fences_say() -> None:
    page = parse(PAGE, name="locked")
    check, act = page.steps
    assert (check.kind, check.language, check.title, check.text) == (
        "check",
        "sql",
        "Somebody waits",
        "select 1",
    )
    assert (check.expect, check.within_s, check.says) == ("1..", 120.0, '"objective": "login"')
    assert (act.as_owner, act.title, act.text.splitlines()[-1]) == (True, "End them", "name=$OWNER")


def test_every_page_there_is_is_read_back_as_it_was_written_and_its_stamp_changes_no_hash() -> None:
    for page in [*pages(FACTS), parse(PAGE, name="locked")]:
        stamp = Stamp(date="2026-11-28T08:00:00+00:00", commit="abc", result="passed", page=page.sha256,
                      evidence="e", detected_s=1.5, repaired_s=2.0)  # fmt: skip
        stamped = replace(page, stamp=stamp)
        assert parse(write(stamped), name=page.name) == stamped
        assert write(parse(write(stamped), name=page.name)) == write(stamped)
        assert stamped.sha256 == page.sha256
        assert page.name == "locked" or (page.of("act") and page.of("verify"))
    changed = parse(PAGE.replace("select 1", "select 2"), name="locked")
    assert changed.sha256 != parse(PAGE, name="locked").sha256


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "```sql check expect=1.. within=2m",
            "```sql chek expect=1.. within=2m",
            "p:18: there is no kind of step 'chek'",
        ),
        ("within=2m", "within=2h", "p:18: within=2h"),
        ("within=2m", "withn=2m", "p:18: a step knows"),
        ("expect=1..", "expect='1..", "p:18: this fence cannot be read"),
        ("select 1\n```", "```", "p:18: this step does nothing"),
        ("name=$OWNER\n```\n", "name=$OWNER\n", "p:24: this block does not end"),
        ("incident: availability\n", "", "does not say incident"),
        ("incident: ", "incidents: ", "p:5"),
        ("kind: procedure", "kind: story", "kind must be"),
        ("---\ntitle", "title", "begins with a head"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(before: str, after: str, words: str) -> None:
    assert before in PAGE
    with pytest.raises(PageInvalid) as refused:
        parse(PAGE.replace(before, after, 1), name="p")
    assert words in str(refused.value)
