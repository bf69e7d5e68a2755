"""Tags are short words of one site, the same for whoever makes them."""

from __future__ import annotations

import uuid

from shipworthy.rooms.site.tags import EVERYTHING, MENU, path_tag, surrogate_keys


def test_an_address_has_one_tag_that_says_nothing_of_it() -> None:
    assert path_tag("/a secret offer") == path_tag("/a secret offer") != path_tag("/another")
    assert path_tag("/caf\u00e9, ü").isalnum()


def test_keys_are_of_one_site_and_hold_neither_separator() -> None:
    keys = surrogate_keys(uuid.UUID(int=1 << 120), [path_tag("/x, y"), MENU, EVERYTHING])
    assert len(keys) == 3
    assert all(key.startswith(keys[0]) and not set(key) & {" ", ","} for key in keys)
    assert not set(keys) & set(surrogate_keys(uuid.UUID(int=2 << 120), [path_tag("/x, y"), MENU]))
