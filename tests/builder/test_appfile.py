"""One place of app.toml is changed; every other character stays. Covers: tidied."""

from __future__ import annotations

import tomllib

import pytest

from shipworthy.builder.appfile import read_field, with_fields, with_room
from shipworthy.builder.spec import SpecRefused

TEXT = '# mine\n[app]\nname = "Inn" # rooms = []\nrooms = ["auth"] # of ours\n\n[http]\nport = 1\n'


def test_a_room_is_added_and_the_rest_stays() -> None:
    assert with_room(TEXT, "cars") == TEXT.replace('["auth"]', '["auth", "cars"]')
    over_lines = TEXT.replace('["auth"]', '[\n  "auth",\n]')
    assert tomllib.loads(with_room(over_lines, "cars"))["app"]["rooms"] == ["auth", "cars"]


@pytest.mark.parametrize(
    "text",
    [
        'app = { name = "Inn", rooms = ["auth"] }\n',
        '[other]\nrooms = ["x"]\n[app]\nname = "Inn"\nrooms = ["auth"]\n',
        '[app]\nname = "Inn"\nrooms = [\n  "auth", # of ours\n]\n',
    ],
)
def test_a_list_that_cannot_be_changed_safely_is_left_to_the_person(text: str) -> None:
    with pytest.raises(SpecRefused, match='add "cars" to app.rooms'):
        with_room(text, "cars")


def test_fields_of_the_command_line_become_lines_of_app_toml() -> None:
    fields = dict(
        map(
            read_field,
            (
                "guest=text,required,chars_max=120",
                "state=choice,choices=open|done",
                "price=money,currency=CHF",
            ),
        )
    )
    said = tomllib.loads(with_fields(TEXT, "cars", fields))["room"]["cars"]["fields"]
    assert said == {
        "guest": {"kind": "text", "required": True, "chars_max": 120},
        "state": {"kind": "choice", "choices": ["open", "done"]},
        "price": {"kind": "money", "currency": "CHF"},
    }
    with pytest.raises(SpecRefused, match="says already"):
        with_fields(with_fields(TEXT, "cars", fields), "cars", fields)
    with pytest.raises(SpecRefused, match="write NAME=KIND"):
        read_field("guest")
