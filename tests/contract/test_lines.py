"""Line numbers: the place itself where it can be told, the key around it otherwise."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from shipworthy.contract.lines import Path, line_of

TOML = '''\
title = "x"  # a comment with = and [brackets]
"quoted key".inner = 'a # b = c'
list = [
  "one = 1",
  "two",  # ]
]

[ server . "main" ]  # spaces are allowed
port = 80
text = """
port = 81
[server.other]
"""
after = 1

[[route]]
path = "/a"

[[route]]
path = "/b"
[route.body]
kind = "first"
[[route.step]]
name = "s"
[[route.step]]
name = "t"

[[route]]
[[route.step]]
name = "u"
'''


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from leaves(inner, (*path, str(position)))


def test_every_key_of_a_toml_text_is_found_on_a_line_that_names_it() -> None:
    lines = TOML.split("\n")
    paths = list(leaves(tomllib.loads(TOML)))
    assert len(paths) == 19
    for path in paths:
        number = line_of(TOML, path)
        assert number is not None, path
        assert path[-1] in lines[number - 1].split("=")[0], path


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("server", "main", "port"), 9),
        (("server", "main", "after"), 14),
        (("route", "0", "path"), 17),
        (("route", "1", "path"), 20),
        (("route", "1", "body", "kind"), 22),
        (("route", "1", "step", "1", "name"), 26),
        (("route", "2", "step", "0", "name"), 30),
        (("list", "1"), 3),
        (("route", "1", "missing"), 19),
        (("nowhere",), None),
        ((), None),
    ],
)
def test_the_line_is_that_of_the_place_or_of_the_key_around_it(path: Path, line: int | None) -> None:
    assert line_of(TOML, path) == line


def test_every_key_of_a_json_text_is_found_on_a_line_that_names_it() -> None:
    data = {"a": {"b": [1, {"c": '}],: \\" {'}, [2, 3], {"d": None}]}, "e": [], "f": "last"}
    text = json.dumps(data, indent=2)
    lines = text.split("\n")
    for path in leaves(data):
        number = line_of(text, path)
        assert number is not None, path
        assert f'"{path[-1]}"' in lines[number - 1], path
    assert line_of(text, ("a", "b", "3", "d")) == next(n for n, t in enumerate(lines, 1) if '"d"' in t)


def test_the_enclosing_key_is_named_when_a_mention_could_be_either_of_two() -> None:
    text = 'steps = [\n  { path = "/" },\n  { path = 7 },\n]\n'
    assert line_of(text, ("steps", "1", "path")) == 1
    assert line_of(text.replace("path = 7", "paht = 7"), ("steps", "1", "paht")) == 3
