"""Both languages say everything, and leave room for the same facts."""

from __future__ import annotations

import dataclasses
import string

from shipworthy.rooms.invoicing.tax import UNTAXED_CATEGORIES
from shipworthy.rooms.invoicing.wording import WORDING, Wording


def test_no_word_is_missing_in_any_language() -> None:
    assert set(WORDING) == {"en", "de"}
    for words in WORDING.values():
        assert all(dataclasses.asdict(words).values())
        assert len(set(words.months)) == 12
        assert set(words.group_names) == set(UNTAXED_CATEGORIES) - {"Z"}, "a zero rate is shown like any rate"


def test_a_sentence_asks_for_the_same_facts_in_every_language() -> None:
    english, german = facts_asked_for(WORDING["en"]), facts_asked_for(WORDING["de"])
    assert english == german
    assert english["amount_due"] == {"amount", "date"}
    assert english["taxed_group"] == {"rate", "base"}


def facts_asked_for(words: Wording) -> dict[str, set[str]]:
    return {
        name: {fact for _, fact, _, _ in string.Formatter().parse(value) if fact}
        for name, value in dataclasses.asdict(words).items()
        if isinstance(value, str)
    }
