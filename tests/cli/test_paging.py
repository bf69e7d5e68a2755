"""Whom a deploy calls: those of [alerts], in words for the night, by a webhook its receiver can verify."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import click
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shipworthy.cli.paging import message_of, ways_to_page
from shipworthy.cli.project import load_project
from shipworthy.delivery.pager import Page, Unheard
from tests.support.ledger import served

PAGE = Page(
    id="d1.page", deploy="d1", release="b", previous="a", weight=25, reason="all tenants: 9 of 20 failed."
)


def with_alerts(home: Path, url: str) -> None:
    with (home / "app.toml").open("a") as settings:
        settings.write(f'[alerts]\nwebhook_url = "{url}"\n')


async def test_a_call_is_signed_repeatable_and_a_refusal_is_tried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[tuple[dict[str, str], bytes]] = []

    async def hook(request: Request) -> Response:
        received.append((dict(request.headers), await request.body()))
        return Response(status_code=404 if len(received) == 1 else 204)

    monkeypatch.setenv("SHIPWORTHY_ALERTS_SECRET", "s3cret")
    async with served(Starlette(routes=[Route("/hook", hook, methods=["POST"])])) as url:
        with_alerts(home, f"{url}/hook")
        ((name, way),) = ways_to_page(load_project(home)).items()
        assert name == "webhook"
        with pytest.raises(Unheard, match="404"):
            await way(PAGE)
        await way(PAGE)
    headers, body = received[1]
    signed = f"d1.page.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(b"s3cret", signed, hashlib.sha256).digest()).decode()
    assert (headers["webhook-id"], headers["webhook-signature"]) == ("d1.page", f"v1,{digest}")
    told = json.loads(body)
    assert (told["type"], told["data"]["app"], told["data"]["weight"]) == ("deploy.holds", "Toy", 25)


def test_nobody_is_called_where_nobody_is_named_and_a_webhook_wants_its_secret(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHIPWORTHY_ALERTS_SECRET", raising=False)
    assert ways_to_page(load_project(home)) == {}
    with_alerts(home, "http://127.0.0.1:1/hook")
    with pytest.raises(click.UsageError, match="SHIPWORTHY_ALERTS_SECRET"):
        ways_to_page(load_project(home))


def test_a_person_reads_what_holds_why_and_what_to_do() -> None:
    message = message_of(PAGE, app="Toy")
    assert message.subject == "Toy: a deploy holds and needs a person"
    for words in ("9 of 20 failed", "release b out over a", "at 25 %", "Ctrl-C"):
        assert words in message.text
