"""The app in this process, with its migrations and example data, on a PostgreSQL that is gone afterwards."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shipworthy.cli.project import Project, load_project
from shipworthy.kernel.app import Installation, migrations_of, running, web_app
from shipworthy.kernel.db.migrate import LOGIN_ROLES
from shipworthy.kernel.db.setup import prepare_database, role_url
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.seed import demo_tenants, seed_demo
from shipworthy.local.postgres import EmbeddedPostgres
from shipworthy.testing.client import Answer, Client

# Nothing of it is to survive the test: these three make it twice as fast.
_QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_PASSWORD = "a lantern over quiet water"  # noqa: S105 - of people who exist in this test only
_SECRET = "of-a-test-and-nothing-else"  # noqa: S105


@dataclass
class Person:
    """Somebody who is signed in. Each request is sent once, and redirects are not followed."""

    _runner: asyncio.Runner
    _client: Client

    def get(self, path: str) -> Answer:
        return self._runner.run(self._client.get(path))

    def post(self, path: str, json: Any = None, *, form: dict[str, str] | None = None) -> Answer:
        return self.send("POST", path, json, form=form)

    def put(self, path: str, json: Any) -> Answer:
        return self.send("PUT", path, json)

    def delete(self, path: str) -> Answer:
        return self.send("DELETE", path)

    def send(self, method: str, path: str, json: Any = None, *, form: dict[str, str] | None = None) -> Answer:
        """Send one request, under an idempotency key of its own where it changes something."""
        headers = {"idempotency-key": str(uuid.uuid4())}
        return self._runner.run(
            self._client.request(method, path, json_body=json, form=form, headers=headers)
        )


@dataclass
class AppUnderTest:
    """A running app with the two example tenants `acme` and `globex`."""

    runtime: Runtime
    _runner: asyncio.Runner
    _asgi: Any
    _people: dict[tuple[str, str], Person] = field(default_factory=dict)

    def visitor(self) -> Person:
        """Return somebody who is not signed in."""
        return Person(self._runner, Client(self._asgi))

    def signed_in(self, tenant: str, *, role: str = "owner") -> Person:
        """Return a person of a tenant: its `owner`, a `member`, or a `viewer`, who may look and change nothing."""
        if (tenant, role) not in self._people:
            name = {"owner": "owner", "member": "member1", "viewer": "viewer3"}[role]
            person = self.visitor()
            answer = person.post("/login", form={"email": f"{name}@{tenant}.example", "password": _PASSWORD})
            assert answer.status == 303, answer.text
            self._people[tenant, role] = person
        return self._people[tenant, role]


@contextmanager
def app_under_test(home: Path) -> Iterator[AppUnderTest]:
    """Run the app in `home` until the block ends.

    Errors:  Undecodable for its settings and rooms; LocalServiceError when no database can be started.
    Cost:    about 3 s: share it among the tests of a file.
    """
    project = load_project(home)
    settings = replace(project.settings, sessions=replace(project.settings.sessions, store="memory"))
    project = replace(project, settings=settings)
    folder = Path(tempfile.mkdtemp(prefix="shipworthy-test-"))
    folder.chmod(0o755)  # the database may run as another user and must pass through
    database = EmbeddedPostgres(folder / ".shipworthy", settings=_QUICK)
    try:
        with asyncio.Runner() as runner:
            installation = runner.run(_prepared(project, database.start().url("app"), folder))
            started = running(project.settings, project.rooms, installation)
            runtime = runner.run(started.__aenter__())
            try:
                runner.run(seed_demo(runtime, demo_tenants(installation.realm_id, _PASSWORD)))
                yield AppUnderTest(runtime, runner, runner.run(_served(runtime)))
            finally:
                runner.run(started.__aexit__(None, None, None))
    finally:
        database.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _served(runtime: Runtime) -> Any:
    return web_app(runtime)  # rooms start tasks of their own with it


async def _prepared(project: Project, admin_url: str, folder: Path) -> Installation:
    realm_id = uuid.uuid4()
    await prepare_database(
        admin_url,
        passwords=dict.fromkeys(LOGIN_ROLES, _SECRET),
        rooms=migrations_of(project.rooms),
        realm_id=realm_id,
        realm_name=project.settings.app.name,
    )
    return Installation(
        realm_id=realm_id,
        database_url=role_url(admin_url, "app", _SECRET),
        state=folder,
        signing_key=_SECRET.encode(),
    )
