"""`Room`: what one room declares to the composition root. Rooms never import one another."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipworthy.contract import manifest

if TYPE_CHECKING:
    from shipworthy.kernel.context import Ctx
    from shipworthy.kernel.db.queries import Catalogue
    from shipworthy.kernel.queue.job import JobKind
    from shipworthy.kernel.route import Route
    from shipworthy.kernel.runtime import Runtime
    from shipworthy.kernel.settings import Settings


NO_TENANT = ""  # the role of somebody who is signed in and acts for no tenant


@dataclass(frozen=True, kw_only=True)
class NavItem:
    """An entry of the console's navigation."""

    href: str
    label: str
    icon: str
    section: str


@dataclass(frozen=True, kw_only=True)
class SeedTenant:
    """A demo tenant being filled. `marker` is text that must stand in its data and nowhere else."""

    name: str
    email: str
    password: str
    marker: str
    site_host: str
    user_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class Room:
    """A feature room: routes, jobs, queries, migrations, and what the examiner may know of it.

    `permissions` maps a role (or NO_TENANT) to the permissions it holds in this room. `raw_lane`, where a
    room has one, is a plain ASGI application that answers every host that is not a console host.
    `on_start` prepares per-process state; `seed` writes one tenant's example data in that
    tenant's transaction; `volume_sql` fills tables for plan checks: it runs as the superuser
    once per tenant, with app.realm_id, app.tenant_id and volume.rows set. `sound` says what does not hold
    in one tenant's data; it is asked after a restore.
    """

    name: str
    folder: Path
    queries: Catalogue
    routes: tuple[Route, ...] = ()
    jobs: tuple[JobKind, ...] = ()
    nav: tuple[NavItem, ...] = ()
    permissions: dict[str, frozenset[str]] = field(default_factory=dict)
    tables: tuple[manifest.Table, ...] = ()
    samples: tuple[manifest.Sample, ...] = ()
    slos: Callable[[Settings], tuple[manifest.Slo, ...]] = lambda _: ()
    journeys: tuple[manifest.Journey, ...] = ()
    flows: tuple[manifest.Flow, ...] = ()
    oracles: tuple[manifest.Oracle, ...] = ()
    loads: tuple[manifest.NamedLoad, ...] = ()
    budgets: Callable[[Settings], tuple[manifest.Budget, ...]] = lambda _: ()
    login: manifest.Login | None = None
    oauth: tuple[manifest.OauthClient, ...] = ()
    tokens: Callable[[Settings], manifest.Tokens | None] = lambda _: None
    personal: tuple[str, ...] = ()
    flags: tuple[manifest.Flag, ...] = ()
    raw_lane: Callable[[Runtime], Any] | None = None
    lane_slo: str = ""  # the objective of what the raw lane answers; it counts under the room's name
    on_start: Callable[[Runtime], Awaitable[None]] | None = None
    on_stop: Callable[[Runtime], Awaitable[None]] | None = None
    seed: Callable[[Ctx, SeedTenant], Awaitable[None]] | None = None
    volume_sql: str | None = None
    sound: Callable[[Ctx], Awaitable[Sequence[str]]] | None = None
    stands_on: tuple[str, ...] = ()  # rooms whose tables its own refer to: they come before it

    @property
    def migrations(self) -> Path:
        return self.folder / "migrations"

    @property
    def templates(self) -> Path:
        return self.folder / "templates"

    @property
    def static(self) -> Path:
        return self.folder / "static"
