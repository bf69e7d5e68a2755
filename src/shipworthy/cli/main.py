"""`shipworthy`: the group. A command's module is imported only when the command is used."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from shipworthy import __version__
from shipworthy.cli.secretfiles import read_secret_files
from shipworthy.contract.strict import Undecodable
from shipworthy.contract.verdict import ExitCode

COMMANDS = {
    "new": "make a runnable app from a few words",
    "add": "add a room of the app's own, from its fields",
    "eject": "copy a room of ours into the app, to change it there",
    "upgrade": "bring the files that new wrote up to this version; edits stay",
    "up": "run the app here: database, web, worker, mail inbox",
    "deploy": "bring a version out step by step; it goes back by itself",
    "canary": "judge a new version where another system moves the traffic",
    "preview": "look at a branch at its own address, for a while",
    "gauntlet": "put an app through its trials and give a verdict",
    "explain": "say everything about a finding, or hand the report on to an agent, a code host, a CI server",
    "history": "show the runs that were kept, and what changed from run to run",
    "mcp": "let a coding agent read the findings and repeat them, over the Model Context Protocol",
    "init": "write a gauntlet.toml for an app that is not ours, from what it shows",
    "load": "offer an app its journeys, in one process or in shards",
    "fault": "break something of a running app for a while, and heal it",
    "slo": "show how the objectives stand, alert when one is broken, write rules for Prometheus",
    "describe": "print the app's manifest",
    "settings": "print the app's settings and where they come from",
    "flags": "list the feature flags, and what is owed for them",
    "migrate": "bring the database up to date, or take a step back",
    "backup": "take a backup of database, files and keys; list and check those there are",
    "restore": "bring a backup back at any moment, beside what runs, and verify it",
    "runbook": "build the operators' book, check that it is true, drill its pages",
    "calibrate": "measure password hashes here, and what sign-ins this host holds",
    "capacity": "say what a request and a row cost here, and what a target load takes",
    "tenant": "list the tenants of a database",
    "user": "look a person up, shut them out, let them in again",
    "audit": "verify the audit trail",
    "trace": "show what one request did, with the jobs it caused",
    "edge": "say what the edge turned away, and why",
    "completion": "print what lets a shell complete commands and options",
    "serve": "run one web process",
    "work": "run one worker",
}


class Commands(click.Group):
    """Finds a command's module by its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"shipworthy.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Answer from the list: to import every command for its help would take a second of each press of Tab."""
        names = [
            CompletionItem(name, help=what) for name, what in COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from difflib import get_close_matches

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, n=1)
            raise click.UsageError(
                f"no command {args[0]!r}" + (f"; did you mean {near[0]!r}?" if near else "")
            )
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="shipworthy")
def group() -> None:
    """Takes AI-generated apps from demo to dependable.

    \b
    Start:     shipworthy new plumber --rooms invoicing,site && cd plumber && shipworthy up
    Examine:   shipworthy gauntlet --quick
    """
    read_secret_files(os.environ)


def main() -> None:
    """Run the command line. Expected failures are one sentence and a documented exit code."""
    try:
        # click hands the code of its Exit back here; no command returns anything else.
        sys.exit(group.main(standalone_mode=False))
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(ExitCode.USAGE)
    except Undecodable as wrong:
        click.echo(f"Error: {wrong}", err=True)
        sys.exit(ExitCode.USAGE)
    except _expected() as wrong:
        click.echo(f"Error: {wrong}", err=True)
        sys.exit(ExitCode.USAGE)


def _expected() -> tuple[type[BaseException], ...]:
    """The refusals of parts that may not even be installed."""
    kinds: list[type[BaseException]] = []
    for module, name in (
        ("shipworthy.local.errors", "LocalServiceError"),
        ("shipworthy.delivery.errors", "DeliveryError"),
        ("shipworthy.kernel.errors", "Refusal"),
        ("shipworthy.kernel.db.migrate", "MigrationRefused"),
        ("shipworthy.builder.spec", "SpecRefused"),
    ):
        if module in sys.modules:
            kinds.append(getattr(sys.modules[module], name))
    return tuple(kinds)


if __name__ == "__main__":
    main()
