"""The page peers are pinned whole, name no registry, say what is installed, and show one article."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from benchmarks.article import ARTICLE, markdown
from benchmarks.peers_pages import PAGE_PEERS

from benchmarks import peers, peers_pages

FOLDER = Path(peers_pages.__file__).parent
LOCKS = sorted(FOLDER.glob("*/package-lock.json"))


def test_every_requirement_is_one_version() -> None:
    pins = peers.pins(FOLDER / "wagtail" / "requirements.txt")
    assert pins and all(re.match(r"[a-z0-9-]+==[0-9.post]+( ;|$)", pin) for pin in pins)


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.parent.name)
def test_a_lock_is_whole_and_names_no_registry(file: Path) -> None:
    packages = json.loads(file.read_text(encoding="utf-8"))["packages"]
    assert all(
        "integrity" in p and "resolved" not in p for name, p in packages.items() if name and not p.get("link")
    )


def test_what_a_peer_says_of_its_versions_is_what_is_pinned() -> None:
    pinned = "".join(file.read_text(encoding="utf-8") for file in FOLDER.glob("*/package.json"))
    pinned += (FOLDER / "wagtail" / "requirements.txt").read_text(encoding="utf-8")
    versions = {
        v
        for peer in PAGE_PEERS
        for said in peer.settings.values()
        for v in re.findall(r"\d+\.\d+\.\d+", said)
    }
    assert len(versions) >= 6
    assert all(version in pinned for version in versions)


def test_the_article_is_the_same_in_both_forms() -> None:
    text = markdown()
    assert len(ARTICLE["blocks"]) == 60
    assert all(block["text"] in text for block in ARTICLE["blocks"])
    assert 15_000 < len(text) < 25_000
