"""`shipworthy history`: the runs that were kept, and what became of the measures."""

from __future__ import annotations

from pathlib import Path

import click

from shipworthy.cli.options import HOME, TARGET


@click.command("history")
@TARGET
@HOME
@click.option("--series", default="", help="Only measures whose name has this part.")
@click.option(
    "--unite", default="", metavar="REMOTE", help="First have the runs of a remote too, and give it ours."
)
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON, one a line, the newest last.")
def command(target: Path | None, home: Path | None, series: str, unite: str, as_json: bool) -> None:
    """Show the whole runs of an app that its repository keeps, and the measures that changed for good.

    Each run of the gauntlet is kept under refs/shipworthy/history: no branch, and nothing of the work tree, is
    touched. Times are compared within one kind of machine; runs with uncommitted changes ("+") are shown, and no
    change is read off them.

    \b
    Example:  shipworthy history
              shipworthy history --series p95
              shipworthy history --unite origin
    """
    from rich.console import Console

    from shipworthy.cli.gauntlet import target_of
    from shipworthy.gauntlet.history.git import NoHistory, Ref
    from shipworthy.gauntlet.history.kept import past
    from shipworthy.gauntlet.history.record import written
    from shipworthy.gauntlet.report.over_time import print_history

    found = target_of(target, home)
    folder = Path(found.folder)
    try:
        if unite:
            came = Ref(folder).unite(unite)
            click.echo(f"{came} run{'' if came == 1 else 's'} came from {unite}.", err=True)
        kept = past(folder, found.name)
    except NoHistory as why:
        raise click.ClickException(f"there is no history: {why}") from None
    if as_json:
        for record in kept.runs:
            click.echo(written(record), nl=False)
    elif not kept.runs and not kept.unreadable:
        click.echo(f"No run of {found.name} was kept yet. shipworthy gauntlet keeps each whole run.")
    else:
        print_history(kept, Console(), pattern=series)
