"""An app filled once, of which any number of copies can be examined, each changed in its own way.

Owns the template (a scaffolded app, its state, and its database in a cluster of its own) and its
copies: a cloned database, prepared state, and a copy of our sources where those are changed. The
examiner is never the changed one: only the app's own command sees the copy.
"""

from __future__ import annotations

import json
import shutil
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import shipworthy
from shipworthy.local.postgres import EmbeddedPostgres, PostgresAddress
from tests.support import prepared_app
from tests.support.postgres import QUICK, open_directory, run_sql
from tests.support.up import scaffold, up

SOURCES = Path(shipworthy.__file__).parent
JOBS_TIMEOUT_S = 60.0
_BY_URL = '\n[db]\nprovider = "url"\n'


class PatchRefused(AssertionError):
    """A patch does not fit the sources any more; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Patch:
    """In `file` (below src/shipworthy) the text `old`, which stands there once, becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Written:
    """A file that stands in the app's own folder."""

    file: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Template:
    """The filled app: where it lives, and the database and state its copies are made of."""

    address: PostgresAddress
    workshop: Path
    database: str = "template_product"

    @property
    def home(self) -> Path:
        return self.workshop / "app"

    @property
    def state(self) -> Path:
        return self.workshop / "state"


@contextmanager
def filled_template(*, rooms: str = "invoicing") -> Iterator[Template]:
    """Scaffold an app, fill it as the examiner would (`up --seed volume`) and stop it again.

    Cost:    once, some fifteen seconds; a copy takes a fraction of one.
    """
    with open_directory() as workshop:
        server = EmbeddedPostgres(workshop / ".shipworthy", settings=QUICK)
        try:
            template = Template(address=server.start(), workshop=workshop)
            _fill(template, rooms)
            yield template
        finally:
            server.stop()


@contextmanager
def folder_with(template: Template, written: Sequence[Written]) -> Iterator[Path]:
    """Yield the folder of the app; with files written into it, that of a copy."""
    if not written:
        yield template.home
        return
    folder = template.workshop / f"app_{uuid.uuid4().hex[:12]}"
    shutil.copytree(template.home, folder)
    try:
        for one in written:
            (folder / one.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / one.file).write_text(one.text, encoding="utf-8")
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def copied(
    template: Template, *, sql: Sequence[str] = (), patches: Sequence[Patch] = ()
) -> Iterator[tuple[str, ...]]:
    """Yield the command of a copy: with `sql` run in its database as the superuser, and with
    `patches` in the sources it runs.

    Errors:  PatchRefused.
    """
    name = f"copy_{uuid.uuid4().hex[:12]}"
    folder = template.workshop / name
    folder.mkdir()
    try:
        env = {"SHIPWORTHY_DB_URL_ADMIN": template.address.url(name)}
        if patches:
            env["PYTHONPATH"] = str(patched_sources(folder / "src", patches))
        facts = folder / "facts.json"
        facts.write_text(json.dumps({"env": env, "state": str(template.state)}), encoding="utf-8")
        # What earlier copies ran would fill up the space the examiner counts statements in.
        run_sql(template.address, "create extension if not exists pg_stat_statements")
        run_sql(template.address, "select pg_stat_statements_reset()")
        run_sql(
            template.address, f'create database "{name}" template "{template.database}" strategy file_copy'
        )
        for statement in sql:
            run_sql(template.address, statement, database=name)
        yield sys.executable, str(Path(prepared_app.__file__)), str(facts)
    finally:
        run_sql(template.address, f'drop database if exists "{name}" with (force)')
        shutil.rmtree(folder)


def patched_sources(folder: Path, patches: Sequence[Patch]) -> Path:
    """Copy our package into `folder` with `patches` applied; return what PYTHONPATH must name.

    Errors:  PatchRefused where a text does not stand exactly once in its file.
    """
    package = folder / SOURCES.name
    shutil.copytree(SOURCES, package)
    for patch in patches:
        path = package / patch.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if (times := text.count(patch.old)) != 1:
            raise PatchRefused(
                f"The patch no longer applies: what it replaces stands {times} times in {patch.file}, "
                f"not once. It begins {patch.old.strip().splitlines()[0]!r}."
            )
        path.write_text(text.replace(patch.old, patch.new), encoding="utf-8")
    return folder


class Templates:
    """The filled apps by the rooms they have, each made when it is first asked for, and kept as long as `kept`."""

    def __init__(self, kept: ExitStack) -> None:
        self._kept = kept
        self._made: dict[str, Template] = {}

    def of(self, rooms: str) -> Template:
        if rooms not in self._made:
            self._made[rooms] = self._kept.enter_context(filled_template(rooms=rooms))
        return self._made[rooms]


def _fill(template: Template, rooms: str) -> None:
    scaffold(template.home, rooms=rooms)
    with (template.home / "app.toml").open("a", encoding="utf-8") as settings:
        settings.write(_BY_URL)
    arguments = ("--seed", "volume", "--port", "0", "--state", str(template.state))
    env = {"SHIPWORTHY_DB_URL_ADMIN": template.address.url(template.database)}
    with up(template.home, *arguments, handle=template.workshop / "template.json", env=env) as running:
        # The invoices of the example data are printed by jobs; a copy must find them printed.
        running.wait_until(
            lambda: _count(template, "pgqueuer") == 0,
            "the jobs of the example data are done",
            timeout_s=JOBS_TIMEOUT_S,
        )


def _count(template: Template, table: str) -> int:
    return int(run_sql(template.address, f"select count(*) from {table}", database=template.database))
