"""A spec that contradicts itself is refused with key, line and a way out."""

from __future__ import annotations

import pytest

from shipworthy.contract.strict import Undecodable
from shipworthy.kernel.settings import settings_of

APP = '[app]\nname = "Toy"\nrooms = ["auth"]\n'


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (
            f"{APP}[sessions]\nidle_ttl_s = 200\nabsolute_ttl_s = 100\n",
            "app.toml:5",
            "set sessions.idle_ttl_s to 100 at most",
        ),
        (f"{APP}[sessions]\nabsolute_ttl_s = 100\n", "app.toml:5", "which is 100 and ends it before"),
        (f"{APP}[auth]\nrefresh_ttl_s = 900\n", "app.toml:5", "auth.refresh_idle_ttl_s to 900 at most"),
        (f"{APP}[auth]\naccess_ttl_s = 90000000\n", "app.toml:5", "auth.access_ttl_s is 90000000"),
        (f"{APP}[site]\n", "app.toml:4", 'add "site" to app.rooms'),
        (f"{APP}[tax]\nrates_url = ''\n", "app.toml:4", "take [tax] out"),
    ],
)
def test_what_is_taken_back_elsewhere_is_refused(text: str, place: str, words: str) -> None:
    with pytest.raises(Undecodable) as refused:
        settings_of(text)
    assert place in str(refused.value)
    assert words in str(refused.value)
    assert settings_of(text.split("[", 2)[0] + APP).app.name == "Toy"


def test_options_of_a_room_that_is_there_are_taken() -> None:
    assert settings_of(APP.replace('"auth"', '"auth", "site"') + "[site]\nvisits_counted = false\n").app.rooms
