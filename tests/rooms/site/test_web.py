"""The room's routes: what they declare is what they do."""

from __future__ import annotations

import re
from typing import Any

from shipworthy.rooms.site.screens import AUTOSAVE_EXAMPLE
from shipworthy.rooms.site.web import ROUTES
from tests.rooms.site.assets.conftest import send_picture
from tests.rooms.site.conftest import Author, author
from tests.support.app import RunningApp

SESSION_STATEMENTS = 2  # a session's look-up and touch run outside the request's transaction
# Those of the sub-packages are counted beside their own tests.
BY_NAME = {f"{route.method} {route.path}": route for route in ROUTES if "/pages" in route.path}


async def statements(person: Author, route: str) -> float:
    text = (await person.get("/-/metrics")).text
    found = re.search(rf'http_server_queries_total{{route="{re.escape(route)}"}} ([0-9.]+)', text)
    return float(found[1]) if found else 0.0


async def test_no_route_runs_more_statements_than_it_declares(app: RunningApp) -> None:
    acme, globex = await author(app), await author(app, "Globex")
    form = {"title": "Same title", "body": "Text."}

    async def counted(person: Author, route: str, page_id: str = "", **request: Any) -> Any:
        before = await statements(person, route)
        method, _, path = route.partition(" ")
        path = path.replace("{page_id}", page_id).replace("{number}", "1")
        if "form" in request:
            answer = await person.submit(path, **request["form"])
        else:
            answer = await person.send(method, path, request.get("body"), **request.get("headers", {}))
        assert answer.status in (200, 201, 303), f"{route}: {answer.status} {answer.text[:200]}"
        ran = await statements(person, route) - before + SESSION_STATEMENTS
        bound = BY_NAME[route].queries_max
        assert bound is not None and ran <= bound, f"{route} runs {ran}"
        seen.add(route)
        return answer

    seen: set[str] = set()
    first = await counted(acme, "POST /api/pages", body={"title": "Same title"})
    await counted(acme, "POST /api/pages", body={"title": "Same title"})
    await counted(globex, "POST /pages", form=form)
    await counted(globex, "POST /pages", form=form)
    page_id = first.json["page_id"]
    await counted(
        acme,
        "PUT /api/pages/{page_id}",
        page_id,
        body={"title": "New", "path": "/moved"},
        headers={"if_match": "*"},
    )
    for verb in ("publish", "unpublish"):
        await counted(acme, f"POST /api/pages/{{page_id}}/{verb}", page_id, body={})
    for verb in ("publish", "unpublish"):
        await counted(acme, f"POST /pages/{{page_id}}/{verb}", page_id, form={})
    await counted(acme, "POST /pages/{page_id}", page_id, form={**form, "version": "2", "path": "/again"})
    await counted(
        acme,
        "POST /pages/{page_id}/save-and-publish",
        page_id,
        form={**form, "title": "Other", "version": "3", "path": "/once-more"},
    )
    await counted(acme, "POST /pages/snippet", form=form)
    any_version = {"if_match": "*"}
    await counted(acme, "PUT /pages/{page_id}/autosave", page_id, body=AUTOSAVE_EXAMPLE, headers=any_version)
    await counted(acme, "POST /pages/{page_id}/versions/{number}/restore", page_id, form={})
    await counted(acme, "PUT /pages/{page_id}/autosave", page_id, body=AUTOSAVE_EXAMPLE, headers=any_version)
    await counted(acme, "POST /api/pages/{page_id}/versions/{number}/restore", page_id, headers=any_version)
    image = {"id": "i", "type": "image", "data": {}}
    body = {"title": "New", "blocks": [image]}
    await counted(acme, "PUT /api/pages/{page_id}", page_id, body=body, headers=any_version)
    asset_id = (await send_picture(acme, alt="A bench")).json["asset_id"]
    choice = {"block": "i", "place": "asset", "asset_id": asset_id}
    await counted(acme, "POST /pages/{page_id}/pictures", page_id, form=choice)
    await counted(acme, "POST /pages/{page_id}/plan", page_id, form={"publish_at": "2030-01-31T09:00"})
    await counted(acme, "POST /pages/{page_id}/plan/cancel", page_id, form={})
    later = {"publish_at": "2030-01-31T09:00:00+01:00"}
    await counted(acme, "PUT /api/pages/{page_id}/plan", page_id, body=later)
    await counted(acme, "DELETE /api/pages/{page_id}/plan", page_id)
    for route in BY_NAME:
        if route.startswith("GET"):
            await counted(acme, route, page_id)
    assert seen == BY_NAME.keys()


def test_whatever_changes_something_is_audited_and_made_once() -> None:
    changing = [r for r in BY_NAME.values() if r.method != "GET" and r.effect != "read"]
    assert len(changing) == 17
    for route in changing:
        assert route.audit, route.path
        assert route.idempotency == "key" or route.method in ("PUT", "DELETE"), route.path
        assert route.permission in {"page.write", "page.publish"}, route.path
    for route in BY_NAME.values():
        assert route.permission and route.auth == "session"
        assert "publish" not in route.path or route.permission == "page.publish"
