"""The pages of an app: what is shown as one, as whom, each once; what should be one and is none is said."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.manifest import Journey, Login, Manifest, Route, Step
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.pages import pages_of
from tests.support.ledger import served

ANN = Credential(email="ann@acme.test", password="pw", tenant="Acme")
PAGE = "<!doctype html><title>A page</title><h1>A page</h1>"


async def answer(request: Request) -> Response:
    path = request.url.path
    if path == "/login" and request.method == "POST":
        signed_in = Response(status_code=204)
        signed_in.set_cookie("sid", "ann")
        return signed_in
    if path in ("/", "/old"):
        return RedirectResponse("/login", 303)
    if path == "/away":
        return RedirectResponse("https://other.example/", 303)
    if path == "/desk" and "sid" not in request.cookies:
        return Response(status_code=401)
    if path == "/part":
        return HTMLResponse("<li>A piece for a script</li>")
    if path == "/data":
        return JSONResponse({})
    return HTMLResponse(PAGE, status_code=404 if path == "/gone" else 200)


def route(path: str, **facts: object) -> Route:
    return Route(**{"name": path, "room": "", "method": "GET", "path": path, "auth": "public", "media": "html", **facts})  # type: ignore[arg-type]  # fmt: skip


MANIFEST = Manifest(
    app="Pages",
    login=Login(route="POST /login", form={"email": "{email}"}, ok=(204,)),
    routes=(
        route("/old"),
        route("/login"),
        route("/desk", auth="session", slo="desk", source="app.py:1"),
        route("/away"),
        route("/part"),
        route("/gone"),
        route("/thing/{thing}"),
        route("/data", media="json"),
    ),
    journeys=(
        Journey(
            name="read",
            slo="page",
            rate_per_s=1,
            steps=(
                Step(method="GET", path="/about", host="site"),
                Step(method="GET", path="/{sample.x}", host="site"),
            ),
        ),
    ),
)


async def test_each_page_is_found_once_and_what_is_none_is_said() -> None:
    async with served(Starlette(routes=[Path("/{path:path}", answer, methods=["GET", "POST"])])) as base_url:
        for kind in ("shipworthy", "command"):
            target = Target(name="Pages", kind=kind, manifest=MANIFEST)  # type: ignore[arg-type]
            handle = Handle(base_url=base_url, site_url=base_url.replace("127.0.0.1", "acme.localhost"), tenants=(ANN,))  # fmt: skip
            exam = Exam(target, StartedInstance(handle, None))
            try:
                pages, gaps = await pages_of(exam)
            finally:
                await exam.close()
            found = {page.subject: page for page in pages}
            # "/" and "/old" only lead to the sign-in page, which is there itself.
            assert list(found) == ["GET /about (site)", "GET /login", "GET /desk", "GET / (site)"], found
            assert found["GET /about (site)"].slo == "page"
            desk = found["GET /desk"]
            assert desk.is_signed_in and desk.cookies[0]["value"] == "ann"
            assert (desk.slo, desk.source, desk.url) == ("desk", "app.py:1", f"{base_url}/desk")
            assert {gap.subject for gap in gaps} == {"GET /gone", "GET /thing/{thing}"}
