"""`make bench NAME=idp`: what one whole sign-in costs the stub provider: authorize, token, userinfo.

The stub runs in a process of its own and is asked over kept connections; its CPU time is the
claim. The asking client shares the machine and is not counted.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from benchmarks.app import cpu_s
from benchmarks.report import Report, publish
from shipworthy.gauntlet.http import HttpSession

SIGN_INS = 500
WARM_UP = 50
BACK = "http://127.0.0.1:1/back"
VERIFIER = "v" * 43
_CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


async def main() -> None:
    """Measure both algorithms and publish."""
    figures: dict[str, float | int | str | None] = {}
    for algorithm in ("ES256", "RS256"):
        figures[f"sign_in_cpu_us_{algorithm.lower()}"] = round(await _cpu_us(algorithm))
    publish(Report(name="idp", figures=figures))


async def _cpu_us(algorithm: str) -> float:
    command = [sys.executable, "-m", "shipworthy.gauntlet.idp", "--redirect", BACK, "--algorithm", algorithm]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    said = json.loads(await process.stdout.readline())
    session = HttpSession(said["issuer"])
    try:
        for _ in range(WARM_UP):
            await _sign_in(session, said)
        before = cpu_s(process.pid)
        for _ in range(SIGN_INS):
            await _sign_in(session, said)
        return (cpu_s(process.pid) - before) / SIGN_INS * 1e6
    finally:
        await session.close()
        process.terminate()
        await process.wait()


async def _sign_in(session: HttpSession, said: dict[str, Any]) -> None:
    asked = {
        "client_id": said["client_id"],
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid email",
        "state": "s",
        "nonce": "n",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
    }
    back = (await session.get(f"/authorize?{urlencode(asked)}")).header("location")
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    tokens = (await session.post("/token", form={**form, "client_id": said["client_id"]})).json
    told = await session.get("/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"})
    assert told.status == 200


if __name__ == "__main__":
    asyncio.run(main())
