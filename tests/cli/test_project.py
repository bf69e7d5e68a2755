"""The app a command is about: what is wrong with it is one sentence and exit code 2.

Covers: project, settings, main, describe, audit, tenant, migrate.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from shipworthy.cli.project import installation_from
from shipworthy.kernel.files.links import key_of
from tests.cli.conftest import APP, assert_refused, shipworthy

REALM = "01890000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    "command",
    [
        ("describe",),
        ("settings",),
        ("up",),
        ("serve",),
        ("work",),
        ("gauntlet",),
        ("migrate", "status"),
        ("audit", "verify", "--tenant", REALM),
        ("tenant", "list"),
    ],
)
def test_a_command_outside_an_app_says_what_is_missing(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert_refused(shipworthy(*command, cwd=tmp_path), "Error: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (APP.replace("rooms", "roms"), ("app.toml:3", "did you mean 'rooms'")),
        (f"{APP}[http]\nprot = 1\n", ("app.toml:5", "did you mean 'port'")),
        (f"{APP}[db]\npool_sise = 1\n", ("app.toml:5", "did you mean 'pool_size'")),
        (f"{APP}[sessions]\nstor = 1\n", ("app.toml:5", "did you mean 'store'")),
        (f"{APP}[auth]\nhash_pases = 1\n", ("app.toml:5", "did you mean 'hash_passes'")),
        (f"{APP}[mail]\nsendr = 1\n", ("app.toml:5", "did you mean 'sender'")),
        (f"{APP}[files]\nur = 1\n", ("app.toml:5", "did you mean 'url'")),
        (f"{APP}[site]\ncache_byte_max = 1\n", ("app.toml:5", "did you mean 'cache_bytes_max'")),
        (f"{APP}[slo]\nlogin_p95 = 1\n", ("app.toml:5", "did you mean 'login_p95_ms'")),
        (f"{APP}[budget]\nbundle_byte = 1\n", ("app.toml:5", "did you mean 'bundle_bytes'")),
        (f"{APP}[htp]\n", ("app.toml:4", "did you mean 'http'")),
        (APP.replace("auth", "invoicng"), ("app.toml:3", "did you mean 'invoicing'")),
        (APP.replace('"auth"', '"auth", "invoicing", "invoicing"'), ("app.toml:3", "twice")),
        (f"{APP}[http]\nport = 70000\n", ("http.port", "65535")),
        (f"{APP}[http]\nworkers = 0\n", ("http.workers", "at least 1")),
        (f"{APP}[db]\npool_size = 0\n", ("db.pool_size", "at least 1")),
        (f"{APP}[db]\nacquire_timeout_s = nan\n", ("db.acquire_timeout_s",)),
        (f"{APP}[sessions]\nidle_ttl_s = -1\n", ("sessions.idle_ttl_s", "at least")),
    ],
)
def test_a_wrong_setting_names_its_place_and_what_would_be_right(
    home: Path, text: str, words: tuple[str, ...]
) -> None:
    (home / "app.toml").write_text(text, encoding="utf-8")
    assert_refused(shipworthy("describe", cwd=home), *words)


def test_settings_that_are_no_text_or_no_file_are_refused(home: Path) -> None:
    (home / "app.toml").write_bytes(b'[app]\nname = "\xff"\n')
    assert_refused(shipworthy("describe", cwd=home), "app.toml", "UTF-8")
    (home / "app.toml").unlink()
    (home / "app.toml").mkdir()
    assert_refused(shipworthy("describe", cwd=home), "app.toml", "cannot be read")


def test_settings_are_printed_with_where_they_come_from(home: Path) -> None:
    text = shipworthy("settings", cwd=home)
    assert (
        text.returncode,
        json.loads(shipworthy("settings", "--json", cwd=home).stdout)["app"]["name"],
    ) == (
        0,
        "Toy",
    )
    said = {line.split()[0]: line.split()[-1] for line in text.stdout.splitlines() if line.startswith("  ")}
    assert (said["rooms"], said["pool_size"]) == ("app.toml", "default")


def test_the_address_of_the_session_store_is_printed_without_its_password(home: Path) -> None:
    (home / "app.toml").write_text(f'{APP}[sessions]\nstore = "valkey"\n', encoding="utf-8")
    env = {"SHIPWORTHY_VALKEY_URL": "valkeys://app:hid:den@cache.example:6380/0?x=hidden"}
    said = shipworthy("settings", cwd=home, env=env).stdout
    assert "valkeys://app:***@cache.example:6380" in said
    assert "hid" not in said


def test_an_app_on_valkey_is_told_where_it_is_and_a_wrong_address_is_not_repeated() -> None:
    environment = {
        "SHIPWORTHY_REALM": REALM,
        "SHIPWORTHY_DB_URL_APP": "postgresql://127.0.0.1:1/x",
        "SHIPWORTHY_STATE": "state",
        "SHIPWORTHY_SIGNING_KEY": "k",
    }
    assert installation_from(environment, role="app").valkey_url is None
    with pytest.raises(click.UsageError, match="SHIPWORTHY_VALKEY_URL is not set"):
        installation_from(environment, role="app", store="valkey")
    told = {**environment, "SHIPWORTHY_VALKEY_URL": "rediss://:pw@host:6379/1"}
    assert installation_from(told, role="app", store="valkey").valkey_url == "rediss://:pw@host:6379/1"
    for url in (
        "http://:hidden@host:1",
        "valkey://:hidden@:6379",
        "valkey://:hidden@host:x",
        "valkey:hidden",
    ):
        with pytest.raises(click.UsageError, match="SHIPWORTHY_VALKEY_URL must be") as refused:
            installation_from({**told, "SHIPWORTHY_VALKEY_URL": url}, role="app", store="valkey")
        assert "hidden" not in str(refused.value)


def test_the_keys_of_file_links_are_two_at_most_and_not_repeated_when_wrong() -> None:
    environment = {
        "SHIPWORTHY_REALM": REALM,
        "SHIPWORTHY_DB_URL_APP": "postgresql://localhost/app",
        "SHIPWORTHY_STATE": "state",
        "SHIPWORTHY_SIGNING_KEY": "signing",
    }
    assert installation_from(environment, role="app").file_keys == ()
    new = "n" * 32
    given = installation_from({**environment, "SHIPWORTHY_FILES_KEYS": f"{new}, default"}, role="app")
    assert given.file_keys == (new.encode(), key_of(b"signing"))
    for wrong in ("short", f"{new},{new[:-1]}x,default"):
        with pytest.raises(click.UsageError, match="SHIPWORTHY_FILES_KEYS must be") as refused:
            installation_from({**environment, "SHIPWORTHY_FILES_KEYS": wrong}, role="app")
        assert wrong not in refused.value.message


def test_a_broken_environment_is_named(home: Path) -> None:
    audit = ("audit", "verify", "--tenant", REALM)
    installation = {
        "SHIPWORTHY_REALM": REALM,
        "SHIPWORTHY_DB_URL_APP": "postgresql://127.0.0.1:1/x",
        "SHIPWORTHY_DB_URL_AUDITOR": "postgresql://127.0.0.1:1/x",
        "SHIPWORTHY_STATE": "state",
        "SHIPWORTHY_SIGNING_KEY": "k",
    }
    assert_refused(
        shipworthy(*audit, cwd=home, env={**installation, "SHIPWORTHY_REALM": "x"}), "SHIPWORTHY_REALM"
    )
    assert_refused(shipworthy(*audit, cwd=home, env=installation), "database")
    for name in ("SHIPWORTHY_PUBLIC_PORT", "SHIPWORTHY_MAIL_PORT"):
        assert_refused(shipworthy("describe", cwd=home, env={name: "x"}), name)


@pytest.mark.parametrize("url", ["nonsense", "postgresql://127.0.0.1:1/x"])
@pytest.mark.parametrize("command", [("tenant", "list"), ("migrate", "status"), ("migrate", "up")])
def test_a_database_that_is_not_there_is_one_sentence(home: Path, command: tuple[str, ...], url: str) -> None:
    done = shipworthy(*command, cwd=home, env={"SHIPWORTHY_DB_URL_ADMIN": url})
    assert_refused(done, "database")


def test_a_mistyped_command_names_the_nearest(tmp_path: Path) -> None:
    assert_refused(shipworthy("describ", cwd=tmp_path), "did you mean 'describe'?")
