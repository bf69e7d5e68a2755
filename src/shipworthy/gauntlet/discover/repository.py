"""What an app's folder says: how it is started, and which database it talks to.

Reads files and runs nothing. One function per kind of app, asked in order; the first that knows
the folder answers. {port} is where the gauntlet puts a free port.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shipworthy.gauntlet.capabilities import is_loopback
from shipworthy.gauntlet.discover.draft import Draft, Seen

FILES_MAX = 2_000  # of one kind, looked into; more than any app an AI tool writes
BYTES_MAX = 512 * 1024
_SKIPPED = frozenset(
    {".git", ".venv", "venv", "env", "node_modules", "site-packages", "dist", "build", "vendor", "tests", "test"}
)  # fmt: skip
_PYTHON_APP = re.compile(
    r"^(\w+)\s*(?::[^=\n]+)?=\s*(FastAPI|Starlette|Quart|Litestar|Flask)\(", re.MULTILINE
)
_PORT_VARIABLE = re.compile(r"\$\{?PORT\}?(?::-\d+\})?")
_ENV_FILES = (".env", ".env.local", ".env.development", ".env.example", ".env.sample")
_DATABASE = re.compile(r"^\s*(?:export\s+)?(\w*DATABASE_URL|POSTGRES_URL)\s*=\s*[\"']?(postgres(?:ql)?(?:\+\w+)?://[^\s\"'#]+)", re.MULTILINE)  # fmt: skip
_OTHER_STORE = re.compile(r"^\s*(?:export\s+)?(\w*DATABASE_URL|MONGO\w*_UR[IL])\s*=\s*[\"']?(mysql|mariadb|sqlite|mongodb|sqlserver|libsql)\b", re.MULTILINE)  # fmt: skip
_NODE_SERVERS = {
    "next": ("npx next start --port {port}", "npm run build"),
    "astro": ("npx astro preview --port {port}", "npm run build"),
    "nuxt": ("env PORT={port} node .output/server/index.mjs", "npm run build"),
    "@sveltejs/kit": ("npx vite preview --port {port} --strictPort", "npm run build"),
    "@remix-run/serve": ("env PORT={port} npm start", "npm run build"),
    "@react-router/serve": ("env PORT={port} npm start", "npm run build"),
}


def read_repository(folder: Path) -> Draft:
    """Return what the folder says. Errors: OSError when it cannot be read."""
    found = next((draft for kind in _KINDS if (draft := kind(folder))), Draft())
    named = Draft(name=Seen(folder.resolve().name, "the folder's name"))
    return found.completed_by(_database(folder)).completed_by(named)


def _procfile(folder: Path) -> Draft | None:
    for line in _text(folder / "Procfile").splitlines():
        kind, _, command = line.partition(":")
        if kind.strip() == "web" and command.strip():
            return Draft(start=Seen(_with_port(command.strip()), "Procfile: web"))
    return None


def _django(folder: Path) -> Draft | None:
    if not (folder / "manage.py").is_file():
        return None
    command = f"{_python(folder)} manage.py runserver --noreload 127.0.0.1:{{port}}"
    note = (
        "runserver is Django's server for development; for honest latencies start the one you deploy, "
        "for example: gunicorn PROJECT.wsgi --bind 127.0.0.1:{port}"
    )
    return Draft(start=Seen(command, "manage.py"), notes=(note,))


def _python_app(folder: Path) -> Draft | None:
    apps = [found for path in _files(folder, ".py") for found in _python_apps(path, folder)]
    if not apps:
        return None
    # The shallowest file, and of several in one the one that is called app: where frameworks put it.
    path, variable, framework = min(apps, key=lambda app: (len(app[0].parts), app[1] != "app", str(app[0])))
    module = ".".join(path.with_suffix("").parts)
    python = _python(folder)
    if framework == "Flask":
        command = f"{python} -m flask --app {module}:{variable} run --port {{port}}"
    else:
        command = f"{python} -m uvicorn {module}:{variable} --port {{port}}"
    return Draft(start=Seen(command, f"{path}: {variable} = {framework}(…)"))


def _python_apps(path: Path, folder: Path) -> Iterator[tuple[Path, str, str]]:
    for variable, framework in _PYTHON_APP.findall(_text(path)):
        yield path.relative_to(folder), variable, framework


def _node(folder: Path) -> Draft | None:
    package = _json(folder / "package.json")
    if not isinstance(package, dict):
        return None
    packages = {**_table(package, "dependencies"), **_table(package, "devDependencies")}
    scripts = _table(package, "scripts")
    named = Seen(package["name"], "package.json: name") if isinstance(package.get("name"), str) else None
    for name, (command, first) in _NODE_SERVERS.items():
        if name in packages:
            note = f"Build it before the examination: {first}"
            return Draft(
                name=named, start=Seen(command, f"package.json: {name}"), notes=(note, *_supabase(packages))
            )
    if isinstance(scripts.get("start"), str):
        start = Seen(_with_port("npm start"), f"package.json: scripts.start ({scripts['start']})")
        return Draft(name=named, start=start, notes=_supabase(packages))
    if "vite" in packages:
        start = Seen("npx vite preview --port {port} --strictPort", "package.json: vite")
        return Draft(
            name=named,
            start=start,
            notes=("Build it before the examination: npm run build", *_supabase(packages)),
        )
    return None


def _supabase(packages: dict[str, Any]) -> tuple[str, ...]:
    if "@supabase/supabase-js" not in packages:
        return ()
    return (
        "It talks to Supabase from the browser: what the anon key may read and write is decided by row security. "
        "Set target.database to a local copy (supabase start), and every table is asked as that role.",
    )


def _rails(folder: Path) -> Draft | None:
    if not (folder / "bin" / "rails").is_file():
        return None
    return Draft(start=Seen("bin/rails server -b 127.0.0.1 -p {port}", "bin/rails"))


def _laravel(folder: Path) -> Draft | None:
    if not (folder / "artisan").is_file():
        return None
    return Draft(start=Seen("php artisan serve --host 127.0.0.1 --port {port}", "artisan"))


def _go(folder: Path) -> Draft | None:
    if not (folder / "go.mod").is_file():
        return None
    return Draft(start=Seen(_with_port("go run ."), "go.mod; it is told the port as PORT"))


_KINDS: tuple[Callable[[Path], Draft | None], ...] = (
    _procfile, _django, _python_app, _node, _rails, _laravel, _go,
)  # fmt: skip


def _database(folder: Path) -> Draft:
    for name in _ENV_FILES:
        if found := _DATABASE.search(_text(folder / name)):
            variable, url = found.groups()
            if is_loopback(urlsplit(url).hostname or ""):
                return Draft(
                    database=Seen(re.sub(r"^postgres\w*(\+\w+)?:", "postgresql:", url), f"{name}: {variable}")
                )
            note = (
                f"{name} names a database on another machine ({urlsplit(url).hostname}): it was left out. The "
                "gauntlet writes rows and inflicts faults; give it a copy here, as target.database."
            )
            return Draft(notes=(note,))
        if other := _OTHER_STORE.search(_text(folder / name)):
            note = (
                f"{name} names {other.group(2)}: what a request makes a database do (repeated queries, plans, row "
                "security) is read from PostgreSQL only, and stays not measured."
            )
            return Draft(notes=(note,))
    return Draft()


def _with_port(command: str) -> str:
    """Say where the port goes: in place of $PORT, or else in the variable PORT."""
    placed, times = _PORT_VARIABLE.subn("{port}", command)
    return placed if times else f"env PORT={{port}} {command}"


def _python(folder: Path) -> str:
    """Return how the app's own Python is run."""
    for venv in (".venv", "venv"):
        if (folder / venv / "bin" / "python").exists():
            return f"{venv}/bin/python"
    if (folder / "uv.lock").is_file():
        return "uv run python"
    if (folder / "poetry.lock").is_file() or "poetry" in _table(_toml(folder / "pyproject.toml"), "tool"):
        return "poetry run python"
    return "python3"


def _files(folder: Path, suffix: str) -> Iterator[Path]:
    """Yield the app's own files of one kind, the shallowest first, none through a link."""
    waiting, given = [folder], 0
    while waiting:
        here = waiting.pop(0)
        for path in sorted(here.iterdir()):
            if path.is_symlink() or path.name in _SKIPPED:
                continue
            if path.is_dir() and not path.name.startswith("."):
                waiting.append(path)
            elif path.suffix == suffix:
                given += 1
                yield path
            if given >= FILES_MAX:
                return


def _text(path: Path) -> str:
    """Return a file's text; of one that is missing, odd or huge nothing, or its beginning."""
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX).decode("utf-8", "replace")
    except OSError:
        return ""


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path) or "null")
    except ValueError:
        return None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError:
        return {}


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}
