"""The plan: which files a new app gets, with their whole text. Pure, so it can be shown first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template

from shipworthy import __version__
from shipworthy.builder.schema import SCHEMA_FILE, schema_text
from shipworthy.builder.spec import Spec
from shipworthy.builder.toml import with_values

RECORD_FILE = ".scaffold.json"
_SCAFFOLD = resources.files("shipworthy.builder") / "scaffolds" / "app"
# The scaffold's dot files are stored without their dot, so that packaging keeps them.
_FILES = {
    "app.toml": "app.toml.in",
    "README.md": "README.md.in",
    "AGENTS.md": "AGENTS.md.in",
    ".gitignore": "gitignore.in",
    ".github/workflows/gauntlet.yml": "github-gauntlet.yml.in",
    ".gitlab-ci.yml": "gitlab-ci.yml.in",
    "Dockerfile": "Dockerfile.in",
    ".dockerignore": "dockerignore.in",
    "pyproject.toml": "pyproject.toml.in",
    "tests/test_app.py": "test_app.py.in",
    "rooms/__init__.py": "rooms_init.py.in",
}
_FILES_OF_ROOM = {"invoicing": {"tests/test_invoicing.py": "test_invoicing.py.in"}}


@dataclass(frozen=True)
class PlannedFile:
    """One file to write."""

    path: str
    text: str


def plan(spec: Spec, *, folder: str, own: Sequence[PlannedFile] = ()) -> tuple[PlannedFile, ...]:
    """Return the files of a new app, with those of the rooms of its `own`, and the record that `upgrade` goes by."""
    files = scaffold(spec, folder=folder)
    return (*files, *own, PlannedFile(RECORD_FILE, record_text(spec, files, folder=folder)))


def scaffold(spec: Spec, *, folder: str) -> tuple[PlannedFile, ...]:
    """Return the files that this version's scaffold makes of a spec."""
    values = {
        "name": spec.name,
        "name_toml": json.dumps(spec.name, ensure_ascii=False),
        "rooms_toml": json.dumps(list(spec.rooms)),
        "rooms_tuple": _tuple_of(spec.rooms),
        "rooms_text": ", ".join(spec.rooms),
        "locale": spec.locale,
        "port": str(spec.port),
        "folder": folder,
        "version": __version__,
    }
    sources = dict(_FILES)
    for room in spec.rooms:
        sources |= _FILES_OF_ROOM.get(room, {})
    texts = {
        path: Template((_SCAFFOLD / source).read_text(encoding="utf-8")).substitute(values)
        for path, source in sources.items()
    }
    texts["app.toml"] = with_values(texts["app.toml"], spec.values)
    texts[SCHEMA_FILE] = schema_text()
    return tuple(PlannedFile(path, text) for path, text in texts.items())


def record_text(spec: Spec, files: Sequence[PlannedFile], *, folder: str) -> str:
    """Return what is remembered of a scaffold: its version, its spec, and every file as it was written.

    Of the schema its hash is enough: nobody edits it, and it is long.
    """
    record = {
        "about": "What `shipworthy upgrade` compares with. Commit it, and leave it as it is.",
        "version": __version__,
        "folder": folder,
        "spec": spec.values,
        "files": {
            file.path: sha256_of(file.text) if file.path == SCHEMA_FILE else file.text for file in files
        },
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def sha256_of(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _tuple_of(names: tuple[str, ...]) -> str:
    """Return a tuple as the formatter writes it in Python source."""
    quoted = [json.dumps(name) for name in names]
    return f"({quoted[0]},)" if len(quoted) == 1 else f"({', '.join(quoted)})"
