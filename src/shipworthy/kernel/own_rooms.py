"""The rooms of an app's own, in its folder `rooms/`: found, imported, and preferred to ours of the same name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from shipworthy.contract.strict import Undecodable
from shipworthy.kernel.language import speak_also
from shipworthy.kernel.room import Room

FOLDER = "rooms"


def own_rooms(home: Path) -> list[str]:
    """Return the names of the rooms that stand in the app's folder."""
    return sorted(path.parent.name for path in (home / FOLDER).glob("*/room.py"))


def load_own_room(home: Path, name: str) -> Room:
    """Import a room of the app's own.

    Errors:  Undecodable saying what is wrong with its code.
    """
    _look_in(home)
    place = f"{FOLDER}/{name}/room.py"
    try:
        room = importlib.import_module(f"{FOLDER}.{name}.room").ROOM
    except (ImportError, SyntaxError, AttributeError, NameError, TypeError, ValueError, OSError) as broken:
        raise Undecodable(
            f"this room cannot be loaded: {type(broken).__name__}: {broken}", path=place, source=place
        ) from broken
    if not isinstance(room, Room) or room.name != name:
        raise Undecodable(f"its ROOM must be a Room with name={name!r}", path=place, source=place)
    speak_also(room.folder)
    return room


def _look_in(home: Path) -> None:
    """Let `import rooms` mean this app's. A process that read another app before forgets that one's."""
    package = sys.modules.get(FOLDER)
    if package is not None and str(home / FOLDER) not in map(str, package.__path__):
        for name in [name for name in sys.modules if name == FOLDER or name.startswith(f"{FOLDER}.")]:
            del sys.modules[name]
    if sys.path[0] != str(home):
        sys.path.insert(0, str(home))
    importlib.invalidate_caches()
