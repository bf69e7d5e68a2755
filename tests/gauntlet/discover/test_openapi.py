"""Routes out of an OpenAPI document: what can be asked, with an example that fits its schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.contract.target import RouteSection
from shipworthy.gauntlet.discover.openapi import ROUTES_MAX, NoOpenApi, read_openapi

NOTE = {
    "type": "object",
    "required": ["text", "tags", "due", "kind"],
    "properties": {
        "text": {"type": "string", "maxLength": 10},
        "tags": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Tag"}},
        "due": {"type": "string", "format": "date"},
        "kind": {"anyOf": [{"enum": ["plain", "rich"]}, {"type": "null"}]},
        "left_out": {"type": "string"},
    },
}
TAG = {"type": "object", "required": ["name", "parent"], "properties": {"name": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Tag"}}}  # fmt: skip


def document(paths: dict[str, Any], **more: Any) -> str:
    schemas = {"schemas": {"Note": NOTE, "Tag": TAG}}
    return json.dumps(
        {"openapi": "3.1.0", "info": {"title": "Notes"}, "paths": paths, "components": schemas, **more}
    )


def routes(text: str) -> dict[str, RouteSection]:
    seen = read_openapi(text, where="openapi.json").routes
    return {f"{route.method} {route.path}": route for route in seen.value} if seen else {}


def taking(schema: dict[str, Any], media: str = "application/json") -> dict[str, Any]:
    return {"requestBody": {"content": {media: {"schema": schema}}}, "responses": {"201": {}, "422": {}}}


def test_an_example_is_made_from_the_schema_with_what_is_required_and_an_end() -> None:
    found = routes(document({"/notes": {"post": taking({"$ref": "#/components/schemas/Note"})}}))[
        "POST /notes"
    ]
    assert found.expect == (201,)
    assert found.json is not None
    assert set(found.json) == {"text", "tags", "due", "kind"}
    assert len(found.json["text"]) <= 10
    assert found.json["due"] == "2026-01-31"
    assert found.json["kind"] == "plain"
    assert found.json["tags"][0]["name"]


def test_what_needs_an_id_or_a_parameter_is_left_out_and_counted() -> None:
    needy = {"get": {"parameters": [{"name": "q", "in": "query", "required": True}]}}
    text = document({"/notes/{id}": {"get": {}, "delete": {}}, "/search": needy, "/notes": {"get": {}}})
    assert set(routes(text)) == {"GET /notes"}
    assert any("2 operations" in note for note in read_openapi(text, where="x").notes)


def test_what_needs_a_key_is_asked_with_a_session_and_what_says_none_is_not() -> None:
    text = document({"/a": {"get": {}}, "/b": {"get": {"security": []}}}, security=[{"bearer": []}])
    assert {name: route.auth for name, route in routes(text).items()} == {
        "GET /a": "session",
        "GET /b": "public",
    }


@pytest.mark.parametrize(
    ("media", "kind"), [("application/json", "json"), ("application/x-www-form-urlencoded", "form")]
)
def test_the_operation_that_takes_a_password_is_the_way_in_and_no_route(media: str, kind: str) -> None:
    fields = {
        "type": "object",
        "properties": {"username": {"type": "string"}, "password": {"type": "string"}},
    }
    seen = read_openapi(document({"/auth/login": {"post": taking(fields, media)}}), where="x")
    assert seen.login is not None
    assert (seen.login.value.route, seen.login.value.media) == ("POST /auth/login", kind)
    assert seen.login.value.form == {"username": "{email}", "password": "{password}"}
    assert seen.routes is None


def test_version_2_keeps_its_base_path_and_its_body_among_the_parameters() -> None:
    text = json.dumps({"swagger": "2.0", "basePath": "/v1", "paths": {"/notes": {"post": {"parameters": [{"in": "body", "name": "b", "schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 5}}}}]}}}})  # fmt: skip
    found = routes(text)["POST /v1/notes"]
    assert found.json == {"a": 6}


def test_a_large_document_is_cut_and_says_so() -> None:
    text = document({f"/r{n}": {"get": {}} for n in range(ROUTES_MAX + 5)})
    seen = read_openapi(text, where="api.json")
    assert seen.routes is not None
    assert len(seen.routes.value) == ROUTES_MAX
    assert any(f"has {ROUTES_MAX + 5} routes" in note for note in seen.notes)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("openapi: 3.1.0\npaths: {}", "convert it to JSON"),
        ("{}", "no 'paths'"),
        ("[1]", "no OpenAPI"),
        ("", "not JSON"),
    ],
)
def test_what_is_no_document_is_named(text: str, says: str) -> None:
    with pytest.raises(NoOpenApi, match=says):
        read_openapi(text, where="it")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["$ref", "type", "properties", "required", "items", "content", "schema", "parameters", "requestBody", "application/json", "security", "in", "responses", "allOf", "enum", "minimum", "maxLength", "200"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(operation=_JSON, method=st.sampled_from(["get", "post"]))
def test_whatever_stands_in_an_operation_is_read_or_refused(operation: Any, method: str) -> None:
    """Documents are written by tools and by hand; none may crash whoever only wants to begin."""
    read_openapi(json.dumps({"paths": {"/login": {method: operation}}, "components": operation}), where="it")
