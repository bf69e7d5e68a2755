"""SHIPWORTHY_THROUGH: read strictly; only the app takes the addresses; the truth is told in a file."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from shipworthy.cli.through import Through, through_from

ADMIN, APP = (
    "postgresql://pg:a%40b@localhost:5432/app",
    "postgresql://app:pw@localhost:5432/app?sslmode=disable",
)
VALKEY = "valkey://:pw@localhost:7000"


def test_the_app_takes_the_addresses_and_the_administrator_does_not(tmp_path: Path) -> None:
    through = through_from(
        {"SHIPWORTHY_THROUGH": "database=127.0.0.1:5001,mail=localhost:5002,valkey=127.0.0.1:5003"}
    )
    environment = {
        "SHIPWORTHY_THROUGH": "x",
        "SHIPWORTHY_DB_URL_ADMIN": ADMIN,
        "SHIPWORTHY_DB_URL_APP": APP,
        "SHIPWORTHY_MAIL_PORT": "9",
        "SHIPWORTHY_VALKEY_URL": VALKEY,
        "PATH": "/bin",
    }
    assert through.of_children(environment) == {
        "SHIPWORTHY_DB_URL_ADMIN": ADMIN,
        "SHIPWORTHY_DB_URL_APP": "postgresql://app:pw@127.0.0.1:5001/app?sslmode=disable",
        "SHIPWORTHY_MAIL_PORT": "5002",
        "SHIPWORTHY_VALKEY_URL": "valkey://:pw@127.0.0.1:5003",
        "PATH": "/bin",
    }
    through.tell(tmp_path, database_url=ADMIN, mail_port=2525, valkey_url=VALKEY)
    assert json.loads((tmp_path / "upstreams.json").read_text()) == {
        "database": "localhost:5432",
        "mail": "127.0.0.1:2525",
        "valkey": "localhost:7000",
    }
    assert through.addresses == {
        "database": "127.0.0.1:5001",
        "mail": "127.0.0.1:5002",
        "valkey": "127.0.0.1:5003",
    }


def test_without_the_variable_nothing_changes(tmp_path: Path) -> None:
    through = through_from({})
    assert through.of_children({"SHIPWORTHY_DB_URL_APP": APP}) == {"SHIPWORTHY_DB_URL_APP": APP}
    through.tell(tmp_path, database_url=APP, mail_port=1, valkey_url=None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("databse=127.0.0.1:5001", "did you mean 'database'"),
        ("database=10.0.0.1:5001", "an address like"),
        ("database=127.0.0.1:99999", "an address like"),
        ("database", "an address like"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, words: str) -> None:
    with pytest.raises(click.UsageError, match=words):
        through_from({"SHIPWORTHY_THROUGH": text})


def test_a_database_without_a_host_cannot_be_stood_before(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="has no host"):
        Through(ports={"database": 5001}).tell(
            tmp_path, database_url="postgresql:///app", mail_port=1, valkey_url=None
        )
