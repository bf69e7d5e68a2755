"""What a folder says of the app in it: each kind as its own tools lay it out.

Covers: draft.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.gauntlet.discover.repository import read_repository


def laid_out(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI(title='Shop')\n"


@pytest.mark.parametrize(
    ("files", "start"),
    [
        ({"Procfile": "release: x\nweb: gunicorn shop.wsgi --bind 0.0.0.0:$PORT\n"}, "gunicorn shop.wsgi --bind 0.0.0.0:{port}"),
        ({"Procfile": "web: node server.js\n"}, "env PORT={port} node server.js"),
        ({"manage.py": "", "uv.lock": ""}, "uv run python manage.py runserver --noreload 127.0.0.1:{port}"),
        ({"app/main.py": FASTAPI, "poetry.lock": ""}, "poetry run python -m uvicorn app.main:app --port {port}"),
        ({"web.py": "from flask import Flask\nsite: Flask = Flask(__name__)\n"}, "python3 -m flask --app web:site run --port {port}"),
        ({"package.json": '{"dependencies": {"next": "15"}, "scripts": {"start": "next start"}}'}, "npx next start --port {port}"),
        ({"package.json": '{"scripts": {"start": "node index.js"}}'}, "env PORT={port} npm start"),
        ({"package.json": '{"devDependencies": {"vite": "7"}}'}, "npx vite preview --port {port} --strictPort"),
        ({"bin/rails": ""}, "bin/rails server -b 127.0.0.1 -p {port}"),
        ({"artisan": ""}, "php artisan serve --host 127.0.0.1 --port {port}"),
        ({"go.mod": "module shop\n"}, "env PORT={port} go run ."),
    ],
)  # fmt: skip
def test_each_kind_of_app_is_started_as_its_own_tools_do(
    tmp_path: Path, files: dict[str, str], start: str
) -> None:
    seen = read_repository(laid_out(tmp_path, files))
    assert seen.start is not None
    assert seen.start.value == start


def test_an_app_in_its_own_environment_is_started_by_that_environments_python(tmp_path: Path) -> None:
    laid_out(tmp_path, {"main.py": FASTAPI, ".venv/bin/python": ""})
    seen = read_repository(tmp_path)
    assert seen.start is not None
    assert seen.start.value.startswith(".venv/bin/python -m uvicorn main:app")
    assert "main.py: app = FastAPI" in seen.start.where


def test_other_peoples_code_and_tests_are_not_taken_for_the_app(tmp_path: Path) -> None:
    laid_out(
        tmp_path, {"node_modules/x/main.py": FASTAPI, "tests/main.py": FASTAPI, ".hidden/main.py": FASTAPI}
    )
    (tmp_path / "link").symlink_to(tmp_path / "tests", target_is_directory=True)
    assert read_repository(tmp_path).start is None


def test_the_shallowest_app_that_is_called_app_is_the_one(tmp_path: Path) -> None:
    both = "from fastapi import FastAPI\nadmin = FastAPI()\napp = FastAPI()\n"
    laid_out(tmp_path, {"deep/er/main.py": FASTAPI, "api/main.py": both})
    seen = read_repository(tmp_path)
    assert seen.start is not None
    assert "api.main:app" in seen.start.value


def test_a_database_of_this_machine_is_taken_and_one_elsewhere_is_left_out_and_said(tmp_path: Path) -> None:
    here, away = tmp_path / "here", tmp_path / "away"
    laid_out(
        here, {"go.mod": "", ".env": "X=1\nDATABASE_URL='postgresql+asyncpg://me:pw@localhost:5432/shop'\n"}
    )
    laid_out(away, {"go.mod": "", ".env": "DATABASE_URL=postgres://me:pw@db.sample.example/shop\n"})
    seen = read_repository(here)
    assert seen.database is not None
    assert seen.database.value == "postgresql://me:pw@localhost:5432/shop"
    assert read_repository(away).database is None
    assert any("db.sample.example" in note and "pw" not in note for note in read_repository(away).notes)


def test_a_store_that_is_not_postgresql_is_said_to_stay_unmeasured(tmp_path: Path) -> None:
    laid_out(tmp_path, {"go.mod": "", ".env": "DATABASE_URL=mysql://me:pw@localhost/shop\n"})
    seen = read_repository(tmp_path)
    assert seen.database is None
    assert any("names mysql" in note and "not measured" in note and "pw" not in note for note in seen.notes)


def test_broken_files_are_no_reason_to_stop(tmp_path: Path) -> None:
    laid_out(tmp_path, {"package.json": "{", "pyproject.toml": "= 1", "main.py": "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")})  # fmt: skip
    seen = read_repository(tmp_path)
    assert seen.start is None
    assert seen.name is not None
    assert seen.name.value == tmp_path.name
