"""The pictures' routes: what they declare is what they do."""

from __future__ import annotations

from typing import Any

from shipworthy.rooms.site.assets.web import ROUTES
from tests.rooms.site.assets.conftest import send_picture
from tests.rooms.site.conftest import Author
from tests.rooms.site.test_web import SESSION_STATEMENTS, statements

BY_NAME = {f"{route.method} {route.path}": route for route in ROUTES}


async def test_no_route_runs_more_statements_than_it_declares(acme: Author) -> None:
    seen = set()

    async def counted(name: str, asset_id: str = "", **sent: Any) -> Any:
        before = await statements(acme, name)
        method, _, path = name.partition(" ")
        where = path.replace("{asset_id}", asset_id)
        if "form" in sent:
            answer = await acme.submit(where, **sent["form"])
        elif "picture" in sent:
            answer = await send_picture(acme, **sent["picture"])
        else:
            answer = await acme.send(method, where, sent.get("body"))
        assert answer.status in (200, 201, 204, 303), answer.text
        ran = await statements(acme, name) - before + SESSION_STATEMENTS
        assert ran <= BY_NAME[name].queries_max, f"{name} runs {ran}"
        seen.add(name)
        return answer

    first = (await counted("POST /api/assets", picture={})).json["asset_id"]
    assert (await counted("POST /api/assets", picture={})).json["asset_id"] == first
    second = (await send_picture(acme, seed=1)).json["asset_id"]
    await counted("POST /assets", form=dict(BY_NAME["POST /assets"].example))
    await counted("PUT /api/assets/{asset_id}", first, body={"name": "x"})
    await counted("POST /assets/{asset_id}", first, form={"name": "x"})
    for name in BY_NAME:
        if name.startswith("GET"):
            await counted(name, first)
    await counted("DELETE /api/assets/{asset_id}", first)
    await counted("POST /assets/{asset_id}/delete", second, form={})
    assert seen == BY_NAME.keys()


def test_whatever_changes_something_is_audited_and_for_those_who_write() -> None:
    for route in ROUTES:
        assert route.auth == "session"
        assert route.permission == ("page.read" if route.method == "GET" else "page.write")
        assert bool(route.audit) == (route.method != "GET")
