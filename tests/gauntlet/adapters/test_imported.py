"""An app that is imported: served by the app's own interpreter, and a mistake is told in a sentence.

Covers: serving.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shipworthy.contract.target import Target
from shipworthy.gauntlet.adapters.instance import StartFailed
from shipworthy.gauntlet.adapters.start import started
from shipworthy.gauntlet.http import HttpSession
from shipworthy.gauntlet.targetfile import load_target_file

WSGI = """
import wsgiref.util, sys, os
def make():
    def app(environ, start_response):
        start_response("200 OK", [("content-type", "text/plain")])
        return [f"{os.getcwd()} {environ['PATH_INFO']}".encode()]
    return app
class shop:
    application = make()
"""
ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"].endswith("shutdown"):
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi " + scope["path"].encode()})
"""


def target(folder: Path, app: str) -> Target:
    (folder / "old.py").write_text(WSGI)
    (folder / "new.py").write_text(ASGI)
    path = folder / "gauntlet.toml"
    path.write_text(f'[target]\nname = "S"\n{app}\nstart_timeout_s = 30\n')
    return load_target_file(path)


@pytest.mark.parametrize(
    ("app", "says"),
    [
        ('wsgi = "old:shop.application"', "{folder} /x"),
        ('wsgi = "old:make()"', "{folder} /x"),
        ('asgi = "new:app"\npython = "PYTHON"', "asgi /x"),
    ],
)
async def test_an_app_is_served_in_its_own_folder_and_gone_afterwards(
    tmp_path: Path, app: str, says: str
) -> None:
    async with started(target(tmp_path, app.replace("PYTHON", sys.executable)), tmp_path) as instance:
        session = HttpSession(instance.handle.base_url)
        assert (await session.get("/x")).text == says.format(folder=tmp_path)
        await session.close()
        base_url = instance.handle.base_url
    with pytest.raises(StartFailed, match="Nothing answers"):
        async with started(
            Target(name="S", kind="url", url=base_url, manifest=target(tmp_path, app).manifest), tmp_path
        ):
            raise AssertionError("it is still there")


@pytest.mark.parametrize(
    ("app", "says"),
    [
        ('wsgi = "lost:app"', "there is no module 'lost'"),
        ('wsgi = "old:lost"', "old has no 'lost'"),
    ],
)
async def test_a_name_that_leads_nowhere_is_told(tmp_path: Path, app: str, says: str) -> None:
    with pytest.raises(StartFailed, match=says):
        async with started(target(tmp_path, app), tmp_path):
            raise AssertionError("there is none")
