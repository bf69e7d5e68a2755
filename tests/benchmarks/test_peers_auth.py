"""The sign-in peers are pinned whole, name no registry, and say of themselves what is installed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from benchmarks.peers_auth import AUTH_PEERS, PASSWORD

from benchmarks import peers, peers_auth

FOLDER = Path(peers_auth.__file__).parent


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*/requirements.txt")), ids=lambda file: file.parent.name)
def test_every_requirement_is_one_version(file: Path) -> None:
    assert all(re.match(r"[a-z0-9-]+==[0-9.]+( ;|$)", pin) for pin in peers.pins(file))


def test_the_lock_of_better_auth_is_whole_and_names_no_registry() -> None:
    lock = json.loads((FOLDER / "better_auth" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert all("integrity" in package and "resolved" not in package for package in packages.values())


def test_what_a_peer_says_of_its_versions_is_what_is_pinned() -> None:
    pinned = {
        "better_auth": (FOLDER / "better_auth" / "package.json").read_text(encoding="utf-8"),
        "fastapi_users": (FOLDER / "fastapi_users" / "requirements.txt").read_text(encoding="utf-8"),
        "allauth": (FOLDER / "allauth" / "requirements.txt").read_text(encoding="utf-8"),
    }
    for peer in AUTH_PEERS:
        said = f"{peer.settings['version']} {peer.settings['server']}"
        versions = re.findall(r"\d+\.\d+\.\d+", said)
        assert versions
        assert all(version in pinned[peer.name] for version in versions), peer.name


def test_a_sign_in_names_its_account_and_its_origin() -> None:
    for peer in AUTH_PEERS:
        request = peer.request("http://localhost:1", "person7@example.com", PASSWORD)
        assert b"person7" in request.body and request.path.startswith("/")
