"""A room of ours in an app: its code led to itself, its migrations the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.builder.eject import eject, led_to_the_copy
from shipworthy.builder.spec import SpecRefused


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "shipworthy" / "rooms" / "site"
    (folder / "migrations").mkdir(parents=True)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "room.pyc").write_bytes(b"\x00")
    (folder / "room.py").write_text("from shipworthy.rooms.site.web import ROUTES\n")
    (folder / "migrations" / "0001_pre_site.up.sql").write_bytes(
        b"-- shipworthy.rooms.site\r\ncreate table site ();"
    )
    (folder / "picture.bin").write_bytes(b"\xff\x00")
    return folder


def test_code_is_led_to_the_copy_and_everything_else_stays_the_same_bytes(
    tmp_path: Path, source: Path
) -> None:
    home = tmp_path / "app"
    (home / "tests").mkdir(parents=True)
    (home / "tests" / "test_site.py").write_text("from shipworthy.rooms.site.web import ROUTES\n")
    (home / "tests" / "test_other.py").write_text("import shipworthy.rooms.sitemap\n")
    done = eject("site", source=source, home=home)
    assert (home / "rooms/site/room.py").read_text() == "from rooms.site.web import ROUTES\n"
    for name in ("migrations/0001_pre_site.up.sql", "picture.bin"):
        assert (home / "rooms/site" / name).read_bytes() == (source / name).read_bytes()
    assert done.led == ("tests/test_site.py",)
    assert (home / "tests" / "test_site.py").read_text() == "from rooms.site.web import ROUTES\n"
    assert not (home / "rooms/site/__pycache__").exists()
    assert sorted(p.name for p in (home / "rooms").iterdir()) == ["__init__.py", "site"]


def test_a_room_that_is_there_is_not_overwritten(tmp_path: Path, source: Path) -> None:
    mine = tmp_path / "app" / "rooms" / "site" / "room.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(SpecRefused, match="rooms/site is there already"):
        eject("site", source=source, home=tmp_path / "app")
    assert mine.read_text() == "mine"


def test_only_the_room_itself_is_led() -> None:
    text = 'import shipworthy.rooms.site\n"shipworthy.rooms.site.lane"\nshipworthy.rooms.sites\nshipworthy.rooms.auth\n'
    assert led_to_the_copy(text, "site") == (
        'import rooms.site\n"rooms.site.lane"\nshipworthy.rooms.sites\nshipworthy.rooms.auth\n'
    )
