"""Somebody else's provider in the stub's place: npm's oidc-provider, certified by the OpenID Foundation.

The stub proves what happens when a provider misbehaves; this one proves that the app understands one that
behaves and that we did not write. Node and the package must be there; nothing is fetched.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.http import HttpSession

SERVER = Path(__file__).parent / "server.mjs"
START_TIMEOUT_S = 30.0
_ENTRY = "node_modules/oidc-provider/lib/index.js"
_HOPS_MAX = 12


class LostAtPeer(Exception):
    """The provider's pages did not lead back to the app; the message says where they stopped."""


def told(
    home: Path, *, issuer: str, client_id: str, secret: str, redirects: Sequence[str],
    port: int = 0, algorithm: str = "RS256", routes: dict[str, str] | None = None,
) -> dict[str, str]:  # fmt: skip
    """Return the environment of a provider that knows one client. `home` holds its node_modules."""
    facts = {
        "entry": (home / _ENTRY).resolve().as_uri(),
        "port": port,
        "issuer": issuer,
        "client_id": client_id,
        "client_secret": secret,
        "redirect_uris": list(redirects),
        "algorithm": algorithm,
        "routes": routes or {},
    }
    return {**os.environ, "SHIPWORTHY_PEER": json.dumps(facts)}


def peer_home() -> Path:
    """Return the folder whose node_modules hold the provider. Errors: Unmeasurable, with what to install."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    home = Path(os.environ.get("SHIPWORTHY_OIDC_PEER") or Path(base) / "shipworthy" / "oidc-peer")
    if shutil.which("node") is None:
        raise Unmeasurable(
            "Node.js is not installed.", fix="Install Node.js 22 or newer, then run this again."
        )
    if not (home / _ENTRY).is_file():
        raise Unmeasurable(
            f"oidc-provider is not in {home}.",
            fix=f"Install it: npm install --prefix {home} oidc-provider@9.",
        )
    return home


@asynccontextmanager
async def peer_running(env: dict[str, str]) -> AsyncIterator[str]:
    """Run the provider until the block ends; yield its "host:port".

    Errors:  Undecided with its last words when it does not start.
    """
    process = await asyncio.create_subprocess_exec(
        "node",
        str(SERVER),
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = b""
        with contextlib.suppress(TimeoutError):
            line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
        said, _, port = line.decode().strip().partition(" ")
        if said != "ready":
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            words = (await process.stderr.read()).decode("utf-8", "replace").strip()[-400:]
            raise Undecided(f"oidc-provider did not start: {words or 'it said nothing'}")
        drained = asyncio.create_task(_drain(process))
        try:
            yield f"127.0.0.1:{port}"
        finally:
            drained.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Read its warnings away: a full pipe would stop it."""
    assert process.stderr is not None
    while await process.stderr.read(4_096):
        pass


async def through(theirs: HttpSession, issuer: str, address: str, person: str) -> str:
    """Follow the provider's redirects and fill in its forms; return the path it sends the browser back to.

    Errors:  LostAtPeer.
    """
    for _ in range(_HOPS_MAX):
        if not address.startswith((issuer, "/")):
            parts = urlsplit(address)
            return f"{parts.path}?{parts.query}"
        path = address.removeprefix(issuer)
        answer = await theirs.get(path)
        if answer.status == 200:
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            action = re.search(r'action="([^"]+)"', answer.text)
            if prompt is None or action is None:
                raise LostAtPeer(f"no form at {path}: {words_of(answer.text)}")
            form = {"prompt": prompt[1]} | (
                {"login": person, "password": "any"} if prompt[1] == "login" else {}
            )
            answer = await theirs.request("POST", action[1].removeprefix(issuer), form=form)
        if answer.status not in (302, 303):
            raise LostAtPeer(f"{path}: {answer.status} {words_of(answer.text)}")
        address = answer.header("location")
    raise LostAtPeer("the provider leads round in circles")


def words_of(page: str) -> str:
    """Return what a person reads on a page, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))[:300].strip()
