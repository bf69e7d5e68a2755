"""The strangers: how each is installed and set up by its own manual, and what a person then adds by hand.

Nothing of them is changed. `wanted` are the arguments of `shipworthy init`; `by_hand` the lines that only its owner
can know: who may sign in, where the database is.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers

HERE = Path(__file__).parent
PASSWORD = "a wide river at dusk"
_SETUP_TIMEOUT_S = 300


@dataclass(frozen=True)
class Stranger:
    """One app. `install` returns where it is, or None; `set_up` makes a project of it in a folder, given a database."""

    name: str
    kind: str
    install: Callable[[], Path | None]
    set_up: Callable[[Path, Path, str], None]
    wanted: tuple[str, ...]
    by_hand: str = ""  # {database} is filled in


def _run(command: list[str], folder: Path, **env: str) -> None:
    subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **env},
        timeout=_SETUP_TIMEOUT_S,
        check=True,
        capture_output=True,
    )


def _venv(folder: Path, python: Path) -> None:
    (folder / ".venv").symlink_to(python.parent.parent, target_is_directory=True)


def _wagtail(folder: Path, python: Path, database: str) -> None:
    _run([str(python.with_name("wagtail")), "start", "site_of_ours", str(folder)], folder.parent)
    _venv(folder, python)
    (folder / "site_of_ours" / "settings" / "local.py").write_text(
        "from urllib.parse import urlsplit\n"
        f"_at = urlsplit({database!r})\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': _at.path[1:],\n"
        "    'USER': _at.username, 'PASSWORD': _at.password, 'HOST': _at.hostname, 'PORT': _at.port}}\n"
    )
    manage = [".venv/bin/python", "manage.py"]
    _run([*manage, "migrate", "--no-input"], folder)
    who = ["--username", "ann", "--email", "ann@wagtail.example"]
    _run([*manage, "createsuperuser", "--no-input", *who], folder, DJANGO_SUPERUSER_PASSWORD=PASSWORD)


def _datasette(folder: Path, python: Path, _database: str) -> None:
    _venv(folder, python)
    with sqlite3.connect(folder / "shop.db") as shop:
        shop.execute("create table customer (id integer primary key, name text not null, town text not null)")
        rows = ((f"Customer {n}", f"Town {n % 40}") for n in range(2_000))
        shop.executemany("insert into customer (name, town) values (?, ?)", rows)
    shop.close()


def _isso(folder: Path, python: Path, _database: str) -> None:
    _venv(folder, python)
    (folder / "isso.cfg").write_text(
        f"[general]\ndbpath = {folder}/comments.db\nhost = http://localhost/\n"
        f"[admin]\nenabled = true\npassword = {PASSWORD}\n"
    )


def _verdaccio(folder: Path, home: Path, _database: str) -> None:
    (folder / "node_modules").symlink_to(home / "node_modules", target_is_directory=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(home / name, folder)
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
    (folder / "htpasswd").write_text("".join(f"{name}:{{SHA}}{digest}\n" for name in ("ann", "bob")))
    (folder / "config.yaml").write_text(
        "storage: ./storage\nauth:\n  htpasswd:\n    file: ./htpasswd\nuplinks: {}\n"
        "packages:\n  '**':\n    access: $all\n    publish: $authenticated\n"
    )


STRANGERS = (
    Stranger(
        name="wagtail",
        kind="Django 6, PostgreSQL",
        install=lambda: peers.python_peer("strangers-wagtail", "wagtail==8.0.1", "psycopg[binary]==3.3.9"),
        set_up=_wagtail,
        wanted=("--start", "--person", "ann", PASSWORD),
    ),
    Stranger(
        name="datasette",
        kind="ASGI, SQLite",
        install=lambda: peers.python_peer("strangers-datasette", "datasette==0.65.5"),
        set_up=_datasette,
        wanted=("--run", ".venv/bin/datasette shop.db -p {port}"),
    ),
    Stranger(
        name="isso",
        kind="Werkzeug (WSGI), SQLite",
        install=lambda: peers.python_peer("strangers-isso", "isso==0.14.0", "gunicorn==27.0.1"),
        set_up=_isso,
        wanted=("--run", "env ISSO_SETTINGS=isso.cfg .venv/bin/gunicorn isso.run -b 127.0.0.1:{port}"),
        by_hand="""\
[[route]]
path = "/info"
[[route]]
path = "/admin/"
[[route]]
path = "/?uri=/an-article"
expect = [200, 404]
[[route]]
method = "POST"
path = "/new?uri=/an-article&title=An+article"
json = { text = "a comment of the examiner" }
expect = [201, 202]
""",
    ),
    Stranger(
        name="verdaccio",
        kind="Express (Node), files",
        install=lambda: peers.npm_locked_peer("strangers-verdaccio", HERE / "verdaccio"),
        set_up=_verdaccio,
        wanted=("--run", "npx verdaccio --config config.yaml --listen 127.0.0.1:{port}"),
        by_hand=f"""\
[login]
route = "POST /-/verdaccio/sec/login"
form = {{ username = "{{email}}", password = "{{password}}" }}
media = "json"
ok = [200]

[[credential]]
email = "ann"
password = "{PASSWORD}"
tenant = "Ann"

[[credential]]
email = "bob"
password = "{PASSWORD}"
tenant = "Bob"
""",
    ),
)
