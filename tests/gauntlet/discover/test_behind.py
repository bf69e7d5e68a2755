"""Behind the sign-in: how it answers right and wrong, which pages are whose, and that nothing is ended by looking."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from shipworthy.contract.manifest import Login
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.discover.behind import look_behind
from shipworthy.gauntlet.discover.draft import Draft, Seen
from shipworthy.gauntlet.discover.written import written
from shipworthy.gauntlet.targetfile import load_target_file
from tests.support.ledger import served

ANN = Credential(email="ann", password="a wide river")
LOGIN = Seen(Login(route="POST /enter", form={"name": "{email}", "word": "{password}"}), "the form of /enter")
DESK = "<a href='/desk/notes'>Notes</a><a href='/about'>About</a><a href='/out'>Log out</a><a href='/desk/delete-all'>Clear</a>"


@dataclass
class Desk:
    """A form whose wrong password shows the form again, as Django's does. `alike`: the right one does, too."""

    alike: bool = False
    asked: list[str] = field(default_factory=list)

    def asgi(self) -> Starlette:
        paths = ("/", "/desk", "/desk/notes", "/about", "/out", "/desk/delete-all")
        return Starlette(
            routes=[
                Route("/enter", self.enter, methods=["POST"]),
                *(Route(path, self.page) for path in paths),
            ]
        )

    async def enter(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if self.alike or form != {"name": ANN.email, "word": ANN.password}:
            return HTMLResponse("<form></form>")
        answer = RedirectResponse("/desk", 302)
        answer.set_cookie("sid", "ann")
        return answer

    async def page(self, request: Request) -> Response:
        path, signed_in = request.url.path, "sid" in request.cookies
        self.asked.append(f"{path}{' as ann' if signed_in else ''}")
        if path.startswith("/desk") and not signed_in:
            return RedirectResponse("/enter", 302)
        return HTMLResponse(f"<title>{path}</title>{DESK if path == '/desk' else ''}")


async def test_what_the_door_answers_and_what_lies_behind_it_is_written(tmp_path: Path) -> None:
    desk = Desk()
    async with served(desk.asgi()) as url:
        seen = await look_behind(url, LOGIN, ANN)
    assert seen.private is not None
    assert seen.private.value == ("/desk", "/desk/notes")
    assert not {path.partition(" ")[0] for path in desk.asked} & {"/out", "/desk/delete-all"}
    (tmp_path / "gauntlet.toml").write_text(
        written(seen.completed_by(Draft(name=Seen("Desk", ""), url=Seen("http://127.0.0.1:1", ""))), [ANN])
    )
    manifest = load_target_file(tmp_path / "gauntlet.toml").manifest
    assert manifest.login is not None
    assert (manifest.login.ok, manifest.login.refused) == ((302,), (200,))
    assert {(route.path, route.auth) for route in manifest.routes} == {
        ("/desk", "session"),
        ("/desk/notes", "session"),
    }


async def test_a_door_that_answers_all_alike_is_no_way_in_and_that_is_said() -> None:
    async with served(Desk(alike=True).asgi()) as url:
        seen = await look_behind(url, LOGIN, ANN)
    assert (seen.login, seen.private) == (None, None)
    assert "so is a wrong password" in seen.notes[0]
    assert ANN.password not in seen.notes[0]
