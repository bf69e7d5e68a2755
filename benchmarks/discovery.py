"""How often what an OpenID provider publishes is found in memory, over a series of whole sign-ins.

The stub provider of the gauntlet, a web process of the app that knows it, and people who sign in one after
the other: each needs the provider's discovery document twice and its keys once.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
from urllib.parse import urlsplit

from benchmarks.app import App, stop, wait_for
from shipworthy.gauntlet.http import HttpSession
from shipworthy.local.ports import free_port

_SIGN_INS = 100


def discovery_hit_ratio(app: App, runner: asyncio.Runner, *, core: int) -> float:
    """Return the share of look-ups of the discovery document that asked the provider nothing."""
    port = free_port()
    base_url = f"http://localhost:{port}"
    stub = subprocess.Popen(
        [
            sys.executable, "-m", "shipworthy.gauntlet.idp", "--redirect", f"{base_url}/oauth/stub/callback",
            "--people", str(_SIGN_INS), "--secret", "a-secret-of-the-benchmark",
        ],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert stub.stdout
        said = json.loads(stub.stdout.readline())
        web = app.start(
            "serve",
            "--port",
            str(port),
            core=core,
            env={
                "SHIPWORTHY_OAUTH_STUB": f"{said['issuer']};{said['client_id']}",
                "SHIPWORTHY_OAUTH_STUB_SECRET": "a-secret-of-the-benchmark",
            },
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/-/healthz")
            runner.run(_sign_in(base_url, said["issuer"]))
            return _hit_ratio(port)
        finally:
            stop(web)
    finally:
        stop(stub)
        if stub.stdout:
            stub.stdout.close()


async def _sign_in(base_url: str, issuer: str) -> None:
    provider = HttpSession(issuer)
    try:
        for _ in range(_SIGN_INS):
            browser = HttpSession(base_url)
            try:
                leaving = await browser.get("/oauth/stub")
                there = urlsplit(leaving.header("location"))
                back = urlsplit((await provider.get(f"{there.path}?{there.query}")).header("location"))
                arrived = await browser.get(f"{back.path}?{back.query}")
                assert arrived.status == 303, f"{arrived.status} {arrived.text[:200]}"
            finally:
                await browser.close()
    finally:
        await provider.close()


def _hit_ratio(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = dict(re.findall(r'^auth_oauth_discovery_total\{outcome="(\w+)"\} ([\d.e+]+)', text, re.MULTILINE))
    counts = {outcome: float(count) for outcome, count in found.items()}
    return round((counts.get("hit", 0.0) + counts.get("stale", 0.0)) / sum(counts.values()), 4)
