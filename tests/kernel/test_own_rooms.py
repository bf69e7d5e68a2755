"""Rooms of an app's own: found in its folder, preferred to ours, and said to be broken in one sentence.

Covers: source.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.contract.strict import Undecodable
from shipworthy.kernel.language import _, _also, speaking, translations
from shipworthy.kernel.own_rooms import load_own_room, own_rooms
from shipworthy.kernel.source import line_of_code, source_of
from shipworthy.kernel.source import source_of as ours

ROOM = """
from pathlib import Path
from shipworthy.kernel.db.queries import Catalogue
from shipworthy.kernel.room import Room

def handler():
    pass

ROOM = Room(name={name!r}, folder=Path(__file__).parent, queries=Catalogue({{}}))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("cars", "bikes"):
        folder = tmp_path / "rooms" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "room.py").write_text(ROOM.format(name=name))
    (tmp_path / "rooms" / "__init__.py").touch()
    return tmp_path


def test_rooms_of_two_apps_in_one_process_are_not_mixed_up(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "rooms" / "cars").mkdir(parents=True)
    for path in (other / "rooms" / "__init__.py", other / "rooms" / "cars" / "__init__.py"):
        path.touch()
    (other / "rooms" / "cars" / "room.py").write_text(ROOM.format(name="cars"))
    assert own_rooms(home) == ["bikes", "cars"]
    assert load_own_room(home, "cars").folder == home / "rooms" / "cars"
    assert load_own_room(other, "cars").folder == other / "rooms" / "cars"
    assert load_own_room(home, "cars").folder == home / "rooms" / "cars"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ROOM = 1", "must be a Room"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("def", "SyntaxError"),
        (ROOM.format(name="other"), "name='cars'"),
        ("", "no attribute 'ROOM'"),
    ],
)
def test_a_broken_room_is_named_with_what_is_wrong(home: Path, code: str, words: str) -> None:
    (home / "rooms" / "cars" / "room.py").write_text(code)
    with pytest.raises(Undecodable) as refused:
        load_own_room(home, "cars")
    assert "rooms/cars/room.py" in str(refused.value)
    assert words in str(refused.value)


def test_its_words_are_believed_before_ours(home: Path) -> None:
    words = home / "rooms" / "cars" / "languages" / "de"
    words.mkdir(parents=True)
    (words / "cars.po").write_text('msgid "Name"\nmsgstr "Benennung"\n\nmsgid "City"\nmsgstr ""\n')
    with speaking("de"):
        before = _("City")
        load_own_room(home, "cars")
        try:
            assert (_("Name"), _("City")) == ("Benennung", before)
        finally:
            _also.clear()
            translations.cache_clear()
        assert _("Name") != "Benennung"


def test_a_place_is_named_from_the_folder_that_holds_the_package(home: Path) -> None:
    assert source_of(home / "rooms" / "cars" / "room.py") == "rooms/cars/room.py"
    room = load_own_room(home, "cars")
    assert source_of(room.folder / "queries.sql") == "rooms/cars/queries.sql"
    assert line_of_code(ours).startswith("src/shipworthy/kernel/source.py:")
