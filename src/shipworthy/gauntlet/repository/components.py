"""What an app is built of: its packages, their licences, and the programs that packages bring along.

Python's come from the interpreter the app runs with, Node's from its lock file. Nothing is guessed: a
licence that is not stated is unknown.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipworthy.contract.target import Target
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.tool import output_of

# Asked of the app's own interpreter, whatever its version: the standard library alone.
_ASK = """
import hashlib, importlib.metadata as metadata, json, os, sys, sysconfig
found = []
for one in metadata.distributions():
    said = one.metadata
    programs = []
    for file in one.files or []:
        path = str(one.locate_file(file))
        if not path.endswith(".so") and ".so." not in path and os.access(path, os.X_OK) and os.path.isfile(path):
            with open(path, "rb") as opened:
                if opened.read(4) == b"\\x7fELF":
                    opened.seek(0)
                    programs.append([os.path.basename(path), hashlib.sha256(opened.read()).hexdigest()])
    licences = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or [] if c.startswith("License :: ")]
    found.append({"name": said["Name"], "version": said["Version"], "licence": said.get("License-Expression") or "",
                  "said": said.get("License") or "", "classified": licences,
                  "needs": [r.split(";")[0] for r in one.requires or [] if "extra ==" not in r], "programs": programs})
paths = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
infos = sorted({name for path in paths if os.path.isdir(path) for name in os.listdir(path) if name.endswith(".dist-info")})
sys.stdout.write(json.dumps({"packages": found, "infos": infos}))
"""
_SPDX_OF_CLASSIFIER = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
}
_SHORT_CHARS_MAX = 60  # a licence's whole text stands in that field, too


@dataclass(frozen=True, kw_only=True)
class Component:
    """One package. `kind` is the package URL's type; `licence` an SPDX expression, or what it calls itself."""

    kind: str  # pypi | npm
    name: str
    version: str
    licence: str = ""
    needs: tuple[str, ...] = ()
    programs: tuple[tuple[str, str], ...] = ()  # file name and SHA-256 of what it brings that can be run

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"


async def known_components(exam: Exam) -> list[Component]:
    """Return everything the app is built of, listed once a run. Errors: as `components_of`."""
    return await exam.once("components", lambda: components_of(exam.target))


async def components_of(target: Target) -> list[Component]:
    """Return everything a target is built of, as far as it can be known.

    Errors:  Unmeasurable when neither an interpreter nor a lock file is known.
    """
    folder, found = Path(target.folder), []
    interpreter, lock = interpreter_of(target), folder / "package-lock.json"
    if interpreter is not None:
        found += await _of_python(interpreter, folder)
    if lock.is_file():
        found += _of_node(lock)
    if not found:
        raise Unmeasurable(
            "Neither a Python interpreter nor a package-lock.json of the app was found.",
            fix="Start it with its own interpreter (target.start), or commit package-lock.json.",
        )
    return sorted(found, key=lambda one: (one.kind, one.name.lower(), one.version))


def interpreter_of(target: Target) -> str | None:
    """Return the Python the app runs with, or None where it runs with none."""
    first = (target.start or ("",))[0].replace("{python}", sys.executable)
    if re.fullmatch(r"python[\d.]*", Path(first).name):
        # A path is meant from the app's folder, wherever the examiner was called.
        return (
            shutil.which(str(Path(target.folder).absolute() / first)) if "/" in first else shutil.which(first)
        )
    for name in (".venv", "venv"):
        if (path := Path(target.folder) / name / "bin" / "python").is_file():
            return str(path.absolute())
    return None


async def _of_python(interpreter: str, folder: Path) -> list[Component]:
    told = json.loads(await output_of(interpreter, ["-I", "-c", _ASK], cwd=folder))
    found = {_canonical(one["name"]): _component(one) for one in told["packages"] if one["name"]}
    # The folders beside the packages, counted another way: what the list lacks would be missing in silence.
    seen = {_canonical(name.removesuffix(".dist-info").rpartition("-")[0]) for name in told["infos"]}
    if missing := sorted(seen - set(found)):
        raise Unmeasurable(
            f"The list of Python packages is incomplete: {', '.join(missing[:5])} are missing."
        )
    return list(found.values())


def _component(one: dict[str, Any]) -> Component:
    needs = {
        _canonical(match.group()) for need in one["needs"] if (match := re.match(r"[A-Za-z0-9._-]+", need))
    }
    return Component(
        kind="pypi",
        name=_canonical(one["name"]),
        version=one["version"] or "",
        licence=_licence(one),
        needs=tuple(sorted(needs)),
        programs=tuple((name, digest) for name, digest in one["programs"]),
    )


def _licence(one: dict[str, Any]) -> str:
    """The stated expression; else the classifiers; else what the field says, if it is short enough to be a name."""
    if one["licence"]:
        return str(one["licence"])
    known = [_SPDX_OF_CLASSIFIER.get(said, said) for said in one["classified"] if said != "OSI Approved"]
    if known:
        return " OR ".join(known)
    said = one["said"].strip()
    return said if 0 < len(said) <= _SHORT_CHARS_MAX and "\n" not in said else ""


def _of_node(lock: Path) -> list[Component]:
    try:
        packages = json.loads(lock.read_text(encoding="utf-8")).get("packages", {})
        return [
            _locked(path, one)
            for path, one in packages.items()
            if path and not one.get("dev") and not one.get("link")
        ]
    except (ValueError, AttributeError) as broken:  # no JSON, or of another shape than npm's
        raise Unmeasurable(
            f"{lock.name} cannot be read: {broken}.", fix="Make it anew: npm install --package-lock-only."
        ) from broken


def _locked(path: str, one: dict[str, Any]) -> Component:
    return Component(
        kind="npm",
        name=one.get("name") or path.rpartition("node_modules/")[2],
        version=one.get("version", ""),
        licence=str(one.get("license", "")),
        needs=tuple(sorted(one.get("dependencies", {}))),
    )


def _canonical(name: str) -> str:
    """Return a Python package's name as indexes write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
