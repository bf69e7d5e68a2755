"""The paper says everything in each language, and leaves room for the same facts."""

from __future__ import annotations

import dataclasses
import string

from shipworthy.kernel.language import LOCALES, speaking
from shipworthy.rooms.invoicing.tax import UNTAXED_CATEGORIES
from shipworthy.rooms.invoicing.wording import Wording, wording


def test_no_word_is_missing_in_any_language() -> None:
    for locale in LOCALES:
        words = wording(locale)
        assert all(dataclasses.asdict(words).values())
        assert set(words.group_names) == set(UNTAXED_CATEGORIES) - {"Z"}, "a zero rate is shown like any rate"
    assert (wording("en").tax, wording("de").tax) == ("Tax", "USt.")


def test_a_sentence_asks_for_the_same_facts_in_every_language() -> None:
    english, german = facts_asked_for(wording("en")), facts_asked_for(wording("de"))
    assert english == german
    assert english["amount_due"] == {"amount", "date"}
    assert english["taxed_group"] == {"rate", "base"}


def test_the_papers_language_is_its_own_whoever_reads_the_screen() -> None:
    with speaking("de"):
        assert wording("en").invoice == "Invoice"


def facts_asked_for(words: Wording) -> dict[str, set[str]]:
    return {
        name: {fact for _, fact, _, _ in string.Formatter().parse(value) if fact}
        for name, value in dataclasses.asdict(words).items()
        if isinstance(value, str)
    }
