"""A page for each alert: each objective may break, and whoever is woken finds what to do."""

from __future__ import annotations

from shipworthy.contract.manifest import Manifest, Slo
from shipworthy.runbook.facts import Facts
from shipworthy.runbook.markdown import parse
from shipworthy.runbook.page import Page

# The table whose lock holds the objective's requests up, in a drill: what they read or write first.
_TABLES = {"auth": "app_user", "invoicing": "invoice", "site": "page"}

_PAGE = """---
title: {title} breaks its objective
kind: alert
subject: {name}
incident: availability
blast: {blast}
escalate: after 15 minutes to on-call secondary, after 30 to the head of engineering
---

The promise is {share:g} % of requests within {bound:g} ms. This alert opens when the error budget burns 14.4 times too
fast over an hour and five minutes (page-fast), 6 times over six hours (page-slow), or once over three days (ticket).

Look first whether it is the whole app: `shipworthy slo`. When everything burns, begin with
[the database](errors-database.md). When a deploy runs, it goes back by itself; see [migration rollback](migration-rollback.md).

## Is it this?

The watch has opened an alert of this objective.

```sh check expect=1 within=2m says='"objective": "{name}", "rule"'
shipworthy slo --json
```

Somebody has kept a whole table for more than a moment: who, since when, by what.

```sql check expect=1.. within=1m
select distinct a.pid, a.usename, a.state, now() - a.xact_start as since, l.relation::regclass as held, left(a.query, 200) as query
from pg_stat_activity a join pg_locks l using (pid)
where l.granted and l.mode in ('AccessExclusiveLock', 'ShareRowExclusiveLock') and now() - a.xact_start > interval '2 seconds'
```

## What to do

End that session. What it had not committed is rolled back; its client sees an error.

```sql act expect=1..
select pg_terminate_backend(pid) from (select distinct a.pid from pg_stat_activity a join pg_locks l using (pid)
  where l.granted and l.mode in ('AccessExclusiveLock', 'ShareRowExclusiveLock') and now() - a.xact_start > interval '2 seconds') held
```

## Is it over?

Nobody keeps a table any more.

```sql verify expect=0 within=30s
select a.pid from pg_stat_activity a join pg_locks l using (pid)
where l.granted and l.mode in ('AccessExclusiveLock', 'ShareRowExclusiveLock') and now() - a.xact_start > interval '2 seconds'
```

The app is ready to answer.

```http verify expect=200 within=30s
GET /-/readyz
```

The alert closes by itself once five minutes were good. There is nothing to undo: find out whose session it was and why it
held the lock, before it comes back.

## The drill

Requests of this objective arrive all the time.

```journey load
{name}
```

Somebody takes `{table}` for himself and forgets it.

```inflict fault
database.lock {table} readers
```
"""


def alert_pages(facts: Facts) -> list[Page]:
    """Return the page of every alert there can be."""
    return [_page(facts.manifest, slo) for slo in facts.manifest.slos]


def _page(manifest: Manifest, slo: Slo) -> Page:
    routes = [f"{route.method} {route.path}" for route in manifest.routes if route.slo == slo.name]
    room = next((route.room for route in manifest.routes if route.slo == slo.name), "site")
    name = f"alert-{slo.name.replace('_', '-')}"
    text = _PAGE.format(
        title=slo.title or slo.name,
        name=slo.name,
        blast=", ".join(routes[:3]) + (f" and {len(routes) - 3} more" if len(routes) > 3 else "") if routes else "every published page",
        share=slo.quantile * 100,
        bound=slo.threshold_ms,
        table=_TABLES.get(room, "tenant"),
    )  # fmt: skip
    return parse(text, name=name)
