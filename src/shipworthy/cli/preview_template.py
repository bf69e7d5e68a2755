"""Templates of previews: a seeded database and the state that belongs to it, built once for each schema.

Its key is what it is made of: migrations, example data and the app's rooms. A branch that changes none of
them is cloned; one that does gets a template of its own, built by the branch's own code.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import shipworthy
from shipworthy.cli.project import Project
from shipworthy.kernel.db.clone import database_url, databases_like, drop_database, seal_template
from shipworthy.local.errors import PreviewFailed
from shipworthy.local.hostline import Say
from shipworthy.local.lifeline import Lifeline
from shipworthy.local.statedir import StateDir

KEPT_MAX = 3  # templates; the one used longest ago goes first
# What a database is made of. Python that seeds through the rooms counts where it is called so.
_MADE_OF = ("**/migrations/*.sql", "**/bootstrap.sql", "**/seed*", "**/volume.sql")


@dataclass(frozen=True, kw_only=True)
class Template:
    """A finished template. `built_in_s` is None for one that was there."""

    database: str
    state: Path
    built_in_s: float | None


class Templates:
    """The templates of one server. `folder` holds the state of each."""

    def __init__(self, folder: Path, secrets_file: Path) -> None:
        self._folder, self._secrets_file = folder, secrets_file
        self._turn = asyncio.Lock()  # roles belong to the whole server: one build at a time

    async def ready(
        self, project: Project, admin_url: str, *, seed: str, environment: Mapping[str, str], say: Say
    ) -> Template:
        """Return the template for this app, building it where there is none.

        Errors:  PreviewFailed with the builder's words; nothing is left of what it made.
        Cost:    some ten seconds to build; a look at the server otherwise.
        """
        key = await asyncio.to_thread(key_of, project, seed=seed, environment=environment)
        database, state = f"template_{key}", self._folder / key
        async with self._turn:
            if state.is_dir() and await databases_like(admin_url, database):
                os.utime(state)
                return Template(database=database, state=state, built_in_s=None)
            say(f"template: building {key}, once for these migrations and this example data")
            began = time.monotonic()
            await self._build(project, admin_url, key, seed=seed, environment=environment)
            await self._drop_oldest(admin_url)
            return Template(database=database, state=state, built_in_s=time.monotonic() - began)

    async def clear(self, admin_url: str) -> None:
        """Drop what was being built when we were killed, and templates of which a half is missing."""
        async with self._turn:
            for name in await databases_like(admin_url, "building_", "template_"):
                if not (self._folder / name.removeprefix("template_")).is_dir():
                    await drop_database(admin_url, name)
            there = set(await databases_like(admin_url, "template_"))
            for state in self._folder.glob("*"):
                if f"template_{state.name}" not in there:
                    await asyncio.to_thread(shutil.rmtree, state)

    async def _build(
        self, project: Project, admin_url: str, key: str, *, seed: str, environment: Mapping[str, str]
    ) -> None:
        building, draft = f"building_{key}", self._folder / f"{key}.new"
        try:
            await self._drop(admin_url, key)
            StateDir(draft).ensure()
            shutil.copy2(self._secrets_file, draft)  # roles and people have one password in all previews
            await _fill(project, database_url(admin_url, building), draft, seed, environment)
            draft.replace(self._folder / key)
            await seal_template(admin_url, built=building, template=f"template_{key}")
        except BaseException:
            await asyncio.shield(self._drop(admin_url, key))
            raise

    async def _drop(self, admin_url: str, key: str) -> None:
        await drop_database(admin_url, f"template_{key}")
        await drop_database(admin_url, f"building_{key}")
        for state in (self._folder / key, self._folder / f"{key}.new"):
            await asyncio.to_thread(shutil.rmtree, state, ignore_errors=True)

    async def _drop_oldest(self, admin_url: str) -> None:
        by_use = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for state in by_use[KEPT_MAX:]:
            await self._drop(admin_url, state.name)


def key_of(project: Project, *, seed: str, environment: Mapping[str, str]) -> str:
    """Return the name of what a database of this app would be made of, as 16 hexadecimal digits."""
    package = runtime_of(project.home, environment)
    digest = hashlib.sha256()
    app = project.settings.app
    for word in (shipworthy.__version__, seed, app.name, app.locale, *(r.name for r in project.rooms)):
        digest.update(word.encode() + b"\0")
    for path in sorted({path for pattern in _MADE_OF for path in package.glob(pattern) if path.is_file()}):
        if path.suffix == ".pyc":
            continue
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def runtime_of(home: Path, environment: Mapping[str, str]) -> Path:
    """Return the package that runs the app in `home`: its own copy, one of PYTHONPATH, or the installed one."""
    return next(_runtimes(home, environment), Path(shipworthy.__file__).parent)


def _runtimes(home: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    for folder in (str(home), *environment.get("PYTHONPATH", "").split(os.pathsep)):
        package = Path(folder) / "shipworthy"
        if folder and (package / "__init__.py").is_file():
            yield package


async def _fill(
    project: Project, admin_url: str, state: Path, seed: str, environment: Mapping[str, str]
) -> None:
    """Migrate and seed by the branch's own code, which need not be ours. Errors: PreviewFailed."""
    arguments = ("-m", "shipworthy", "preview", "fill", "--state", str(state), "--seed", seed)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=project.home,
        env={**environment, "SHIPWORTHY_DB_URL_ADMIN": admin_url},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    lifeline = Lifeline(process.pid, how=signal.SIGKILL, group=True)
    try:
        _, said = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    finally:
        lifeline.release()
    if process.returncode != 0:
        words = said.decode("utf-8", "replace").strip().removeprefix("Error: ")[-2000:] or "nothing"
        raise PreviewFailed(f"The database of this version could not be made. It said: {words}")
