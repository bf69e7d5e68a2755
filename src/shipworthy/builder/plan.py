"""The plan: which files a new app gets, with their whole text. Pure, so it can be shown first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from string import Template

from shipworthy import __version__
from shipworthy.builder.spec import Spec

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
}
_FILES_OF_ROOM = {"invoicing": {"tests/test_invoicing.py": "test_invoicing.py.in"}}


@dataclass(frozen=True)
class PlannedFile:
    """One file to write."""

    path: str
    text: str


def plan(spec: Spec, *, folder: str) -> tuple[PlannedFile, ...]:
    """Return the files of a new app."""
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
    return tuple(
        PlannedFile(path, Template((_SCAFFOLD / source).read_text(encoding="utf-8")).substitute(values))
        for path, source in sources.items()
    )


def _tuple_of(names: tuple[str, ...]) -> str:
    """Return a tuple as the formatter writes it in Python source."""
    quoted = [json.dumps(name) for name in names]
    return f"({quoted[0]},)" if len(quoted) == 1 else f"({', '.join(quoted)})"
