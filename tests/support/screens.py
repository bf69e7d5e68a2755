"""Screens: a small app of pages for a browser, each with one thing wrong, or nothing."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.manifest import Budget, Journey, Login, Manifest, Route, Slo, Step
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck

ANN = Credential(email="ann@acme.test", password="pw", tenant="Acme")
_HEAD = '<!doctype html><html lang="en"><head><title>A screen</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
_BODY = "</head><body><main><h1>A screen</h1><p>With a text.</p>%s</main></body></html>"
_SHIFTS = """<p style="height:200px">Read this.</p><script>
setTimeout(() => { const late = document.createElement("div"); late.style.height = "300px";
document.querySelector("main").prepend(late); }, 400);</script>"""
_BLOCKS = """<script>addEventListener("load", () => setTimeout(() => {
const until = performance.now() + 1200; while (performance.now() < until); }, 100));</script>"""
_HIDDEN = """<style>body { display: none }</style><script>
setTimeout(() => { document.body.style.display = "block"; }, 1200);</script>"""
_DARK_ON_A_PHONE = """<style>@media (prefers-color-scheme: dark) and (max-width: 500px) {
:root { background: #fff } p { color: #ddd } }</style>"""

PAGES = {
    "/": (_HEAD, ""),
    "/shifts": (_HEAD, _SHIFTS),
    "/blocks": (_HEAD, _BLOCKS),
    "/tight": (_HEAD, ""),
    "/hidden": (_HEAD + _HIDDEN, ""),
    "/elsewhere": (_HEAD, '<img src="https://cdn.example/a.png" alt="Far" width="9" height="9">'),
    "/pale": (_HEAD + _DARK_ON_A_PHONE, ""),
    "/nameless": (_HEAD, '<form><input type="text" name="q"></form>'),
}
# So generous that no busy machine breaks them: a test that wants one broken names its own.
GENEROUS = tuple(Budget(kind=kind, bound=30_000) for kind in ("lcp_ms", "fcp_ms", "ttfb_ms", "tbt_ms"))  # type: ignore[arg-type]
BUDGETS = (
    *GENEROUS,
    Budget(kind="tbt_ms", bound=600, subject="/blocks"),
    Budget(kind="fcp_ms", bound=1, subject="/tight"),
)


class Screens:
    """The app. `asked` counts the requests for "/load", the journey's."""

    def __init__(self) -> None:
        self.asked = 0

    def asgi(self) -> Starlette:
        return Starlette(routes=[Path("/{path:path}", self.answer, methods=["GET", "POST"])])

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        if path == "/login":
            signed_in = Response(status_code=204)
            signed_in.set_cookie("sid", "ann")
            return signed_in
        if path == "/load":
            self.asked += 1
            return HTMLResponse("")
        if path == "/desk":
            is_known = "sid" in request.cookies
            return HTMLResponse(_HEAD + _BODY % "", status_code=200 if is_known else 401)
        if path == "/busy":  # pushed down by what the load brings
            return HTMLResponse(_HEAD + _BODY % (PAGES["/shifts"][1] if self.asked else ""))
        head, inside = PAGES.get(path, ("", ""))
        return HTMLResponse(head + _BODY % inside, status_code=200 if head else 404)


def exam_of(check: Check, base_url: str, *paths: str, subject: str | None = None) -> Exam:
    """Return the exam of these pages, the check begun. "/desk" is for who is signed in."""
    routes = tuple(
        Route(
            name=path, room="", method="GET", path=path, media="html", auth="session" if path == "/desk" else "public",
            source=f"screens.py:{path}",
        )
        for path in paths
    )  # fmt: skip
    steps = (Step(method="GET", path="/load", expect=(200,)),)
    manifest = Manifest(
        app="Screens",
        login=Login(route="POST /login", form={"email": "{email}"}, ok=(204,)),
        routes=routes,
        budgets=BUDGETS,
        slos=(Slo(name="load", quantile=0.95, threshold_ms=1_000),),
        journeys=(Journey(name="load", slo="load", rate_per_s=5, steps=steps, login=False),),
    )
    target = Target(name="Screens", kind="shipworthy", manifest=manifest)
    exam = Exam(target, StartedInstance(Handle(base_url=base_url, tenants=(ANN,)), None))
    exam.begin(PlannedCheck(check=check, subject=subject))
    return exam
