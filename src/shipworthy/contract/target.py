"""Targets: what is examined (`gauntlet.toml`) and the handle of a running instance.

A target says how to start the app. The handle is what an instance answers once it runs:
addresses, process ids, database addresses and two tenants' credentials. Our own apps write
it themselves (`shipworthy up --handle FILE`); for a stranger the examiner fills in what it
knows. What a handle does not hold cannot be measured, and is reported so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from shipworthy.contract.manifest import (
    Budget,
    CodeCommand,
    Flow,
    Journey,
    Login,
    Manifest,
    Migrations,
    NamedLoad,
    OauthClient,
    Oracle,
    Sample,
    Scope,
    Slo,
    Tokens,
)


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A seeded person of one tenant. `marker` is text that stands only in this tenant's data."""

    email: str
    password: str
    tenant_id: str = ""
    realm_id: str = ""
    tenant: str = ""
    marker: str = ""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process of the instance that a drill may end; it is restarted by its own supervisor."""

    name: str  # web | worker | database | mail
    pid: int


@dataclass(frozen=True, kw_only=True)
class Handle:
    """A running instance. Written as JSON by whoever started it."""

    base_url: str
    site_url: str | None = None
    pid: int | None = None  # the process that stops the whole instance on SIGTERM
    processes: tuple[Process, ...] = ()
    database_urls: dict[str, str] = field(default_factory=dict)  # role -> URL; "admin" may lock and kill
    tenants: tuple[Credential, ...] = ()
    started_in_s: float | None = None
    log_files: tuple[str, ...] = ()
    mail_url: str | None = None  # the development inbox's page; beside it mails.json, the newest mail first
    clock_file: str | None = None  # moves the app's clock: "SECONDS UNTIL" (see faults/clock_shift.py)
    through: dict[str, str] = field(
        default_factory=dict
    )  # need -> address of the examiner's it is reached by
    addresses: dict[str, str] = field(
        default_factory=dict
    )  # of names on another machine: where each is reached


@dataclass(frozen=True, kw_only=True)
class TargetSection:
    """[target] of gauntlet.toml."""

    name: str
    start: str | None = None  # shell-like command; {port}, {dir} and {database} are filled in
    url: str | None = None  # examine an instance that already runs
    asgi: str | None = None  # "main:app": imported and served by the app's own Python, instead of start
    wsgi: str | None = None  # likewise, "shop.wsgi:application"
    python: str = "{python}"  # the app's own, ".venv/bin/python"; else the one that runs the examiner
    address: str | None = None  # where the host in url is reached, instead of where its name leads
    health: str = "/"
    openapi: str = ""  # the path at which it serves its OpenAPI document, e.g. "/openapi.json"
    start_timeout_s: float = 60.0
    workdir: str = "."
    env: dict[str, str] = field(default_factory=dict)
    database: str | None = None  # postgresql:// address of the app's own role
    database_admin: str | None = None  # of one that sees every row: what the app's may see is held against it
    allow_faults: bool = False


@dataclass(frozen=True, kw_only=True)
class RouteSection:
    """[[route]] of gauntlet.toml: a route a stranger wants examined."""

    method: str = "GET"
    path: str
    expect: tuple[int, ...] = (200,)
    json: dict[str, Any] | None = None
    idempotency: Literal["none", "key"] = "none"
    queries_max: int | None = None
    auth: Literal["public", "session"] = "public"


@dataclass(frozen=True, kw_only=True)
class GauntletFile:
    """gauntlet.toml, whole. Every section but [target] may be left out."""

    target: TargetSection
    slo: tuple[Slo, ...] = ()
    journey: tuple[Journey, ...] = ()
    flow: tuple[Flow, ...] = ()
    route: tuple[RouteSection, ...] = ()
    budget: tuple[Budget, ...] = ()
    login: Login | None = None
    credential: tuple[Credential, ...] = ()
    sample: tuple[Sample, ...] = ()
    oracle: tuple[Oracle, ...] = ()
    load: tuple[NamedLoad, ...] = ()
    oauth: tuple[OauthClient, ...] = ()
    tokens: Tokens | None = None
    migrations: Migrations | None = None
    scope: Scope = field(default_factory=Scope)
    code: tuple[CodeCommand, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target resolved: the manifest (a stranger's may be nearly empty) and how to start it."""

    name: str
    kind: Literal["shipworthy", "command", "url"]
    manifest: Manifest
    start: tuple[str, ...] | None = None
    url: str | None = None
    address: str | None = None
    health: str = "/"
    start_timeout_s: float = 60.0
    workdir: str = "."
    folder: str = "."  # where its file lies, and with it the code of its journeys
    env: dict[str, str] = field(default_factory=dict)
    database: str | None = None
    database_admin: str | None = None
    allow_faults: bool = False
    credentials: tuple[Credential, ...] = ()

    @property
    def database_urls(self) -> dict[str, str]:
        """The addresses of PostgreSQL that the file gives, by role."""
        given = {"app": self.database, "admin": self.database_admin}
        return {role: url for role, url in given.items() if url and not _other_store(url)}

    @property
    def other_store(self) -> str:
        """What the app keeps its data in where that is not PostgreSQL ("mysql"); empty where it is, or is not said."""
        return _other_store(self.database or "")


def _other_store(url: str) -> str:
    scheme = url.partition(":")[0].partition("+")[0].lower()
    return "" if scheme in ("", "postgresql", "postgres") else scheme
