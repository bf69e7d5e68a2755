"""Finding the code of a journey: an `async def` in a Python file of the target's own folder."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from shipworthy.gauntlet.load.plan import PlanRefused

if TYPE_CHECKING:
    from shipworthy.gauntlet.load.coded import Visit

Code = Callable[["Visit"], Awaitable[None]]


def load_code(name: str, *, folder: str) -> Code:
    """Return the function that "journeys/pkce.py:sign_in" names, from below `folder`.

    The file is run: it is code of whoever wrote the target file, as its start command is.
    Errors:  PlanRefused for a file outside the folder, one that is not there or cannot be run, and for a
             function it does not have; the message says the nearest there is.
    """
    file, _, function = name.partition(":")
    if not function:
        raise PlanRefused(f"{name!r} names no function: write FILE.py:FUNCTION")
    home = Path(folder or ".").resolve()
    path = (home / file).resolve()
    if not path.is_relative_to(home):
        raise PlanRefused(f"{file} lies outside {home}, the target's folder")
    if not path.is_file():
        raise PlanRefused(f"there is no file {file} in {home}{_near(file, _files(home))}")
    spec = importlib.util.spec_from_file_location(f"shipworthy_journey_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PlanRefused(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as broken:  # whatever somebody's file does when it is run
        raise PlanRefused(f"{file} cannot be run: {type(broken).__name__}: {broken}") from broken
    found = getattr(module, function, None)
    if not inspect.iscoroutinefunction(found):
        known = [n for n, value in vars(module).items() if inspect.iscoroutinefunction(value)]
        raise PlanRefused(f"{file} has no async def {function}{_near(function, known)}")
    code: Code = found
    return code


def _files(home: Path) -> list[str]:
    return [str(path.relative_to(home)) for path in list(home.glob("*.py")) + list(home.glob("*/*.py"))]


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(sorted(known)) or 'none'}"
