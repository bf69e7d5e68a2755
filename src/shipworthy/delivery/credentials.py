"""What a new installation must know and nobody else may: its keys, its roles' passwords, its realm.

Made once, written to files that are never written again: who makes them anew locks the app out of its own data.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field

_BYTES = 32
_ROLES = ("app", "worker", "reader", "auditor")
DATABASE_PORT = 5432
ADMIN = "postgres"


def _word() -> str:
    return secrets.token_urlsafe(_BYTES)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """All of an installation. Its text is not shown where it is printed."""

    realm: str = field(default_factory=lambda: str(uuid.uuid4()))
    signing_key: str = field(default_factory=_word, repr=False)
    admin_password: str = field(default_factory=_word, repr=False)
    valkey_password: str = field(default_factory=_word, repr=False)
    passwords: dict[str, str] = field(default_factory=lambda: {role: _word() for role in _ROLES}, repr=False)


def files_of(
    credentials: Credentials,
    *,
    database_host: str,
    name: str,
    valkey_host: str = "",
    superuser: tuple[str, str] | None = None,
) -> dict[str, str]:
    """Return the files by name, `NAME=value` a line: what web and worker know, what migrates, what starts the database.

    The web never learns the administrator's address. `superuser` is how who keeps the database calls its name and
    password, an empty one is not said; None: somebody else keeps it.
    """

    def url(role: str, password: str) -> str:
        return f"postgresql://{role}:{password}@{database_host}:{DATABASE_PORT}/{name}"

    app = {
        "SHIPWORTHY_REALM": credentials.realm,
        "SHIPWORTHY_SIGNING_KEY": credentials.signing_key,
        "SHIPWORTHY_DB_URL_APP": url("app", credentials.passwords["app"]),
        "SHIPWORTHY_DB_URL_WORKER": url("worker", credentials.passwords["worker"]),
    }
    if valkey_host:
        app["SHIPWORTHY_VALKEY_URL"] = f"valkey://:{credentials.valkey_password}@{valkey_host}:6379"
    admin = {
        "SHIPWORTHY_DB_URL_ADMIN": url(ADMIN, credentials.admin_password),
        "SHIPWORTHY_DB_URL_READER": url("reader", credentials.passwords["reader"]),
        "SHIPWORTHY_DB_URL_AUDITOR": url("auditor", credentials.passwords["auditor"]),
    }
    files = {"app.env": app, "admin.env": admin}
    if superuser:
        told = zip(superuser, (ADMIN, credentials.admin_password), strict=True)
        files["database.env"] = {key: value for key, value in told if key}
    if valkey_host:
        files["valkey.env"] = {"VALKEY_PASSWORD": credentials.valkey_password}
    return {
        file: "".join(f"{key}={value}\n" for key, value in lines.items()) for file, lines in files.items()
    }
