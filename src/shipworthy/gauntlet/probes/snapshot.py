"""P4, P6: how the app asks its database is as somebody accepted it (`gauntlet.lock`).

A budget says how much is too much; this says that something is not what was reviewed, however cheap. What
plans.index_used and budget.queries_per_route have seen is held against the file; alone, what is asked
about is looked at anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.strict import Undecodable
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.db import OpenConnections
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.plans import Planned, explained, note_shape
from shipworthy.gauntlet.probes.queries_per_route import statements_seen
from shipworthy.gauntlet.probes.statistics import existing_indexes, table_rows
from shipworthy.gauntlet.snapshot import Change, changes, plan_entry, read_lock


async def as_accepted(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each entry that is not as it was accepted, or one that says that all are."""
    try:
        lock = read_lock(Path(exam.target.folder))
    except Undecodable as broken:
        raise Undecided(str(broken), fix="Mend the file, or delete it and accept anew.") from broken
    if not exam.seen:
        await _look_at_plans(exam)
        await statements_seen(exam)
    seen = {entry: lines for entry, lines in exam.seen.items() if exam.wants(entry)}
    if not seen:
        raise Undecided("Neither a query's plan nor a route's statements could be looked at.")
    if found := changes(lock, seen):
        return [_changed(exam, change) for change in found]
    subject = exam.planned.subject if exam.planned and exam.planned.subject else "all"
    title = f"{len(seen)} plans and routes ask the database as was accepted"
    return [exam.finding(subject, Verdict.PASS, title)]


async def _look_at_plans(exam: Exam) -> None:
    """Note the shape of each query's plan, of a run that has not asked `index_used`."""
    people = [person for person in exam.people if person.tenant_id]
    wanted = [query for query in exam.manifest.queries if exam.wants(plan_entry(query.name))]
    if not people or not exam.can("database.admin") or not wanted:
        return
    if exam.can("login"):
        await exam.session(people[0])
    async with exam.database("admin").connection() as admin, OpenConnections() as connections:
        rows, indexes = await table_rows(admin), await existing_indexes(admin)
        for query in wanted:
            if not exam.can(f"database.{query.role}"):
                continue
            database = exam.database(query.role)
            with suppress(Undecided):
                way_in = database, await connections.of(database)
                planned = await explained(way_in, query, people, rows, indexes)
                if isinstance(planned, Planned):
                    note_shape(exam, planned)


def _changed(exam: Exam, change: Change) -> Finding:
    what = "is not what was accepted" if change.was else "was accepted by nobody yet"
    return exam.finding(
        change.entry,
        Verdict.FAIL,
        f"{change.entry} {what}",
        cause="; ".join(change.lines()),
        fix="Take the change back; or, where it is meant: shipworthy gauntlet accept --why '…'",
        evidence=(Evidence(kind="text", title="Accepted and now", text="\n".join(change.lines())),),
    )
