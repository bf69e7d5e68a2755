"""Secrets that come from files. Covers: secretfiles."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from shipworthy.cli.secretfiles import FILE_BYTES_MAX, read_secret_files
from tests.cli.conftest import assert_refused, shipworthy

KEY = "a key of at least thirty-two letters"


@pytest.mark.parametrize(
    "name",
    [
        "SIGNING_KEY", "FILES_KEYS", "AUDIT_KEYS", "ALERTS_SECRET", "CDN_TOKEN", "VALKEY_URL", "OAUTH_GOOGLE_SECRET",
        "OAUTH_GOOGLE_SECRET_NEXT", "DB_URL_APP", "DB_URL_WORKER_DIRECT", "DB_URL_ADMIN",
    ],
)  # fmt: skip
def test_a_secret_named_by_a_file_is_read_without_its_line_break(tmp_path: Path, name: str) -> None:
    file = tmp_path / "secret"
    for text in (KEY, f"{KEY}\n", f"{KEY}\r\n"):
        file.write_bytes(text.encode())
        environment = {f"SHIPWORTHY_{name}_FILE": str(file), "HOME": "/root"}
        read_secret_files(environment)
        assert environment == {f"SHIPWORTHY_{name}": KEY, "HOME": "/root"}


def test_files_that_are_no_secrets_stay_what_they_are(tmp_path: Path) -> None:
    environment = {"SHIPWORTHY_FLAGS_FILE": "flags.json", "SHIPWORTHY_CLOCK_FILE": "clock", "PGPASSFILE": "x", "A_FILE": "y"}  # fmt: skip
    before = dict(environment)
    read_secret_files(environment)
    assert environment == before


@pytest.mark.parametrize(
    ("body", "words"),
    [(None, "cannot be read"), (b"", "one line"), (b"\n", "one line"), (b"a\nb\n", "one line"), (b"\xff", "UTF-8"), (b"x" * (FILE_BYTES_MAX + 1), "one line")],
)  # fmt: skip
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, body: bytes | None, words: str) -> None:
    file = tmp_path / "secret"
    if body is not None:
        file.write_bytes(body)
    with pytest.raises(click.UsageError, match=words):
        read_secret_files({"SHIPWORTHY_SIGNING_KEY_FILE": str(file)})


def test_a_secret_that_is_set_both_ways_is_refused_and_not_repeated(home: Path) -> None:
    file = home / "secret"
    file.write_text(KEY)
    env = {"SHIPWORTHY_SIGNING_KEY": "another secret", "SHIPWORTHY_SIGNING_KEY_FILE": str(file)}
    done = shipworthy("settings", cwd=home, env=env)
    assert_refused(done, "SHIPWORTHY_SIGNING_KEY_FILE")
    assert KEY not in done.stderr
    assert "another secret" not in done.stderr
