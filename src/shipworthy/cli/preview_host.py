"""The process behind `shipworthy preview`: one database server and any number of previews of one app.

Started by the first `preview up`, gone with the last preview. A preview lives as long as it was lent
for, whatever becomes of the command that asked. When this process is killed, its children end with it
(lifeline.py), and the shell that started it has the rest swept away (preview.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from shipworthy.cli.preview_template import Templates
from shipworthy.cli.project import STATE_FOLDER, Project, load_project
from shipworthy.cli.stack import SECRETS, Options, Running, stack
from shipworthy.cli.through import through_from
from shipworthy.contract.strict import Undecodable
from shipworthy.kernel.context import utc_now
from shipworthy.kernel.db.clone import clone_database, database_url, databases_like, drop_database
from shipworthy.kernel.db.migrate import MigrationRefused
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.seed import DEMO_TENANTS
from shipworthy.kernel.settings import APP_FILE
from shipworthy.local.checkout import check_out, name_of
from shipworthy.local.errors import (
    CheckoutFailed,
    DiskFull,
    LocalServiceError,
    PreviewFailed,
    PreviewRefused,
    disk_full,
    file_errors_explained,
)
from shipworthy.local.hostline import Say
from shipworthy.local.postgres import EmbeddedPostgres
from shipworthy.local.processes import to_its_end
from shipworthy.local.statedir import StateDir

PREVIEWS_MAX = 12  # at once: each takes some 300 MB, and twenty connections of the server's
# A lost preview is made anew, so nobody waits for its commits to be safe; the files stay sound (fsync).
_SETTINGS = {"synchronous_commit": "off", "max_connections": "300"}
_UNUSED_S_MAX = 60.0  # a host that nobody asks for anything
_SITE_NAMES = {slug for _, slug in DEMO_TENANTS}  # acme.localhost is a website of the example data


def folder_of(home: Path) -> Path:
    """Return where everything of an app's previews lies."""
    return home / STATE_FOLDER / "previews"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What `preview up` asks for. Units: `ttl_s` seconds."""

    branch: str
    name: str
    ttl_s: float
    seed: str
    port: int
    environment: Mapping[str, str]


@dataclass(kw_only=True)
class _Preview:
    name: str
    branch: str
    ends_at: datetime
    facts: dict[str, Any] = field(default_factory=dict)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def end(self) -> None:
        """End it, at once where it is still starting; a start that misses this (bpo-37658) ends when it is through."""
        self.stop.set()
        if self.task is not None and not self.ready.is_set():
            self.task.cancel()


class PreviewHost:
    """The previews of the app in `home`."""

    def __init__(self, home: Path, *, log: Say) -> None:
        self._home, self._log = home, log
        self._state = StateDir(folder_of(home))
        self._running = self._state.path / "running"
        templates = self._state.path / "templates"
        templates.mkdir(exist_ok=True, mode=0o711)
        self._running.mkdir(exist_ok=True, mode=0o711)
        self._templates = Templates(templates, self._state.secrets_file)
        self._server = EmbeddedPostgres(self._state.path, settings=_SETTINGS)
        self._starting: asyncio.Future[str] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._previews: dict[str, _Preview] = {}
        self._asking = 0
        self._changed = asyncio.Event()

    async def answer(self, asked: dict[str, Any], say: Say) -> dict[str, Any]:
        """Do one thing that a command asks for.

        Errors:  LocalServiceError, its message for a person.
        """
        self._asking += 1
        try:
            match asked.pop("do"):
                case "up":
                    return await self._up(Wish(**asked), say)
                case "list":
                    return {"previews": [_seen(p) for p in self._previews.values()]}
                case "down":
                    return {"ended": await self._down(asked["name"])}
            raise LocalServiceError("This version of shipworthy knows no such wish.")
        finally:
            self._asking -= 1
            self._changed.set()

    async def until_unused(self) -> None:
        """Return when there is no preview and nobody asks for one."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), _UNUSED_S_MAX)
        while not self.is_unused:
            self._changed.clear()
            await self._changed.wait()

    @property
    def is_unused(self) -> bool:
        return not self._previews and not self._asking

    async def clear(self) -> None:
        """Delete what a killed host left on disk: checkouts, clones, half-built templates."""
        for left in self._running.iterdir():
            await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)
        if self._server.status().state != "absent":
            await self._admin_url()

    async def close(self) -> None:
        """End every preview and the server."""
        await self._down("")
        if self._starting is not None:
            await asyncio.wait([self._starting])
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await asyncio.to_thread(self._server.stop)

    async def _up(self, wish: Wish, say: Say) -> dict[str, Any]:
        name = wish.name or name_of(wish.branch)
        name = f"{name}-preview" if name in _SITE_NAMES else name
        if known := self._previews.get(name):
            where = known.facts.get("url", "it is just starting")
            raise PreviewRefused(
                f"A preview {name!r} is up already ({where}). End it first: shipworthy preview down {name}. "
                "Or give this one another name: --name NAME."
            )
        if len(self._previews) >= PREVIEWS_MAX:
            raise PreviewRefused(
                f"{PREVIEWS_MAX} previews are up, and this machine takes no more. End one first: shipworthy preview list."
            )
        ends_at = utc_now() + timedelta(seconds=wish.ttl_s)
        preview = self._previews[name] = _Preview(name=name, branch=wish.branch, ends_at=ends_at)
        preview.task = asyncio.create_task(self._live(preview, wish, say))
        ready = asyncio.create_task(preview.ready.wait())
        try:
            await asyncio.wait({preview.task, ready}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # whoever asked is gone before it was there: nobody knows of it
            preview.end()
            await asyncio.wait([preview.task])
            raise
        finally:
            ready.cancel()
        if preview.task.done():
            preview.task.result()
            raise PreviewFailed(f"The preview {name!r} was ended before it was ready.")
        return preview.facts

    async def _down(self, name: str) -> list[str]:
        ending = [p for p in self._previews.values() if name in ("", p.name)]
        if not ending and name:
            known = ", ".join(self._previews) or "none"
            raise PreviewRefused(f"There is no preview {name!r}. There is: {known}.")
        for preview in ending:
            preview.end()
        await asyncio.gather(*(p.task for p in ending if p.task), return_exceptions=True)
        return [p.name for p in ending]

    async def _live(self, preview: _Preview, wish: Wish, say: Say) -> None:
        """One preview's life: laid out, cloned, started; until it is ended or its time is over."""
        began = time.monotonic()
        folder = self._running / preview.name
        database = f"preview_{secrets.token_hex(6)}"
        try:
            project, commit = await self._laid_out(wish, folder / "app", say)
            admin_url = await self._admin_url()
            template = await self._templates.ready(
                project, admin_url, seed=wish.seed, environment=wish.environment, say=say
            )
            await clone_database(admin_url, template=template.database, name=database)
            state = folder / "state"
            with file_errors_explained(folder):
                await to_its_end(lambda: shutil.copytree(template.state, state))
            options = Options(
                state=state,
                port=wish.port,
                seed=wish.seed,
                handle=folder / "handle.json",
                host=f"{preview.name}.localhost",
                database_url=database_url(admin_url, database),
                environment=wish.environment,
                through=through_from(wish.environment),
                say=lambda line: self._tell(preview, say, line),
            )
            async with stack(project, options) as running:
                preview.ends_at = utc_now() + timedelta(seconds=wish.ttl_s)  # it is lent from now on
                preview.facts = {
                    **_facts(project, running, options),
                    "name": preview.name,
                    "branch": wish.branch,
                    "commit": commit,
                    "ends_at": preview.ends_at.isoformat(timespec="seconds"),
                    "template_built_in_s": template.built_in_s and round(template.built_in_s, 2),
                    "ready_in_s": round(time.monotonic() - began, 2),
                }
                preview.ready.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(preview.stop.wait(), wish.ttl_s)
        except (Refusal, MigrationRefused, Undecodable, click.UsageError) as refused:
            raise _full_or(refused, self._state.path) from refused
        except LocalServiceError:
            raise
        except Exception as crash:
            self._log(f"{preview.name}: {crash!r}")
            raise PreviewFailed(
                f"The preview {preview.name!r} failed: {type(crash).__name__}: {crash}"
            ) from crash
        finally:
            await asyncio.shield(self._cleared(preview, folder, database))

    async def _laid_out(self, wish: Wish, into: Path, say: Say) -> tuple[Project, str]:
        say(f"files: laying out {wish.branch}")
        checkout = await to_its_end(lambda: check_out(self._home, wish.branch, into=into))
        if not (checkout.folder / APP_FILE).is_file():
            raise CheckoutFailed(
                f"There is no {APP_FILE} in this folder on {wish.branch!r}, so it holds no app."
            )
        return load_project(checkout.folder), checkout.commit

    async def _cleared(self, preview: _Preview, folder: Path, database: str) -> None:
        try:
            if self._starting is not None and self._starting.done() and not self._starting.exception():
                with contextlib.suppress(Refusal):  # a server that is gone is swept when it is back
                    await drop_database(self._starting.result(), database)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        finally:
            del self._previews[preview.name]
            self._changed.set()

    async def _admin_url(self) -> str:
        """Start the server with the first who needs it. Errors: LocalServiceError."""
        if self._starting is None or (self._starting.done() and self._starting.exception()):
            self._starting = asyncio.ensure_future(self._started())
        return await asyncio.shield(self._starting)

    async def _started(self) -> str:
        address = await asyncio.to_thread(self._server.start)
        self._keeper = asyncio.create_task(self._server.keep_running(on_change=lambda _address: None))
        admin_url = address.url()
        for name in await databases_like(admin_url, "preview_"):
            await drop_database(admin_url, name)
        await self._templates.clear(admin_url)
        # Roles are the whole server's: a template that made passwords of its own would shut the others out.
        for name in SECRETS:
            self._state.secret(name)
        return admin_url

    def _tell(self, preview: _Preview, say: Say, line: str) -> None:
        (self._log if preview.ready.is_set() else say)(
            f"{preview.name}: {line}" if preview.ready.is_set() else line
        )


def _seen(preview: _Preview) -> dict[str, Any]:
    known = {
        "name": preview.name,
        "branch": preview.branch,
        "state": "ready" if preview.ready.is_set() else "starting",
    }
    left_s = max(0, round((preview.ends_at - utc_now()).total_seconds()))
    return {**known, **preview.facts, "left_s": left_s}


def _facts(project: Project, running: Running, options: Options) -> dict[str, Any]:
    port = running.base_url.rpartition(":")[2]
    has_sites = any(room.raw_lane for room in project.rooms)
    return {
        "app": project.settings.app.name,
        "url": running.base_url,
        "mail": running.mail_page,
        "websites": [f"http://{tenant.site_host}:{port}" for tenant in running.tenants] if has_sites else [],
        "people": [{"email": t.email, "password": t.password, "tenant": t.name} for t in running.tenants],
        "handle": str(options.handle),
    }


def _full_or(refused: Exception, folder: Path) -> LocalServiceError:
    """The one sentence of a full disk, whoever noticed; else the refusal's own words."""
    if getattr(refused, "code", "") == "database.disk_full":
        return disk_full(folder)
    message = refused.message if isinstance(refused, (Refusal, click.ClickException)) else str(refused)
    return refused if isinstance(refused, DiskFull) else PreviewFailed(message)
