"""What a new installation must know: made anew each time, told to those who need it, shown nowhere."""

from __future__ import annotations

from urllib.parse import urlsplit

from shipworthy.delivery.credentials import Credentials, files_of


def lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_every_address_names_its_role_and_passwords_fit_together() -> None:
    made = Credentials()
    files = {
        name: lines(text)
        for name, text in files_of(
            made, database_host="db", name="shop", valkey_host="kept", superuser=("", "POSTGRES_PASSWORD")
        ).items()
    }
    assert set(files) == {"app.env", "admin.env", "database.env", "valkey.env"}
    for file, role in (
        ("app.env", "app"),
        ("app.env", "worker"),
        ("admin.env", "reader"),
        ("admin.env", "auditor"),
    ):
        address = urlsplit(files[file][f"SHIPWORTHY_DB_URL_{role.upper()}"])
        assert (address.username, address.password) == (role, made.passwords[role])
        assert (address.hostname, address.port, address.path) == ("db", 5432, "/shop")
    admin = urlsplit(files["admin.env"]["SHIPWORTHY_DB_URL_ADMIN"])
    assert (admin.username, admin.password) == ("postgres", files["database.env"]["POSTGRES_PASSWORD"])
    assert files["valkey.env"]["VALKEY_PASSWORD"] in files["app.env"]["SHIPWORTHY_VALKEY_URL"]
    assert "SHIPWORTHY_DB_URL_ADMIN" not in files["app.env"]
    assert "SHIPWORTHY_VALKEY_URL" not in files_of(made, database_host="db", name="shop")["app.env"]


def test_two_installations_share_nothing_and_printing_one_shows_no_secret() -> None:
    one, another = Credentials(), Credentials()
    secrets = [one.signing_key, one.admin_password, one.valkey_password, *one.passwords.values()]
    assert len(set(secrets)) == 7 and all(len(secret) >= 32 for secret in secrets)
    assert not set(secrets) & {another.signing_key, another.admin_password, *another.passwords.values()}
    assert one.realm != another.realm
    assert not [secret for secret in secrets if secret in repr(one)]
