"""Settings: what app.toml says, checked with line and nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.contract.strict import Undecodable
from shipworthy.kernel.settings import load_settings

GOOD = '[app]\nname = "Shop"\nrooms = ["auth", "site"]\n\n[http]\nport = 8001\n'


def write(home: Path, text: str) -> Path:
    (home / "app.toml").write_text(text)
    return home


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, GOOD))
    assert (settings.app.name, settings.http.port, settings.sessions.idle_ttl_s) == ("Shop", 8001, 86_400)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "prot = 1\n", r"app.toml:7: unknown key 'http.prot'; did you mean 'port'\?"),
        (GOOD + "[sesions]\n", r"app.toml:7: unknown key 'sesions'; did you mean 'sessions'\?"),
        (GOOD.replace("8001", '"8001"'), r"app.toml:6: http.port must be a whole number"),
        (GOOD.replace('name = "Shop"\n', ""), r"missing key 'app.name'"),
        (GOOD + "[", r"app.toml: not valid TOML"),
        (
            GOOD + 'workers = 2\n[sessions]\nstore = "memory"\n',
            r"app.toml:9: .*keeps sessions in one process",
        ),
        (
            GOOD + '[edge]\nlimits = "valkey"\n',
            r'app.toml:8: .*set sessions.store = "valkey" too',
        ),
        (GOOD + "body_bytes_max = 0\n", r"app.toml:7: http.body_bytes_max must be at least 1, not 0"),
        (GOOD.replace("8001", "80010"), r"app.toml:6: http.port must be 0 to 65535, not 80010"),
        (
            GOOD + '[sessions]\nstore = "redis"\n',
            r"app.toml:8: sessions.store must be one of 'memory', 'valkey', 'postgres'",
        ),
    ],
)
def test_a_wrong_setting_names_line_and_nearest_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Undecodable, match=message):
        load_settings(write(tmp_path, text))


def test_the_supervisor_may_say_where_mail_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPWORTHY_MAIL_PORT", "2525")
    assert load_settings(write(tmp_path, GOOD)).mail.port == 2525


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'client_id = "a"\nisuer = "x"',
            r"app.toml:6: unknown key 'auth.providers.own.isuer'; did you mean 'issuer'\?",
        ),
        ('issuer = "https://x.example"', "missing key"),
        ('client_id = ""\nkind = "google"', "client_id must not be empty"),
        ('client_id = "a"', "needs an issuer"),
        ('client_id = "a"\nkind = "github"\nissuer = "https://x.example"', "leave it out"),
        *(
            (f'client_id = "a"\nissuer = "{issuer}"', "must be an https:// address")
            for issuer in (
                "http://x.example",
                "https://x.example?a",
                "https://a@x.example",
                "x",
                "https://x:0",
            )
        ),
        ('client_id = "a"\nkind = "yahoo"', "must be one of"),
        ('client_id = "a"\nclient_secret = "s"', "unknown key"),
    ],
)
def test_a_provider_that_is_not_in_order_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(Undecodable, match=problem):
        load_settings(write(tmp_path, f'[app]\nname = "A"\nrooms = ["auth"]\n[auth.providers.own]\n{text}\n'))


def test_a_provider_is_read_with_its_table(tmp_path: Path) -> None:
    text = '[app]\nname = "A"\nrooms = ["auth"]\n[auth.providers.own]\nclient_id = "a"\nissuer = "https://x.example"\n'
    own = load_settings(write(tmp_path, text)).auth.providers["own"]
    assert (own.kind, own.issuer, own.scopes) == ("oidc", "https://x.example", ())
    with pytest.raises(Undecodable, match="a name is lower-case"):
        load_settings(write(tmp_path, text.replace(".own]", ".Own]")))


def test_an_examiner_brings_a_provider_on_this_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = write(tmp_path, '[app]\nname = "A"\nrooms = ["auth"]\n')
    monkeypatch.setenv("SHIPWORTHY_OAUTH_STUB", "http://127.0.0.1:9999;examined-stub")
    stub = load_settings(home).auth.providers["stub"]
    assert (stub.issuer, stub.client_id) == ("http://127.0.0.1:9999", "examined-stub")
    for wrong in ("https://idp.example;a", "http://127.0.0.1:1", "x", "http://127.0.0.1.evil.example;a"):
        monkeypatch.setenv("SHIPWORTHY_OAUTH_STUB", wrong)
        with pytest.raises(Undecodable, match="on this machine"):
            load_settings(home)
