"""`gauntlet.toml`: a stranger's app described in one file, read strictly into a Target.

Everything but [target] may be left out; what is left out is NOT MEASURED. Paths in the file
are relative to the file.
"""

from __future__ import annotations

import difflib
import re
import shlex
import tomllib
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from shipworthy.contract.lines import line_of
from shipworthy.contract.manifest import Manifest, Route, Scope
from shipworthy.contract.strict import Undecodable, decode
from shipworthy.contract.target import GauntletFile, RouteSection, Target, TargetSection
from shipworthy.gauntlet.adapters.imported import imported

TARGET_FILE = "gauntlet.toml"
PARTS = {
    "auth_spike": ("password", "pkce", "refresh"),
    "invoices": ("read", "edit", "create"),
    "crawl": ("page",),
}
_APP = re.compile(r"[\w.]+:[\w.]+(\(\))?")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def load_target_file(path: Path) -> Target:
    """Read a `gauntlet.toml`.

    Errors:  Undecodable with file, line and the nearest known name for anything it does not
             know and for what contradicts itself; OSError when the file cannot be read.
    """
    text = path.read_text(encoding="utf-8")
    file = decode(GauntletFile, _parsed(text, path.name), source=path.name, text=text)
    _Refusals(text, path.name).check(file)
    start = _start(file.target)
    return Target(
        name=file.target.name,
        kind="command" if start else "url",
        manifest=_manifest(file),
        start=start,
        url=file.target.url,
        address=file.target.address,
        health=file.target.health,
        start_timeout_s=file.target.start_timeout_s,
        workdir=str((path.parent / file.target.workdir).resolve()),
        folder=str(path.parent.resolve()),
        env=file.target.env,
        database=file.target.database,
        database_admin=file.target.database_admin,
        allow_faults=file.target.allow_faults,
        credentials=file.credential,
    )


def _parsed(text: str, name: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        found = re.search(r"line (\d+)", str(broken))
        line = int(found.group(1)) if found else text.count("\n") + 1
        raise Undecodable(f"not valid TOML: {broken}", path="", line=line, source=name) from broken


def _start(target: TargetSection) -> tuple[str, ...] | None:
    if target.start:
        return tuple(shlex.split(target.start))
    if app := target.asgi or target.wsgi:
        return imported("asgi" if target.asgi else "wsgi", app, python=target.python)
    return None


def _manifest(file: GauntletFile) -> Manifest:
    return Manifest(
        app=file.target.name,
        scope=_scope(file.scope),
        openapi=file.target.openapi,
        login=file.login,
        oauth=file.oauth,
        tokens=file.tokens,
        migrations=file.migrations,
        code=file.code,
        routes=tuple(_route(route) for route in file.route),
        samples=file.sample,
        slos=file.slo,
        journeys=file.journey,
        flows=file.flow,
        budgets=file.budget,
        oracles=file.oracle,
        loads=file.load,
    )


def _scope(said: Scope) -> Scope:
    """A stranger has no realms, unless it names the setting of its own."""
    return replace(said, realm_setting=None) if said.realm_setting == Scope().realm_setting else said


def _route(section: RouteSection) -> Route:
    return Route(
        name=f"{section.method} {section.path}",
        room="",
        method=section.method,
        path=section.path,
        auth=section.auth,
        idempotency=section.idempotency,
        effect="read" if section.method in ("GET", "HEAD") else "change",
        example=section.json,
        statuses=section.expect,
        queries_max=section.queries_max,
        source=TARGET_FILE,
    )


class _Refusals:
    """What fits the types and still makes no sense, each with its line."""

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name = text, name

    def check(self, file: GauntletFile) -> None:
        self._target(file.target)
        for number, route in enumerate(file.route):
            self._known(("route", str(number), "method"), route.method, _METHODS)
            self._path(("route", str(number), "path"), route.path)
        objectives = tuple(slo.name for slo in file.slo)
        for number, journey in enumerate(file.journey):
            self._known(("journey", str(number), "slo"), journey.slo, objectives)
            if bool(journey.steps) == bool(journey.code):
                raise self._refusal(
                    ("journey", str(number)), f"journey {journey.name!r} needs either steps or code"
                )
        self._loads(file, objectives)
        for number, client in enumerate(file.oauth):
            place = ("oauth", str(number))
            for name in ("start", "session"):
                self._route((*place, name), getattr(client, name))
            if not client.callback.startswith(("/", "http://", "https://")):
                raise self._refusal(
                    (*place, "callback"), "oauth.callback is a path or an address beginning with http"
                )

    def _target(self, target: TargetSection) -> None:
        if sum(map(bool, (target.start, target.asgi, target.wsgi, target.url))) != 1:
            raise self._refusal(
                ("target",),
                "target needs either start (a command to run), or asgi or wsgi (an app to import, as in main:app), or "
                "url (an instance that runs)",
            )
        if target.start:
            self._command(target.start)
        for name in ("asgi", "wsgi"):
            if (app := getattr(target, name)) and not _APP.fullmatch(app):
                raise self._refusal(
                    ("target", name), f"target.{name} is MODULE:NAME, as in main:app, not {app!r}"
                )
        if target.address and not target.url:
            raise self._refusal(("target", "address"), "target.address says where the host of url is reached; there is no url")  # fmt: skip
        if target.url and (
            urlsplit(target.url).scheme not in ("http", "https") or not urlsplit(target.url).netloc
        ):
            raise self._refusal(("target", "url"), f"target.url must begin with http://, not {target.url!r}")
        if target.start_timeout_s <= 0:
            raise self._refusal(("target", "start_timeout_s"), "target.start_timeout_s must be above 0")

    def _loads(self, file: GauntletFile, objectives: tuple[str, ...]) -> None:
        for number, load in enumerate(file.load):
            for part, slo in load.slos.items():
                self._known(("load", str(number), "slos", part), part, PARTS[load.kind])
                self._known(("load", str(number), "slos", part), slo, objectives)
            for name in ("create", "publish", "edit", "unpublish"):
                if route := getattr(load.publishing, name, ""):
                    self._route(("load", str(number), "publishing", name), route)

    def _command(self, start: str) -> None:
        try:
            words = shlex.split(start)
        except ValueError as broken:
            raise self._refusal(("target", "start"), f"target.start: {broken}") from broken
        if not any("{port}" in word for word in words):
            raise self._refusal(
                ("target", "start"),
                "target.start must say {port} where the port goes, for example: uvicorn app:app --port {port}",
            )

    def _known(self, path: tuple[str, ...], name: str, known: tuple[str, ...]) -> None:
        if name in known:
            return
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
        raise self._refusal(path, f"{'.'.join(path)}: there is no {path[-1]} {name!r}; {hint}")

    def _route(self, path: tuple[str, ...], value: str) -> None:
        method, _, place = value.partition(" ")
        self._known(path, method, _METHODS)
        self._path(path, place)

    def _path(self, path: tuple[str, ...], value: str) -> None:
        if not value.startswith("/"):
            raise self._refusal(path, f"{'.'.join(path)} must begin with '/', not {value!r}")

    def _refusal(self, path: tuple[str, ...], message: str) -> Undecodable:
        return Undecodable(message, path=".".join(path), line=line_of(self._text, path), source=self._name)
