"""The shipped schema of app.toml says what the settings' classes take."""

from __future__ import annotations

import json
import tomllib

import jsonschema
import pytest

from shipworthy.builder.plan import plan
from shipworthy.builder.schema import SCHEMA_FILE, app_schema, schema_text
from shipworthy.builder.spec import make_spec

APP = '[app]\nname = "Inn"\nrooms = ["auth"]\n'


def valid(text: str) -> bool:
    return bool(jsonschema.Draft202012Validator(app_schema()).is_valid(tomllib.loads(text)))


def test_the_committed_schema_is_the_one_of_the_classes() -> None:
    assert json.loads(schema_text()) == app_schema(), "python -m shipworthy.builder.schema --write"


@pytest.mark.parametrize(
    "wrong",
    [
        "[htp]\n",
        "[http]\nprot = 1\n",
        '[http]\nport = "1"\n',
        '[room.cars.fields]\nplate = { kind = "txt" }\n',
    ],
)
def test_what_the_settings_refuse_is_not_valid(wrong: str) -> None:
    assert valid(APP)
    assert valid(f'{APP}[room.cars.fields]\nplate = {{ kind = "text", required = true }}\n')
    assert not valid(APP + wrong)


def test_a_new_app_has_the_schema_and_names_it_to_editors() -> None:
    spec = make_spec(folder="shop", name=None, rooms=(), known_rooms=["auth"], locale="en", port=1)
    files = {file.path: file.text for file in plan(spec, folder="shop")}
    assert files["app.toml"].startswith(f"#:schema ./{SCHEMA_FILE}\n")
    assert files[SCHEMA_FILE] == schema_text()
    assert valid(files["app.toml"])
