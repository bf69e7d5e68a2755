"""A preview for a check: brought up by the app's own command, known by its handle, taken down whatever happens."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Target
from shipworthy.gauntlet.adapters.instance import StartFailed
from shipworthy.gauntlet.adapters.preview import previewed
from tests.support.programs import server_command

# What `shipworthy preview` promises: up prints what is up, down ends it, a refusal is one sentence.
_STAND_IN = """
import json, sys
from pathlib import Path
asked = sys.argv[1:]
with open("asked", "a") as file:
    file.write(json.dumps(asked) + "\\n")
if Path("broken").exists():
    sys.exit("template: building\\nError: Migration 7 cannot be applied.")
if asked[1] == "up":
    Path("handle.json").write_text(json.dumps({"base_url": "http://127.0.0.1:5", "site_url": "http://acme.localhost:5"}))
    print(json.dumps({"url": "http://x.localhost:5", "handle": str(Path("handle.json").absolute()),
      "ready_in_s": 2.5, "template_built_in_s": None}))
"""


def ours(folder: Path) -> Target:
    (folder / "stand_in.py").write_text(_STAND_IN)
    start = (sys.executable, str(folder / "stand_in.py"))
    return Target(name="A", kind="shipworthy", manifest=Manifest(app="A"), start=start, workdir=str(folder))


def asked(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "asked").read_text().splitlines()]


async def test_it_is_reached_at_its_own_address_and_ended_even_when_the_check_crashes(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with previewed(ours(tmp_path), tmp_path) as preview:
            assert preview.handle.base_url == "http://x.localhost:5"
            assert preview.handle.site_url == "http://acme.localhost:5"
            assert (preview.ready_in_s, preview.template_built_in_s) == (2.5, None)
            assert len(asked(tmp_path)) == 1
            raise ZeroDivisionError
    up, down = asked(tmp_path)
    assert up[:3] == ["preview", "up", "."] and "--ttl" in up
    assert down == ["preview", "down", up[up.index("--name") + 1]]


async def test_a_refusal_is_passed_on_in_its_last_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(StartFailed, match=r"^Migration 7 cannot be applied\.$"):
        async with previewed(ours(tmp_path), tmp_path):
            raise AssertionError("it did not come up")


async def test_a_strangers_app_is_started_by_its_command(tmp_path: Path) -> None:
    target = Target(
        name="S",
        kind="command",
        manifest=Manifest(app="S"),
        start=server_command(tmp_path),
        workdir=str(tmp_path),
    )
    async with previewed(target, tmp_path) as preview:
        assert preview.handle.base_url.startswith("http://127.0.0.1:")
