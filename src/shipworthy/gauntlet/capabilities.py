"""Capabilities: what can be examined on a target, and what to do about what cannot.

Before the start the target and its manifest say what may be expected; once the instance runs,
its handle says what is there. A capability is a plain word, so that the plan can print it.
"""

from __future__ import annotations

import importlib.util
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.gauntlet.browser import browser_path
from shipworthy.gauntlet.politeness import REQUESTS_PER_S_MAX
from shipworthy.gauntlet.snapshot import LOCK_FILE

_LISTS = (
    "routes",
    "queries",
    "tables",
    "indexes",
    "samples",
    "jobs",
    "slos",
    "journeys",
    "flows",
    "budgets",
    "oracles",
    "oauth",
)


def expected(target: Target) -> frozenset[str]:
    """Return what may be counted on before the instance is started."""
    found = {"http", *_of_manifest(target.manifest), *_of_people(target.credentials)}
    if target.kind == "shipworthy":
        # Our own apps write all of this into their handle; what is missing is seen after the start.
        found |= {"site", "started", "logs", "clock", "tenants.1", "tenants.2", "tenants.2.ids", "restarts"}
        found |= {f"database.{role}" for role in ("any", "admin", "app", "worker", "reader", "auditor")}
        found |= {f"process.{name}" for name in ("web", "worker", "database", "mail")}
        found.add("deployable")
    found |= {f"proxy.{name}" for name in fronted(target)}
    if target.kind == "command":
        found |= {"started", "logs", "process.web"}
    if target.kind != "url" or is_loopback(urlsplit(target.url or "//localhost").hostname or ""):
        found.add("any_rate")
    if has_files(target):
        found.add("files")
    if has_lock(target):
        found.add("lock")
    if addresses := target.database_urls:
        found |= {"database.any", *(f"database.{role}" for role in addresses)}
    return frozenset(found | set(_of_machine()))


def has_files(target: Target) -> bool:
    """Say whether the app's files are here: of one that only answers at an address they are not."""
    return target.kind != "url" and Path(target.folder).is_dir()


def has_lock(target: Target) -> bool:
    """Say whether somebody has accepted how the app asks its database."""
    return (Path(target.folder) / LOCK_FILE).is_file()


def present(target: Target, handle: Handle) -> frozenset[str]:
    """Return what a running instance offers."""
    people = handle.tenants or target.credentials
    found = {"http", *_of_manifest(target.manifest), *_of_people(people), *_of_machine()}
    found |= {f"database.{role}" for role in handle.database_urls}
    found |= {"database.any"} if handle.database_urls else set()
    found |= {f"process.{process.name}" for process in handle.processes}
    found |= {"site"} if handle.site_url else set()
    found |= {"logs"} if handle.log_files else set()
    found |= {"clock"} if handle.clock_file else set()
    found |= {"started"} if handle.started_in_s is not None else set()
    found |= {"files"} if has_files(target) else set()
    found |= {"lock"} if has_lock(target) else set()
    found |= {"restarts", "deployable"} if target.kind == "shipworthy" else set()
    found |= {"any_rate"} if not handle.addresses else set()
    return frozenset(found)


def fronted(target: Target) -> frozenset[str]:
    """Return what the examiner can put a proxy before when it starts the target."""
    found = {"oidc"} if target.manifest.oauth and target.start else set()
    if target.kind == "shipworthy":
        found |= {"database", "mail"}
    words = (*(target.start or ()), *target.env.values())
    if target.kind == "command" and target.database and any("{database}" in word for word in words):
        found |= {"database"}
    return frozenset(found)


def fault_refused(target: Target, fault: str) -> str:
    """Return why this fault may not be inflicted on this target; empty when it may."""
    host = urlsplit(target.url).hostname if target.url else "localhost"
    if not is_loopback(host or ""):
        return f"{fault} is inflicted on this machine only, and {host} is another one."
    if target.allow_faults or fault in target.manifest.faults_allowed:
        return ""
    return f"The target does not allow {fault}."


