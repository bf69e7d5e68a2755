"""The OpenAPI document says what the manifest says, and is valid by its own rules."""

from __future__ import annotations

import json

from shipworthy.contract.manifest import Manifest, Route
from shipworthy.contract.openapi import openapi_of

LINE = {"type": "object", "properties": {"text": {"type": "string"}}}
OTHER = {"type": "object", "properties": {"hue": {"$ref": "#/$defs/Hue"}}}


def body(line: dict[str, object], **more: object) -> dict[str, object]:
    return {"$ref": "#/$defs/Body", "$defs": {"Body": {"type": "object", "properties": {"line": {"$ref": "#/$defs/Line"}}}, "Line": line, **more}}  # fmt: skip


def route(method: str, path: str, **facts: object) -> Route:
    return Route(name=f"toy.{method}{path}", room="toy", method=method, path=path, **facts)  # type: ignore[arg-type]


MANIFEST = Manifest(
    app="Toy",
    runtime="shipworthy 1",
    routes=(
        route("GET", "/api/notes/{note_id}", headers={"if-match": "$etag"}, query={"type": "object", "required": ["q"], "properties": {"q": {"type": "string"}}}),
        route("POST", "/api/notes", body=body(LINE), idempotency="key", statuses=(201,), example={"line": {"text": "x"}}),
        route("PUT", "/api/notes", body=body(OTHER, Hue={"type": "string"}), example={"line": "$sample"}),
        route("DELETE", "/api/notes", statuses=(204,)),
        route("GET", "/pages", host="site"),
    ),
)  # fmt: skip


def test_every_route_of_the_console_stands_in_it_with_what_it_takes() -> None:
    document = openapi_of(MANIFEST)
    assert list(document["paths"]) == ["/api/notes/{note_id}", "/api/notes"]
    read = document["paths"]["/api/notes/{note_id}"]["get"]
    assert [(p["in"], p["name"], p["required"]) for p in read["parameters"]] == [
        ("path", "note_id", True),
        ("header", "if-match", True),
        ("query", "q", True),
    ]
    notes = document["paths"]["/api/notes"]
    assert [p["name"] for p in notes["post"]["parameters"]] == ["Idempotency-Key"]
    assert set(notes["post"]["responses"]) == {"201", "4XX"}
    assert notes["post"]["requestBody"]["content"]["application/json"]["example"] == {"line": {"text": "x"}}
    assert "example" not in notes["put"]["requestBody"]["content"]["application/json"]  # it holds a sample
    assert "content" not in notes["delete"]["responses"]["204"]


def test_two_schemas_of_one_name_stay_two_and_every_reference_leads_somewhere() -> None:
    document = openapi_of(MANIFEST)
    text = json.dumps(document)
    assert "$defs" not in text
    schemas = document["components"]["schemas"]
    assert {"Body", "Body2", "Line", "Line2", "Hue", "Problem"} == set(schemas)
    assert schemas["Body2"]["properties"]["line"] == {"$ref": "#/components/schemas/Line2"}
    assert schemas["Line2"]["properties"]["hue"] == {"$ref": "#/components/schemas/Hue"}
    for part in text.split('"$ref": "')[1:]:
        assert part.partition('"')[0].rpartition("/")[2] in schemas


def test_only_what_is_wanted_stands_in_it() -> None:
    document = openapi_of(MANIFEST, wanted=lambda one: one.method == "DELETE")
    assert {path: list(item) for path, item in document["paths"].items()} == {"/api/notes": ["delete"]}
