"""`shipworthy runbook`: build the book an app's operators need, check that it is true, drill its pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipworthy.cli.options import HOME

if TYPE_CHECKING:
    from shipworthy.cli.project import Project
    from shipworthy.runbook.drill import Report
    from shipworthy.runbook.facts import Facts
    from shipworthy.runbook.page import Page

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
EVIDENCE = "evidence"


@click.group("runbook")
def command() -> None:
    """The living runbook in the app's folder runbook/: pages whose steps are run by drills, as they stand there.

    \b
    Example:  shipworthy runbook build
              shipworthy runbook drill restore
              shipworthy runbook check
    """


@command.command("build")
@HOME
@_JSON
def build(home: Path | None, as_json: bool) -> None:
    """Write the runbook from what the app declares: service card, diagrams, a page per alert and error, procedures.

    A page that was drilled keeps its stamp; `check` says where it does not fit any more.

    \b
    Example:  shipworthy runbook build
    """
    from shipworthy.cli.project import load_project
    from shipworthy.local.errors import file_errors_explained
    from shipworthy.runbook.build import FOLDER, files

    project = load_project(home)
    folder = project.home / FOLDER
    present = _present(folder)
    wanted = files(facts_of(project), present=present)
    with file_errors_explained(folder):
        for path, text in wanted.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode())
        for path in set(present) - set(wanted):
            (folder / path).unlink()
    written = sorted(path for path, text in wanted.items() if present.get(path) != text)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "files": sorted(wanted), "written": written}))
        return
    click.echo(f"{folder}: {len(wanted)} files, {len(written)} written")


@command.command("check")
@HOME
@_JSON
def check(home: Path | None, as_json: bool) -> None:
    """Fail where a page is not what the app declares or what was drilled, an alert has no page, a drill is old.

    Exit code 1 on an error; a drill older than 30 days, and nobody on call, are warnings.

    \b
    Example:  shipworthy runbook check
    """
    from shipworthy.cli.project import load_project
    from shipworthy.contract.verdict import ExitCode
    from shipworthy.kernel.context import utc_now
    from shipworthy.runbook.build import FOLDER
    from shipworthy.runbook.check import check as problems_of

    project = load_project(home)
    present = _present(project.home / FOLDER)
    found = problems_of(facts_of(project), present=present, now=utc_now())
    errors = [problem for problem in found if problem.severity == "error"]
    if as_json:
        click.echo(json.dumps([vars(problem) for problem in found], indent=1))
    else:
        for problem in found:
            colour = "red" if problem.severity == "error" else "yellow"
            click.echo(f"{click.style(problem.severity, fg=colour):18} {problem.subject}: {problem.sentence}")
        click.echo(f"{len(errors)} errors, {len(found) - len(errors)} warnings")
    if errors:
        raise click.exceptions.Exit(ExitCode.FAIL)


@command.command("drill")
@click.argument("pages", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every page.")
@HOME
@_JSON
def drill(pages: tuple[str, ...], is_all: bool, home: Path | None, as_json: bool) -> None:
    """Run a page's own steps on a copy of the app, with its fault injected; time detection and repair; stamp the page.

    The copy has a database of its own with example data, and nothing of it is left. Exit code 1 where a page failed.

    \b
    Example:  shipworthy runbook drill restore
              shipworthy runbook drill --all --json
    """
    import asyncio

    from shipworthy.cli.project import load_project
    from shipworthy.contract.verdict import ExitCode
    from shipworthy.runbook.build import FOLDER
    from shipworthy.runbook.markdown import parse
    from shipworthy.runbook.page import PageInvalid

    project = load_project(home)
    present = _present(project.home / FOLDER)
    try:
        known = {
            path[:-3]: parse(text, name=path[:-3])
            for path, text in present.items()
            if path.endswith(".md") and "/" not in path and path != "README.md"
        }
    except PageInvalid as broken:
        raise click.UsageError(str(broken)) from broken
    chosen = list(known.values()) if is_all else [_chosen(name, known) for name in pages]
    if not chosen:
        raise click.UsageError(
            "name a page, or --all" if known else "there is no runbook yet: shipworthy runbook build"
        )
    reports = asyncio.run(drilled(project, chosen, say=None if as_json else _say))
    if as_json:
        click.echo(json.dumps([{**vars(report), "outcomes": len(report.outcomes), "result": report.result} for report in reports], indent=1))  # fmt: skip
    if any(report.why for report in reports):
        raise click.exceptions.Exit(ExitCode.FAIL)


def facts_of(project: Project) -> Facts:
    """Return what the runbook is drawn from. Cost: some three seconds, a database is migrated for its catalogue."""
    from shipworthy.kernel.describe import describe
    from shipworthy.kernel.refusals import refusals_in
    from shipworthy.runbook.facts import ErrorCode, Facts, OnCall

    kernel = Path(__file__).parent.parent / "kernel"
    codes = refusals_in(kernel, *(room.folder for room in project.rooms))
    said, raci = project.settings.oncall, project.settings.raci
    return Facts(
        manifest=describe(project.settings, project.rooms),
        codes=tuple(
            ErrorCode(code=code, status=status, says=says) for code, (status, says) in sorted(codes.items())
        ),
        columns=_catalogue(project),
        oncall=OnCall(
            people=said.people, begins=said.begins, hour_utc=said.hour_utc, shift_days=said.shift_days
        ),
        raci={
            name: {role: who for role, who in vars(duty).items() if who} for name, duty in vars(raci).items()
        },
    )


def _catalogue(project: Project) -> tuple[Any, ...]:
    """The schema as PostgreSQL knows it once every migration is applied, in a database that is thrown away."""
    import asyncio
    import shutil
    import tempfile

    from shipworthy.kernel.app import migrations_of
    from shipworthy.kernel.db.catalogue import columns_after
    from shipworthy.local.postgres import EmbeddedPostgres
    from shipworthy.runbook.diagrams import Column

    folder = Path(tempfile.mkdtemp(prefix="shipworthy-runbook-"))
    folder.chmod(0o755)
    try:
        with EmbeddedPostgres(
            folder / "state", settings={"fsync": "off", "synchronous_commit": "off"}
        ) as address:
            found = asyncio.run(columns_after(address.url("catalogue"), migrations_of(project.rooms)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tuple(Column(**column) for column in found)


async def drilled(
    project: Project,
    pages: Sequence[Page],
    *,
    say: Callable[[Report], None] | None = None,
    is_stamped: bool = True,
) -> list[Report]:
    """Drill pages one after the other on one copy of the app; stamp each unless they are somebody's experiment."""
    from shipworthy.cli.hands import AppHands
    from shipworthy.cli.scratch import scratch_app
    from shipworthy.kernel.describe import describe
    from shipworthy.runbook.drill import drill as run

    manifest, reports = describe(project.settings, project.rooms), []
    if say:
        click.echo(click.style("a copy of the app is starting", dim=True), err=True)
    async with scratch_app(project.home, manifest) as app:
        for page in pages:
            hands = AppHands(app, manifest, page)
            await hands.prepare()
            report = await run(page, hands)
            reports.append(report)
            if is_stamped:
                await _stamp(project, page, report)
            if say:
                say(report)
    return reports


