"""Where a person goes after signing in: a page of this app, and nowhere else."""

from __future__ import annotations

import re
from urllib.parse import unquote

from shipworthy.kernel.runtime import Runtime

ACCOUNT = "/account"
_CHARS_MAX = 2_000
_DECODINGS_MAX = 4  # nobody encodes an honest path more often
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*")  # printable, no backslash, no white space
# Pages that make no sense for somebody who has just signed in.
_DOORS = (
    "/login", "/logout", "/signup", "/verify", "/oauth", "/forgot", "/reset", "/leaving", "/account/confirm",
)  # fmt: skip


def landing(runtime: Runtime, wanted: str) -> str:
    """Return `wanted` where it is a path of this app, else the app's first page."""
    return wanted if is_own_path(wanted) else first_page(runtime)


def is_own_path(wanted: str) -> bool:
    """Whether `wanted` is a page of this app that makes sense for somebody who has just signed in."""
    path = _path_of(wanted)
    return path is not None and not path.startswith(_DOORS)


def is_path_here(wanted: str) -> bool:
    """Whether every browser and proxy takes `wanted` for a path on this very origin."""
    return _path_of(wanted) is not None


def _path_of(wanted: str) -> str | None:
    if len(wanted) > _CHARS_MAX or not _PATH.fullmatch(wanted):
        return None
    path = re.split(r"[?#]", wanted, maxsplit=1)[0]
    for _ in range(_DECODINGS_MAX):
        if "//" in path or "\\" in path or ".." in path or re.search(r"[\x00-\x20\x7f]", path):
            return None
        path = unquote(path)
    return path if "%" not in path else None


def first_page(runtime: Runtime) -> str:
    """Return the first page of the navigation."""
    return next((item.href for room in runtime.rooms for item in room.nav), ACCOUNT)
