"""The committed schemas equal the classes, take what the classes write, refuse what they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

import shipworthy.contract
from shipworthy.contract.manifest import Manifest
from shipworthy.contract.schema import schemas
from shipworthy.contract.strict import Undecodable, decode, encode
from shipworthy.gauntlet.report.document import document_of
from tests.contract.test_target import STRANGER
from tests.support.manifests import full_manifest
from tests.support.results import every_result

FOLDER = Path(shipworthy.contract.__file__).parent


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_committed_schema_is_the_generated_one(name: str) -> None:
    assert json.loads((FOLDER / name).read_text(encoding="utf-8")) == schemas()[name]


def test_the_command_says_whether_the_files_are_fresh() -> None:
    command = [sys.executable, "-m", "shipworthy.contract.schema"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_manifest_we_write_is_valid() -> None:
    for manifest in (full_manifest(), Manifest(app="Acme")):
        validator("manifest.schema.json").validate(json.loads(json.dumps(encode(manifest))))


def test_every_result_we_write_is_valid() -> None:
    for result in every_result().values():
        validator("result.schema.json").validate(json.loads(json.dumps(document_of(result))))


def test_a_result_without_its_summary_is_refused() -> None:
    plain = document_of(every_result()["pass"])
    del plain["coverage"]
    with pytest.raises(ValidationError, match="'coverage' is a required property"):
        validator("result.schema.json").validate(plain)


def test_a_strangers_gauntlet_file_is_valid() -> None:
    validator("gauntlet.schema.json").validate(tomllib.loads(STRANGER))


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (("routes", 0, "auth"), "cookie"),
        (("routes", 0, "statuses"), ["201"]),
        (("routes", 0, "slow"), 1),
        (("queries", 0, "rows_max"), 1.5),
        (("queries", 0, "purpose"), None),
        (("slos", 0, "threshold_ms"), "700"),
        (("login", "form"), {"email": 1}),
        (("flags", 0, "default"), 1),
        (("app",), 1),
    ],
)
def test_the_schema_and_the_decoder_refuse_the_same_mistakes(place: tuple[Any, ...], wrong: Any) -> None:
    plain = json.loads(json.dumps(encode(full_manifest())))
    spot = plain
    for key in place[:-1]:
        spot = spot[key]
    spot[place[-1]] = wrong
    with pytest.raises(ValidationError):
        validator("manifest.schema.json").validate(plain)
    with pytest.raises(Undecodable):
        decode(Manifest, plain)


def test_pairs_are_held_to_their_length() -> None:
    plain = document_of(every_result()["pass"])
    check = validator("result.schema.json")
    for wrong in ([1.0], [1.0, 0.5, 2.0], ["1", 0.5]):
        bent = {**plain, "distributions": [{"journey": "a", "threshold_ms": 1, "points": [wrong]}]}
        assert not check.is_valid(bent)


def test_comments_and_docstrings_become_descriptions() -> None:
    schema = schemas()["manifest.schema.json"]
    assert schema["description"].startswith("All that the examiner needs to know")
    described = schema["$defs"]["Query"]["properties"]["params"]
    assert described["description"] == "one SQL expression per $n, evaluated in the tenant's scope"
