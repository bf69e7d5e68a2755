"""`shipworthy gauntlet accept`: how the app asks its database, reviewed and kept like a lock file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipworthy.cli.options import HOME, REPORT, TARGET

if TYPE_CHECKING:
    from shipworthy.gauntlet.snapshot import Change

SHOWN_MAX = 40  # entries of a diff; the file's own diff has all of them


@click.command("accept")
@click.argument("entries", nargs=-1)
@REPORT
@TARGET
@HOME
@click.option(
    "--why", default="", help="Why it is right; kept with the entries. Needed where something changed."
)
@click.option("--also", is_flag=True, help="Accept beside what was accepted before, not in its place.")
@click.option("--show", is_flag=True, help="Show what would be accepted, and change nothing.")
def command(
    entries: tuple[str, ...],
    report: Path,
    target: Path | None,
    home: Path | None,
    why: str,
    also: bool,
    show: bool,
) -> None:
    """Accept the plans and statements of the last run: write gauntlet.lock, which goes into the repository.

    Without ENTRIES all that differs. From then on a query that takes another index, or a route that runs
    another statement, is a finding (snapshot.accepted) until somebody accepts it.

    \b
    Example:  shipworthy gauntlet accept
              shipworthy gauntlet accept --show
              shipworthy gauntlet accept 'route GET /api/invoices' --why 'the list shows who paid'
    """
    from shipworthy.cli.explain import read_report
    from shipworthy.gauntlet.snapshot import LOCK_FILE, accepted, changes, gone, read_lock, reason, write_lock

    result = read_report(report)
    if not result.valid or not result.snapshot:
        why_not = "the run is not valid" if not result.valid else "it looked at no plan and no route"
        raise click.UsageError(
            f"nothing can be accepted of {report}: {why_not}. Run shipworthy gauntlet first"
        )
    folder = target.parent if target else (home or Path.cwd())
    lock = read_lock(folder)
    is_whole = result.mode != "partial"
    found = [*changes(lock, result.snapshot), *(gone(lock, result.snapshot) if is_whole else [])]
    if unknown := set(entries) - {change.entry for change in found}:
        raise click.UsageError(f"{sorted(unknown)[0]!r} is not among what differs; --show lists that")
    wanted = [change for change in found if not entries or change.entry in entries]
    if not wanted:
        click.echo("Everything is as it was accepted.")
        return
    _show(wanted, len(lock.entries))
    if show:
        return
    if any(change.was for change in wanted) and not why.strip():
        raise click.UsageError("something that was accepted has changed: say --why it is right")
    said = reason(why, result.run_id, [change.entry for change in wanted])
    try:
        write_lock(folder, accepted(lock, wanted, said, also=also))
    except OSError as failed:
        raise click.ClickException(
            f"{folder / LOCK_FILE} could not be written: {failed.strerror}"
        ) from failed
    of = f", at {result.commit}" if result.commit else ""
    click.echo(
        f"\nAccepted {len(wanted)} of the run of {result.started_at}{of}. Commit {folder / LOCK_FILE}."
    )


def _show(wanted: list[Change], known: int) -> None:
    new = [change for change in wanted if not change.was]
    if new and not known:  # the first time all is new: that is no diff
        click.echo(f"{len(new)} plans and routes, none of them accepted before.")
        return
    for change in wanted[:SHOWN_MAX]:
        click.echo(f"{change.entry}{'' if change.now else '  (gone)'}")
        for line in change.lines():
            click.secho(f"  {line}", fg="red" if line.startswith("-") else "green")
    if len(wanted) > SHOWN_MAX:
        click.echo(f"and {len(wanted) - SHOWN_MAX} more")
