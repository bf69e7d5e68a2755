"""An environment that holds one extra and nothing else, made of what is installed here: no network.

What `pip install 'shipworthy[extra]'` brings is followed through the metadata of the installed
distributions, markers and extras included, and linked file by file into a new environment.
"""

from __future__ import annotations

import sysconfig
import tomllib
import venv
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent


def environment_with(extra: str, folder: Path) -> Path:
    """Make an environment in `folder` with our package and one of its extras; return its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(folder)}))
    for name in installed_with(extra):
        _link(name, site)
    (site / "shipworthy.pth").write_text(f"{ROOT / 'src'}\n", encoding="utf-8")
    return folder / "bin" / "python"


def installed_with(extra: str) -> set[str]:
    """Return the names of the distributions that our package brings with this extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, set[str]] = {}
    waiting = [*project["dependencies"], *project["optional-dependencies"][extra]]
    while waiting:
        wanted = Requirement(waiting.pop())
        name, extras = canonicalize_name(wanted.name), set(wanted.extras)
        if name not in found or not extras <= found[name]:
            found[name] = found.get(name, set()) | extras
            waiting += _needed_by(name, found[name])
    return set(found)


def _needed_by(name: str, extras: Iterable[str]) -> list[str]:
    return [
        text
        for text in distribution(name).requires or []
        if (marker := Requirement(text).marker) is None
        or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def _link(name: str, site: Path) -> None:
    for file in distribution(name).files or []:
        if ".." not in file.parts and "__pycache__" not in file.parts:  # programs and caches are not imported
            link = site / file
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file.locate())