def is_loopback(host: str) -> bool:
    """Say whether a host name means this machine, without asking a resolver."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name: whatever it resolves to today, it is not ours to attack
        return False


def lack(capability: str, *, other_store: str = "") -> tuple[str, str]:
    """Return why a check that needs `capability` is not measured, and how to make it measurable.

    `other_store` is what the app keeps its data in where that is not PostgreSQL.
    """
    if other_store and capability.startswith("database."):
        return (
            f"The app keeps its data in {other_store}, and what a request makes a database do is read from PostgreSQL only.",
            "Run the app on PostgreSQL, where it can; where it cannot, this stays not measured.",
        )
    known = _LACKS.get(capability)
    if known is None and (family := capability.partition(".")[0] + ".*") in _LACKS:
        why, fix = _LACKS[family]
        part = capability.partition(".")[2]
        known = (why.format(part=part), fix.format(part=part))
    return known or (f"The target does not offer {capability!r}.", "")


def _of_manifest(manifest: Manifest) -> Iterator[str]:
    yield from (name for name in _LISTS if getattr(manifest, name))
    yield from (f"loads.{load.kind}" for load in manifest.loads)
    if manifest.login is not None:
        yield "login"
    if manifest.tokens is not None:
        yield "tokens"
    if manifest.migrations is not None:
        yield "migrations"
        if manifest.migrations.files:
            yield "migrations.files"
    if manifest.openapi or any(route.body or route.returns for route in manifest.routes):
        yield "described"
    if any(route.idempotency == "key" for route in manifest.routes):
        yield "idempotency"
    if any(route.auth == "session" for route in manifest.routes):
        yield "routes.session"


def _of_people(people: tuple[Credential, ...]) -> Iterator[str]:
    tenants = {person.tenant_id or person.tenant or person.marker or person.email for person in people}
    yield from (f"tenants.{n}" for n in (1, 2) if len(tenants) >= n)
    if len({person.tenant_id for person in people if person.tenant_id}) >= 2:
        yield "tenants.2.ids"


def _of_machine() -> Iterator[str]:
    if browser_path():
        yield "browser"
    if has_envoy():
        yield "front"


def has_envoy() -> bool:
    """Say whether Envoy lies beside this interpreter; its wheel brings the program along."""
    spec = importlib.util.find_spec("envoy")
    places = (spec.submodule_search_locations or []) if spec else []
    return any((Path(place) / "_bin" / "envoy").is_file() for place in places)


_GAUNTLET = "gauntlet.toml"
_DECLARE = "Only an app with a manifest can say so (see docs: manifest)."
_LACKS = {
    "login": ("The target does not say how a person signs in.", f"Add [login] to {_GAUNTLET}."),
    "tenants.1": ("No person can sign in.", f"Add a [[credential]] to {_GAUNTLET}."),
    "tenants.2": (
        "Fewer than two tenants can sign in, so nothing of a neighbour can be asked for.",
        f"Add a [[credential]] of a second tenant, with its marker, to {_GAUNTLET}.",
    ),
    "tenants.2.ids": (
        "The ids of two tenants are not known, so the database cannot be asked as one of them.",
        f"Give tenant_id with each [[credential]] in {_GAUNTLET}.",
    ),
    "database.*": (
        "The address of the database for role {part} is not known.",
        f"Set target.database in {_GAUNTLET} to the PostgreSQL address the app uses.",
    ),
    "database.admin": (
        "No administrator's database address is known, so what a role should see cannot be compared.",
        f"Set target.database_admin in {_GAUNTLET} to the address of a role that sees every row.",
    ),
    "proxy.oidc": (
        "The app declares no sign-in through an OpenID provider, so none can be disturbed.",
        f"Add an [[oauth]] section to {_GAUNTLET}: start, callback, session and env.",
    ),
    "proxy.*": (
        "The app does not reach its {part} through the examiner, so that way cannot be disturbed.",
        f"Let the gauntlet start the app, and write {{{{database}}}} in target.start or target.env of "
        f"{_GAUNTLET} where the address (target.database) goes. Other needs: our own apps only.",
    ),
    "process.*": (
        "The process {part} is not known, so it can neither be watched nor ended.",
        f"Let the gauntlet start the app: set target.start in {_GAUNTLET}.",
    ),
    "started": (
        "The instance was running already, so its start was not seen.",
        f"Let the gauntlet start the app: set target.start in {_GAUNTLET}.",
    ),
    "logs": (
        "Where the app writes its logs is not known.",
        f"Let the gauntlet start the app: set target.start in {_GAUNTLET}. Its output is then read.",
    ),
    "files": (
        "The app's files are not here: only its address is known.",
        f"Run it in the app's folder, with target.start in {_GAUNTLET}.",
    ),
    "any_rate": (
        f"It cannot keep to the {REQUESTS_PER_S_MAX:g} requests a second that another machine is asked at most.",
        "Run a copy of the app on this machine.",
    ),
    "lock": (
        f"Nobody has accepted yet how the app asks its database: there is no {LOCK_FILE}.",
        "Run shipworthy gauntlet, read what it found, and keep it: shipworthy gauntlet accept.",
    ),
    "clock": (
        "The app offers no clock that can be moved.",
        "Our own apps do, when `up --handle` runs them; a stranger's has none that could be moved honestly.",
    ),
    "restarts": (
        "The instance does not restart what dies.",
        "Run it under a supervisor that writes a handle.",
    ),
    "deployable": (
        "The target has no front that splits its visitors between two versions.",
        "Our own apps have (`shipworthy up --deployable`). Behind another rollout `shipworthy canary judge` decides the "
        "same way (docs/how-to/deploy.md).",
    ),
    "front": ("Envoy is not installed.", "Install it: pip install 'shipworthy[local]'."),
    "site": ("The app has no published site.", ""),
    "browser": ("No Chromium was found on this machine.", "Install Chromium, or set SHIPWORTHY_CHROMIUM."),
    "routes": ("No route is declared.", f"Add [[route]] entries to {_GAUNTLET}."),
    "routes.session": (
        "No route is declared that needs a session.",
        f'Add [[route]] entries with auth = "session" to {_GAUNTLET}.',
    ),
    "idempotency": (
        "No route declares that an Idempotency-Key makes twice once.",
        f'Declare idempotency = "key" on the [[route]]s that create things in {_GAUNTLET}.',
    ),
    "queries": ("The target names no queries.", _DECLARE),
    "tables": ("The target declares no tables.", _DECLARE),
    "indexes": ("The target declares no indexes.", _DECLARE),
    "jobs": ("The target declares no jobs.", _DECLARE),
    "samples": ("The target gives no samples.", f"Add [[sample]] entries to {_GAUNTLET}."),
    "slos": ("No objective is declared.", f"Add [[slo]] entries to {_GAUNTLET}."),
    "journeys": ("No journey is declared.", f"Add [[journey]] entries to {_GAUNTLET}."),
    "flows": (
        "No flow of a person in a browser is declared.",
        f"Add [[flow]] entries to {_GAUNTLET} (docs/how-to/flows.md).",
    ),
    "budgets": ("No budget is declared.", f"Add [[budget]] entries to {_GAUNTLET}."),
    "tokens": (
        "The target does not say how a program gets and refreshes tokens.",
        f"Add [tokens] to {_GAUNTLET}: issue, form, refresh, refresh_form; ttl_s and grace_s as the app promises.",
    ),
    "migrations": (
        "The target does not say how its schema is brought forward and taken back.",
        f"Add [migrations] to {_GAUNTLET}: up, down, and env with {{database}} where the address goes.",
    ),
    "migrations.files": (
        "The target does not say where the SQL of its migrations lies.",
        f'Add files = ["migrations/*.up.sql"] to [migrations] in {_GAUNTLET}.',
    ),
    "described": (
        "The app serves no OpenAPI document, and its manifest does not say what its routes take.",
        f'Add openapi = "/openapi.json" to [target] in {_GAUNTLET}.',
    ),
    "oauth": (
        "The target declares no sign-in through an OpenID provider.",
        f"Add an [[oauth]] section to {_GAUNTLET}: start, callback, session and env.",
    ),
    "loads.*": (
        "The target does not say what the load {part} goes to.",
        f'Add a [[load]] with kind = "{{part}}" to {_GAUNTLET} (docs/how-to/journeys.md).',
    ),
    "oracles": ("Nothing is declared that could be recomputed.", f"Add an [[oracle]] to {_GAUNTLET}."),
}
