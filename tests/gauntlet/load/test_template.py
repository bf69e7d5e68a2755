"""A step becomes the bytes of one request, with every value escaped for where it stands."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import parse_qs

import pytest

from shipworthy.contract.manifest import Step
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.load.plan import Address, LoadUser, PlanRefused
from shipworthy.gauntlet.load.template import FieldMissing, Request, requests_of

ADDRESS = Address(
    host="127.0.0.1", port=8000, authority="acme.localhost:8000", origin="http://acme.localhost:8000"
)
NASTY = 'a"b\\c&d=e/ü {n}'
USER = LoadUser(
    credential=Credential(email="ada+x@example.org", password=NASTY), samples={"slug": "a/b?c", "id": "42"}
)


def rendered(
    step: Step, *, user: LoadUser | None = USER, last: Any = None, n: int = 7, cookies: str = ""
) -> tuple[str, dict[str, str], bytes]:
    data = Request(step, address=ADDRESS, user=user).render(n=n, last=last, cookies=cookies, cookie_version=1)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, {name: value for name, _, value in (line.partition(": ") for line in lines)}, body


def test_a_get_names_its_host_and_carries_no_body_and_no_origin() -> None:
    first, headers, body = rendered(Step(method="get", path="/pages"))
    assert first == "GET /pages HTTP/1.1"
    assert headers["Host"] == "acme.localhost:8000"
    assert not {"Origin", "Content-Length", "Content-Type", "Cookie"} & set(headers)
    assert body == b""


def test_an_unsafe_request_says_where_it_comes_from_and_how_long_it_is() -> None:
    _, headers, body = rendered(Step(method="POST", path="/x", json={"a": "ü"}))
    assert headers["Origin"] == "http://acme.localhost:8000"
    assert headers["Content-Type"] == "application/json"
    assert int(headers["Content-Length"]) == len(body)
    assert rendered(Step(method="DELETE", path="/x"))[1]["Content-Length"] == "0"


def test_cookies_are_sent_when_there_are_any() -> None:
    assert rendered(Step(method="GET", path="/"), cookies="session=abc")[1]["Cookie"] == "session=abc"


def test_values_are_escaped_for_path_json_and_form() -> None:
    first, _, _ = rendered(Step(method="GET", path="/pages/{sample.slug}?q={user.email}"))
    assert first == "GET /pages/a%2Fb%3Fc?q=ada%2Bx%40example.org HTTP/1.1"
    _, _, body = rendered(
        Step(method="POST", path="/", json={"password": "{user.password}", "deep": ["{sample.id}"]})
    )
    assert json.loads(body) == {"password": NASTY, "deep": ["42"]}
    _, headers, body = rendered(
        Step(method="POST", path="/", form={"e mail": "{user.email}", "password": "{user.password}"})
    )
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode()) == {"e mail": ["ada+x@example.org"], "password": [NASTY]}


def test_a_users_own_text_is_not_read_as_a_placeholder() -> None:
    _, _, body = rendered(Step(method="POST", path="/", json={"p": "{user.password}"}), n=99)
    assert "{n}" in json.loads(body)["p"]


def test_a_uuid_is_one_value_within_a_request_and_another_in_the_next() -> None:
    request = Request(
        Step(method="POST", path="/{uuid}", headers={"Idempotency-Key": "{uuid}"}, json={"id": "{uuid}"}),
        address=ADDRESS,
        user=None,
    )
    texts = [request.render(n=0, last=None, cookies="", cookie_version=0).decode() for _ in range(2)]
    found = [text.split(" ")[1].strip("/") for text in texts]
    assert found[0] != found[1]
    for text, one in zip(texts, found, strict=True):
        assert str(uuid.UUID(one)) == one
        assert text.count(one) == 3


def test_the_arrivals_number_and_the_previous_answers_fields_are_filled_in() -> None:
    step = Step(method="GET", path="/i/{last.items.0.id}/{n}", headers={"If-Match": "{last.etag}"})
    first, headers, _ = rendered(step, last={"items": [{"id": 12}], "etag": "v1"})
    assert first == "GET /i/12/7 HTTP/1.1"
    assert headers["If-Match"] == "v1"


@pytest.mark.parametrize("last", [None, {}, {"items": []}, {"items": "text"}, "text"])
def test_a_field_the_answer_does_not_have_is_missing(last: Any) -> None:
    with pytest.raises(FieldMissing):
        rendered(Step(method="GET", path="/{last.items.0.id}"), last=last)


def test_an_answer_cannot_break_out_of_a_header() -> None:
    with pytest.raises(FieldMissing, match="line break"):
        rendered(
            Step(method="GET", path="/", headers={"If-Match": "{last.etag}"}), last={"etag": "a\r\nX: y"}
        )


def test_a_value_the_user_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(PlanRefused, match=r"ada\+x@example.org has no sample 'nothing'"):
        rendered(Step(method="GET", path="/{sample.nothing}"))
    with pytest.raises(PlanRefused, match="the plan has no user"):
        rendered(Step(method="GET", path="/{user.email}"), user=None)


def test_braces_that_are_no_placeholder_stay() -> None:
    _, _, body = rendered(Step(method="POST", path="/", json={"text": "{hello} {user.name}"}))
    assert json.loads(body) == {"text": "{hello} {user.name}"}


def test_a_steps_own_header_replaces_the_engines() -> None:
    _, headers, _ = rendered(
        Step(method="POST", path="/", headers={"origin": "http://evil.example", "Accept": "text/html"})
    )
    assert headers["origin"] == "http://evil.example"
    assert "Origin" not in headers
    assert headers["Accept"] == "text/html"


def test_a_line_break_in_a_header_is_refused() -> None:
    with pytest.raises(PlanRefused, match="line break"):
        rendered(Step(method="GET", path="/", headers={"X": "a\r\nB: c"}))


def test_new_cookies_are_seen_by_a_request_that_otherwise_never_changes() -> None:
    request = Request(Step(method="GET", path="/"), address=ADDRESS, user=None)
    old = request.render(n=1, last=None, cookies="s=1", cookie_version=1)
    assert request.render(n=2, last=None, cookies="s=1", cookie_version=1) is old
    assert b"Cookie: s=2" in request.render(n=3, last=None, cookies="s=2", cookie_version=2)


def test_a_body_is_kept_only_where_the_next_step_reads_it() -> None:
    steps = (
        Step(method="POST", path="/a"),
        Step(method="GET", path="/{last.id}"),
        Step(method="GET", path="/c"),
    )
    requests = requests_of(steps, addresses={"console": ADDRESS, "site": ADDRESS}, user=None)
    assert [r.wants_body for r in requests] == [True, False, False]
