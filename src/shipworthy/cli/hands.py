"""Hands for a drill: each kind of step done on a scratch copy of the app. Composes runbook and gauntlet."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from string import Template

from shipworthy.cli.handles import Running
from shipworthy.cli.scratch import ScratchApp, words
from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Target
from shipworthy.gauntlet.call import Call, prepare
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.catalogue import FAULTS
from shipworthy.gauntlet.faults.lock_table import lock_table
from shipworthy.gauntlet.http import HttpSession, Unanswered
from shipworthy.gauntlet.idp.beside import client_id_of
from shipworthy.gauntlet.probes.oauth_browser import LostOnTheWay, browser
from shipworthy.kernel.db.tx import connect_admin
from shipworthy.kernel.errors import Refusal
from shipworthy.local.statedir import StateDir
from shipworthy.runbook.drill import Said
from shipworthy.runbook.page import Page, Step

_LEASE_S = 300.0
_SHELL_TIMEOUT_S = 300.0
_HTTP_TIMEOUT_S = 30.0
_ASKED_PER_S = 6  # an alert needs 20 requests in five minutes
_ASKED_AT_ONCE_MAX = 24


SIGN_IN = Call(method="POST", path="")  # as the manifest says, each time anew


class AppHands:
    """Does what steps say on one copy, for one page."""

    def __init__(self, app: ScratchApp, manifest: Manifest, page: Page) -> None:
        self._app, self._manifest, self._page = app, manifest, page
        self._words = {**words(), "NEXT_SECRET": secrets.token_urlsafe(24)}
        self._work = app.work / self._words["MARK"]
        self._work.mkdir()
        self._exam = self._examined()
        self._owner: HttpSession | None = None
        self._asking: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """What must be there before anything is broken: an owner's session, a watch where an alert is drilled."""
        await self._owner_session()
        samples = await self._exam.samples_for(self._exam.people[0])
        self._words |= {name.upper(): value for name, value in samples.items()}
        if self._page.kind == "alert":
            await self._app.watch({})

    async def do(self, step: Step) -> Said:
        done = {
            "sh": self._shell, "sql": self._sql, "http": self._http, "app": self._app_does, "inflict": self._inflict,
            "provider": self._provider, "journey": self._asked_elsewhere,
        }[step.language]  # fmt: skip
        try:
            return await done(step)
        except (Unanswered, Undecided, Refusal, OSError, ValueError) as failed:
            return Said(code=None, text=str(failed) or repr(failed))

    def filled(self, text: str) -> str:
        return Template(text).safe_substitute(self._known())

    async def begin_load(self, steps: Sequence[Step]) -> None:
        for step in steps:
            calls = await self._calls(step.text.strip())
            self._asking = asyncio.create_task(self._ask(calls))

    async def end(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._exam.heal()
        await self._exam.close()
        await self._app.watch_no_more()

    def _examined(self) -> Exam:
        running = Running(self._app.handle_file)
        url = running.handle.base_url
        target = Target(name="copy", kind="url", manifest=self._manifest, url=url, allow_faults=True)
        return Exam(target, running, provider=self._app.provider)

    async def _owner_session(self) -> HttpSession:
        if self._owner is None:
            self._owner = await self._exam.fresh_session(self._exam.people[0])
        return self._owner

    def _known(self) -> dict[str, str]:
        """What stands for $NAMES in steps."""
        handle = self._app.handle
        person = handle.tenants[0]
        return {
            **self._words,
            "BASE": f"http://127.0.0.1:{self._app.port}",
            "SITE": handle.site_url or "",
            "TENANT": person.tenant_id,
            "OWNER": person.tenant.split()[0],
            "EMAIL": person.email,
            "WORK": str(self._work),
            "RECEIVER": self._app.receiver,
        }

    async def _shell(self, step: Step) -> Said:
        handle, app = self._app.handle, self._app
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SHIPWORTHY_")},
            **{f"SHIPWORTHY_DB_URL_{role.upper()}": url for role, url in handle.database_urls.items()},
            "SHIPWORTHY_REALM": handle.tenants[0].realm_id,
            "SHIPWORTHY_STATE": str(app.state),
            "SHIPWORTHY_SIGNING_KEY": StateDir(app.state).all_secrets()["signing_key"],
            **self._known(),
            "PATH": os.pathsep.join(
                [str(app.work / "bin"), os.path.dirname(sys.executable), os.environ.get("PATH", "")]
            ),
        }
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", step.text, cwd=app.home, env=environment, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            out, _ = await asyncio.wait_for(process.communicate(), _SHELL_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            return Said(code=None, text=f"did not end within {_SHELL_TIMEOUT_S:g} s")
        return Said(code=process.returncode, text=out.decode("utf-8", "replace"))

    async def _sql(self, step: Step) -> Said:
        text = self.filled(step.text)
        *before, last = [one for one in re.split(r";\s*(?:\n|$)|; ", text) if one.strip()]
        connection = await connect_admin(self._app.handle.database_urls["admin"])
        try:
            for one in before:
                await connection.execute(one)
            rows = await connection.fetch(last)
        except Exception as refused:  # whatever the server says is the step's answer
            return Said(code=None, text=f"{type(refused).__name__}: {refused}")
        finally:
            await connection.close()
        return Said(code=len(rows), text="\n".join(str(dict(row)) for row in rows[:20]))

    async def _http(self, step: Step) -> Said:
        text = Template(step.text).safe_substitute({**self._known(), "ONCE": words()["ONCE"]})
        head, _, body = text.partition("\n\n")
        first, *lines = head.splitlines()
        method, _, address = first.partition(" ")
        headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        site = self._app.handle.site_url or ""
        is_site = bool(site) and address.startswith(site)
        path = address.removeprefix(site) if is_site else address
        session = await self._owner_session() if step.as_owner else self._exam.anonymous()
        answer = await session.request(
            method,
            path,
            site=is_site,
            body=body.encode() if body else None,
            headers=headers,
            timeout_s=_HTTP_TIMEOUT_S,
        )
        if (
            step.as_owner and answer.status == 401
        ):  # the page ended our session: sign in again, as a person would
            self._owner = None
            session = await self._owner_session()
            answer = await session.request(method, path, site=is_site, body=body.encode() if body else None,
                                           headers=headers, timeout_s=_HTTP_TIMEOUT_S)  # fmt: skip
        return Said(code=answer.status, text=f"{answer.header('location')}\n{answer.text}")

    async def _app_does(self, step: Step) -> Said:
        what, *more = self.filled(step.text).split()
        changes = dict(change.partition("=")[::2] for change in more)
        if what == "restart":
            await self._app.restart(changes)
        elif what == "watch":
            await self._app.watch(changes)
        elif (what, *more) == ("receiver", "answers"):
            await self._app.receiver_answers()
        else:
            return Said(
                code=None, text=f"an app can restart, watch, or have its receiver answer, not {step.text!r}"
            )
        return Said(code=0, text=what)

    async def _inflict(self, step: Step) -> Said:
        name, *on = step.text.split()
        if name == "heal":
            failed = await self._exam.heal()
            return Said(code=None if failed else 0, text="; ".join(failed) or "healed")
        if name not in FAULTS:
            return Said(code=None, text=f"there is no fault {name!r}: shipworthy fault list")
        if on[1:] == ["readers"]:
            await lock_table(self._exam, on[0], lease_s=_LEASE_S, readers_too=True)
            return Said(code=0, text=f"nobody can read or write {on[0]}")
        return Said(code=0, text=await FAULTS[name].inflict(self._exam, " ".join(on), _LEASE_S))

    async def _provider(self, step: Step) -> Said:
        """Sign somebody in through the provider, or have it know other secrets of ours."""
        stub = self._app.provider
        if stub is None:
            return Said(code=None, text="the app declares no sign-in through a provider")
        oauth = self._manifest.oauth[0]
        client = stub.client(client_id_of(oauth))
        known = {
            "accepts old and next": (client.secrets[0], self._words["NEXT_SECRET"]),
            "accepts next": client.secrets[1:],
        }
        if step.text in known:
            stub.register(replace(client, secrets=known[step.text]))
            return Said(code=200, text=f"{len(known[step.text])} secrets are good")
        if step.text != "sign in":
            return Said(code=None, text=f"a provider can sign in, or accept secrets, not {step.text!r}")
        async with browser(self._exam, oauth, stub) as person:
            try:
                arrival = await person.come_back(await person.consent(await person.begin()))
            except LostOnTheWay as lost:
                return Said(code=None, text=str(lost))
        return Said(code=arrival.proof.status, text=arrival.silence or "signed in")

    async def _asked_elsewhere(self, _step: Step) -> Said:
        return Said(code=None, text="a journey is load, and nothing else")

    async def _calls(self, objective: str) -> list[Call]:
        """Return requests of an objective, made from the owner's own data; Errors: Undecided where it has none."""
        routes = [route for route in self._manifest.routes if route.slo == objective]
        login = self._manifest.login
        if login is not None and [f"{route.method} {route.path}" for route in routes] == [login.route]:
            return [SIGN_IN]
        if not routes:  # the lane: pages that nobody asked for before are looked up in the database
            mark = self._words["MARK"]
            return [Call(method="GET", path=f"/{mark}-{n}", site=True) for n in range(2000)]
        samples = await self._exam.samples_for(self._exam.people[0], fresh=True)
        return [prepare(route, samples) for route in routes for _ in range(200)]

    async def _ask(self, calls: Sequence[Call]) -> None:
        owner = await self._owner_session()
        waiting: set[asyncio.Task[None]] = set()
        try:
            for call in itertools.cycle(calls):
                while len(waiting) >= _ASKED_AT_ONCE_MAX:
                    _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                waiting.add(asyncio.create_task(self._signed_in() if call is SIGN_IN else _sent(call, owner)))
                await asyncio.sleep(1 / _ASKED_PER_S)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _signed_in(self) -> None:
        with contextlib.suppress(Unanswered, Undecided):
            await self._exam.fresh_session(self._exam.people[0])


async def _sent(call: Call, session: HttpSession) -> None:
    with contextlib.suppress(Unanswered, Undecided):
        await call.send(session, timeout_s=_HTTP_TIMEOUT_S)