async def _stamp(project: Project, page: Page, report: Report) -> None:
    """Write the stamp into the page, the evidence beside it, and a row into the audit trail where there is one."""
    from dataclasses import replace

    from shipworthy.kernel.context import utc_now
    from shipworthy.runbook.build import FOLDER
    from shipworthy.runbook.markdown import write

    folder = project.home / FOLDER
    stamp = report.stamp(date=utc_now().isoformat(timespec="seconds"), commit=_commit(project.home))
    (folder / EVIDENCE).mkdir(exist_ok=True)
    (folder / EVIDENCE / f"{page.name}.json").write_text(report.evidence, encoding="utf-8")
    (folder / f"{page.name}.md").write_text(write(replace(page, stamp=stamp)), encoding="utf-8")
    await _audited(project, page.name, {"commit": stamp.commit, "result": stamp.result, "page": stamp.page, "evidence": stamp.evidence})  # fmt: skip


async def _audited(project: Project, page: str, detail: dict[str, str]) -> None:
    import asyncio
    import uuid
    from contextlib import ExitStack
    from dataclasses import replace

    from shipworthy.cli.backup import state_of
    from shipworthy.cli.stack import DATABASE, installation_of
    from shipworthy.kernel.app import running
    from shipworthy.kernel.audit.record import record
    from shipworthy.kernel.context import Ctx, Scope
    from shipworthy.local.errors import DatabaseMissing
    from shipworthy.local.postgres import EmbeddedPostgres

    state = state_of(project, None)
    with ExitStack() as stack:
        try:
            address = await asyncio.to_thread(stack.enter_context, EmbeddedPostgres(state.path).reached())
        except DatabaseMissing:
            return  # the app never ran here: the page and its evidence are all there is
        installation = installation_of(state, address.url(DATABASE))
        settings = replace(project.settings, sessions=replace(project.settings.sessions, store="postgres"))
        async with running(settings, project.rooms, installation) as runtime:
            ctx = Ctx(scope=Scope(runtime.realm_id), runtime=runtime, trace_id=uuid.uuid4().hex)
            async with ctx.begin() as tx:
                await record(ctx, "runbook.drilled", of="page", id=page, detail=detail, tx=tx)


def _say(report: Report) -> None:
    mark = click.style("failed", fg="red") if report.why else click.style("passed", fg="green")
    times = [f"{what} in {value:.1f} s" for what, value in (("detected", report.detected_s), ("repaired", report.repaired_s)) if value is not None]  # fmt: skip
    click.echo(f"{mark}  {report.page:28} {', '.join(times)}{report.why and '  ' + report.why}")


def _chosen(name: str, known: dict[str, Page]) -> Page:
    from difflib import get_close_matches

    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    hint = (
        f"did you mean {near[0]!r}?"
        if near
        else f"there are {', '.join(known) or 'none: shipworthy runbook build'}"
    )
    raise click.UsageError(f"there is no page {name!r}; {hint}")


def _present(folder: Path) -> dict[str, str]:
    """The runbook's files that are there; evidence is nobody's to build."""
    return {
        str(path.relative_to(folder)): path.read_bytes().decode("utf-8", "replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] != EVIDENCE
    }


def _commit(home: Path) -> str:
    import subprocess

    done = subprocess.run(
        ["git", "-C", str(home), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout.strip()[:12] or "none"
